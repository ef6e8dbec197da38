"""Pictures for articles: uploads with the limits of notes §18, open to everybody afterwards."""

import hashlib
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from dixa_mcp.sandbox.events import leave
from dixa_mcp.sandbox.organisation import FILES, Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, invalid

ENDINGS = {"image/gif": "gif", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
MOST_FILES = 5
LARGEST_FILE = 4 * 1024 * 1024
LARGEST_BODY = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a form."""

    name: str
    media: str
    content: bytes

    @property
    def problem(self) -> str | None:
        """Why it can't be taken, None if it can."""
        if self.media not in ENDINGS:
            return f"{self.media} is not one of {', '.join(ENDINGS)}"
        return "File is larger than 4 MB" if len(self.content) > LARGEST_FILE else None


def uploads(request: Request) -> list[Upload]:
    """Read the files of a `multipart/form-data` body, those of the field `files`.

    Raises:
        Refusal: 400 if it isn't one.
    """
    header = Message()
    header["Content-Type"] = request.media
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise invalid("body (multipart/form-data is required)")
    pieces = (b"\r\n" + request.content).split(b"\r\n--" + boundary.encode("utf-8", "surrogateescape"))
    if pieces[-1][:2] != b"--":
        raise invalid("body (the form does not end)")
    return [file for piece in pieces[1:-1] if (file := _file(piece))]


def _file(piece: bytes) -> Upload | None:
    head, _, content = piece.partition(b"\r\n\r\n")
    headers = HeaderParser().parsestr(head.decode("utf-8", "replace").strip())
    if headers.get_param("name", header="content-disposition") != "files":
        return None
    return Upload(headers.get_filename() or "unnamed", headers.get_content_type(), content)


@handles("upload_article_attachments")
def upload_article_attachments(org: Organisation, request: Request) -> Answer:
    """Too many files or bytes refuse the whole; a file that can't be taken is in `partialErrors`."""
    if len(request.content) > LARGEST_BODY:
        raise invalid("body (at most 10 MB together)")
    files = uploads(request)
    if not 1 <= len(files) <= MOST_FILES:
        raise invalid(f"body (files: 1 to {MOST_FILES})")
    stored, problems = list[Json](), list[Json]()
    for file in files:
        if file.problem:
            problems.append({"originalFilename": file.name, "message": file.problem, "code": 400})
        else:
            stored.append({"originalFilename": file.name, "url": _store(org, file)})
    answer = data(stored)
    answer.body["partialErrors"] = problems
    return answer


def _store(org: Organisation, file: Upload) -> str:
    place = f"public/{org.details['subdomain']}/images/{org.new_id()}.{ENDINGS[file.media]}"
    digest = hashlib.sha256(file.content).hexdigest()
    org.uploads[place] = {"media": file.media, "size": len(file.content), "sha256": digest}
    org.keep(place, file.content)
    url = f"https://{FILES}/{place}"
    leave(org, "publication", [url], file.name, None, what="uploaded")
    return url
