"""What lies behind the file addresses of the sandbox: small, made up, and of the right kind."""

import re
import struct
import zlib
from urllib.parse import unquote, urlsplit

from dixa_mcp.sandbox.organisation import FILES, Organisation
from dixa_mcp.sandbox.wire import Answer, Json, listed, part

ROOT = f"https://{FILES}/"

MAIL = (
    "From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
)
FONT = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"


def stored_file(organisations: list[Organisation], path: str) -> Answer:
    """Answer GET for a file: `path` is that of the address, e.g. `/private/fernway/recording/10405`.

    No token is needed (ours: whether Dixa's own files open without one is unknown).
    """
    place = unquote(path).strip("/")
    url = ROOT + place
    for org in organisations:
        if (content := org.kept(place)) is not None:
            return _file(org.uploads[place]["media"], content)
        if place.startswith(f"public/{org.details['subdomain']}/images/"):
            return Answer(404, {"message": "Not Found"})
        if url in _public(org):
            return _file("image/png", picture())
        if place.startswith(f"private/{org.details['subdomain']}/"):
            return _private(org, url)
    return Answer(404, {"message": "Not Found"})


def _file(media: str, content: bytes) -> Answer:
    return Answer(200, content, {"Content-Type": media})


def _public(org: Organisation) -> set[str]:
    people = (*org.agents.values(), *org.end_users.values())
    return {str(thing["avatarUrl"]) for thing in (org.details, *people) if "avatarUrl" in thing}


def _private(org: Organisation, url: str) -> Answer:
    generated = re.search(r"/generated/(\d{1,18})/", url)
    told = [int(generated[1])] if generated else org.messages.told
    for csid in told:
        for message in org.messages.get(csid, []):
            attributes = message["attributes"]
            if attributes.get("recording") == url:
                return _file("audio/wav", sound())
            if part(attributes, "originalContentUrl").get("url") == url:
                return _file("message/rfc822", _mail(org, csid, attributes))
            if part(part(attributes, "emailContent"), "file").get("url") == url:
                text = "Bonjour, je vous écris encore une fois au sujet de mon remboursement. " * 40
                return _file("text/plain; charset=utf-8", text.encode())
            for attachment in (*listed(attributes, "attachments"), *listed(attributes, "inlineImages")):
                if attachment["url"] == url:
                    return _attachment(str(attachment.get("prettyName", "")))
    return Answer(404, {"message": "Not Found"})


def _attachment(name: str) -> Answer:
    ending = urlsplit(name).path.rpartition(".")[2].lower()
    if ending == "pdf":
        return _file("application/pdf", document(name))
    if ending in ("png", "jpg", "jpeg", "gif", "webp"):
        return _file("image/png", picture())
    return _file("text/plain; charset=utf-8", f"The file {name or 'without a name'}.\n".encode())


def _mail(org: Organisation, csid: int, attributes: Json) -> bytes:
    content = part(part(attributes, "emailContent"), "content").get("value", "")
    to = ", ".join(contact["email"] for contact in listed(attributes, "to"))
    subject = org.conversations[csid].get("subject", "")
    return MAIL.format(sender=attributes["from"]["email"], to=to, subject=subject, text=content).encode()


def picture() -> bytes:
    """Return a PNG of one green pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\x00\x2e\x8b\x57"))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def document(title: str) -> bytes:
    """Return a PDF of one page with a line of text."""
    line = f"BT /F1 18 Tf 40 100 Td ({title.replace('(', '').replace(')', '')}) Tj ET".encode("latin-1", "replace")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources %s>>" % FONT,
        b"<</Length %d>>stream\n%s\nendstream" % (len(line), line),
    ]
    out, places = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def sound() -> bytes:
    """Return a WAV of a tenth of a second of silence."""
    samples = bytes([128]) * 800
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body
