"""What a customer will read: from the model's words or a template, in the form the channel takes."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.workspace import Agent, EndUser, Template
from dixa_mcp.errors import InvalidArgument, Refused
from dixa_mcp.text.clean import html_to_text, line, visible
from dixa_mcp.text.outgoing import fill, found, placeholders, to_html, to_plain
from dixa_mcp.tools import _people

MAILS = frozenset({"Email", "ContactForm"})
"""Channels that take HTML and copies."""
_MARKUP = re.compile(r"</?(?:p|br|div|span|b|strong|i|em|u|ul|ol|li|a|h[1-6]|table|font)\b[^<>]*>", re.IGNORECASE)
# A joiner between letters, or what makes a sign an emoji: visible in what it does, one at a place.
_HIDDEN = r"\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f\U000e0000-\U000e0fff"
_JOINERS = re.compile(rf"(?<=[^\x00-\x7f{_HIDDEN}])(\ufe0f?\u200d|\ufe0f|\u200c)")
# Letters, and what stands between them in names; a dot only after an initial or at the end.
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f '’-]|(?<![^\W\d_]{2})\.|\.(?=\s|$))*")
_URL = re.compile(r"https://[^\s\\@<>\"'/?#]+(?:[/?#][^\s\\<>\"']*)?")


def content(channel: str, text: str) -> dict[str, str]:
    """The text as this channel takes it: Markdown to WhatsApp, escaped HTML to mail, plain text elsewhere."""
    if channel == "WhatsApp":
        return {"_type": "Markdown", "value": text}
    if channel in MAILS:
        return {"_type": "Html", "value": to_html(text)}
    return {"_type": "Text", "value": to_plain(text)}


async def words(dixa: Dixa, text: str, template: str, language: str) -> str:
    """The model's words, or those of a template in the customer's language where it has them.

    Raises:
        InvalidArgument: Both or none were given.
        Unresolved: No template, or several, are called so.
    """
    if bool(text.strip()) == bool(template.strip()):
        raise InvalidArgument("Give either text or template: a template's words replace text.")
    if not template:
        return text.strip()
    given = _translated(await dixa.catalogue.find("template", template), language)
    return (html_to_text(given) if _MARKUP.search(given) else given).strip()


def _translated(template: Template, language: str) -> str:
    """The translation for a language (`da`, or `en-US` for `en`), else the template's own words (notes §17)."""
    wanted = language.casefold().replace("_", "-")
    usable = {each.locale.casefold(): each.content for each in template.translations if not each.is_deactivated}
    near = [words for locale, words in usable.items() if locale.partition("-")[0] == wanted.partition("-")[0]]
    return (usable.get(wanted) or next(iter(near), "") if wanted else "") or template.content


def filled(text: str, customer: EndUser | None, agent: Agent | None, conversation_id: int | None) -> str:
    """Put names and number into the placeholders (notes §17).

    Raises:
        Refused: One stays empty, since a customer must never read `{{…}}`; or what is put in makes an address,
            a host or a number, since the rule for outgoing text judged the words without it.
    """
    known = {
        "requester_firstname": _first_name(customer.first_name, customer.name) if customer else "",
        "agent_firstname": _first_name(agent.first_name, agent.name) if agent else "",
        "csid": str(conversation_id or ""),
    }
    done = fill(text, {name: value for name, value in known.items() if value})
    if left := [name for name in placeholders(text) if not known.get(name.casefold())]:
        shown = ", ".join(f"{{{{{line(name, 40)}}}}}" for name in left)
        raise Refused(
            "placeholder",
            f"Nothing is known to put in place of {shown}.",
            "Send the words as text, with the placeholder replaced. Known are: "
            f"{', '.join(name for name, value in known.items() if value)}.",
        )
    if {each.value for each in found(done)} - {each.value for each in found(text)}:
        raise Refused(
            "placeholder",
            "With the names put in, the text would lead somewhere that it doesn't name itself.",
            "Send the words as text, with the placeholders replaced.",
        )
    return outgoing(done)


def outgoing(text: str) -> str:
    """A text without hidden characters: a person sees all that is sent. Scripts and emoji keep their joiners."""
    parts = _JOINERS.split(text)
    parts[::2] = [visible(part) for part in parts[::2]]
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip()


def _first_name(first: str, whole: str) -> str:
    """What to call a person; nothing where the name holds what leads elsewhere: anybody may have written it."""
    name = line(first or whole.partition(" ")[0], 40)
    return name if _NAME.fullmatch(name) and not found(name) else ""


async def copies(dixa: Dixa, addresses: Sequence[str], channel: str) -> list[EndUser]:
    """Find the customers that get a copy: Dixa sends it to their main address, so only that one will do.

    Raises:
        InvalidArgument: The channel has no copies, or the address isn't somebody's main one.
        Unresolved: No customer has the address.
    """
    if addresses and channel not in MAILS:
        raise InvalidArgument(f"cc goes with e-mail only, and this is {channel}.")
    people: dict[str, EndUser] = {}
    for address in addresses:
        wanted = address.strip()
        if "@" not in wanted:
            raise InvalidArgument(f"cc takes e-mail addresses; {wanted[:60]!r} is none.")
        person = await _people.customer(dixa, wanted)
        if person.email.casefold() != wanted.casefold():
            raise InvalidArgument(f"Dixa would send the copy for {wanted} to {person.email}; name that address.")
        people[person.id] = person
    return list(people.values())


def files(urls: Sequence[str]) -> list[dict[str, Any]]:
    """Attachments as Dixa takes them; it fetches each address itself (notes §9).

    Raises:
        InvalidArgument: Not an https address.
    """
    for url in urls:
        if not (_URL.fullmatch(url) and urlsplit(url).hostname):
            raise InvalidArgument(f"attachments takes https addresses; {url[:80]!r} is none.")
    return [{"url": url} for url in urls]


def key(*parts: object) -> str:
    """An externalId that the same message always gets, so that Dixa itself refuses it twice (notes §9)."""
    said = "\n".join(" ".join(str(part).split()) for part in parts)
    return f"dixa-mcp-{sha256(said.encode()).hexdigest()[:32]}"


def is_taken(said: str) -> bool:
    """Whether Dixa's words mean that this externalId was used before."""
    return "externalid" in said.casefold().replace(" ", "")
