"""What is known of a customer: the fields our tools take, checked and compared."""

from collections.abc import Mapping

from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import InvalidArgument
from dixa_mcp.text import contacts
from dixa_mcp.text.clean import line
from dixa_mcp.text.contacts import LONGEST_ADDRESS

FIELDS: Mapping[str, str] = {
    "name": "displayName",
    "email": "email",
    "phone": "phoneNumber",
    "external_id": "externalId",
    "first_name": "firstName",
    "last_name": "lastName",
}
"""Our argument → Dixa's field (notes §15)."""
WORDS: Mapping[str, str] = {"email": "e-mail", "external_id": "external id"}
"""Our argument → what a person calls it, where that differs."""


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """The fields that were given, each as Dixa takes it: a number in E.164, an address without spaces around it.

    Raises:
        InvalidArgument: Something is no e-mail address or no telephone number.
    """
    found = {name: text.strip() for name, text in given.items() if text.strip()}
    if "email" in found and [each.value for each in contacts.emails(found["email"])] != [found["email"].casefold()]:
        raise InvalidArgument(f"{line(found['email'], 60)!r} is no e-mail address.")
    if "phone" in found:
        number = contacts.phone(found["phone"])
        if number is None:
            raise InvalidArgument(
                f"{line(found['phone'], 40)!r} is no telephone number.", "Give it with its country code: +4670…"
            )
        found["phone"] = number
    return found


def present(person: EndUser, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a customer's fields hold now, by our names; all, or the named ones."""
    held = {
        "name": person.display_name,
        "email": person.email,
        "phone": person.phone_number,
        "external_id": person.external_id,
        "first_name": person.first_name,
        "last_name": person.last_name,
    }
    return held if names is None else {name: held[name] for name in names}


def same(name: str, one: str, other: str) -> bool:
    """Whether two values of a field are one: e-mails whatever their case."""
    return one.casefold() == other.casefold() if name == "email" else one == other


def listed(values: Mapping[str, str]) -> str:
    """Fields and values in one line, for before and after."""
    return "; ".join(f"{word(name)}: {shown(name, value) or 'none'}" for name, value in values.items())


def shown(name: str, value: str) -> str:
    """A field's value in one line; an address to its very end, since its end says whose it is."""
    return line(value, LONGEST_ADDRESS if name == "email" else 80)


def word(name: str) -> str:
    """What a person calls a field."""
    return WORDS.get(name, name.replace("_", " "))
