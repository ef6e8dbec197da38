"""End users and agents as records: checking, creating, patching, replacing (notes §15)."""

import re
from collections.abc import Collection

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.wire import NO_USER, Json, Refusal, failed, listed

E164 = re.compile(r"\+[1-9]\d{4,14}")
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LISTS = ("additionalEmails", "additionalPhoneNumbers", "middleNames")
ORDER = (
    "id", "createdAt", "displayName", "email", "phoneNumber", "additionalEmails", "additionalPhoneNumbers",
    "firstName", "lastName", "middleNames", "avatarUrl", "externalId", "roles", "customAttributes",
)  # fmt: skip
GIVEN = ORDER[2:12]
#: What is wrong with a patch that changes nothing.
EMPTY = "EmptyPatchSet"


def _empty_lists() -> Json:
    return {key: list[str]() for key in LISTS}


def fields_of(body: Json, without: Collection[str] = ()) -> Json:
    """Return the fields of a person that a body gives; null counts as not given (ours)."""
    return {key: body[key] for key in GIVEN if key not in without and body.get(key) is not None}


def failure(refusal: Refusal, person: str) -> Json:
    """Return a refused change of a person as a bulk item (notes §4, fixtures §5)."""
    if refusal.status == 404:
        return failed("NotFound", NO_USER, person)
    empty = refusal.message.endswith(f"[errors:{EMPTY}]")
    return failed(EMPTY if empty else "Validation", refusal.message, person)


def problems_with(org: Organisation, fields: Json, own: str = "") -> list[str]:
    """Return what is wrong with a person's details, in Dixa's short names; `own` is whose they are."""
    problems: list[str] = []
    emails = [fields[key] for key in ("email",) if key in fields] + listed(fields, "additionalEmails")
    phones = [fields[key] for key in ("phoneNumber",) if key in fields] + listed(fields, "additionalPhoneNumbers")
    if not all(ADDRESS.fullmatch(email) for email in emails):
        problems.append("InvalidEmail")
    if not all(E164.fullmatch(phone) for phone in phones):
        problems.append("InvalidPhoneNumber")
    others = [p for p in (*org.end_users.values(), *org.agents.values()) if p["id"] != own]
    if emails and any(same_email(other, email) for other in others for email in emails):
        problems.append("EmailExists")
    if phones and any(same_phone(other, phone) for other in others for phone in phones):
        problems.append("PhoneNumberExists")
    return problems


def same_email(person: Json, email: str) -> bool:
    """Whether an address is one of a person's; ours: whatever its case, additional ones too."""
    own = [address for address in (person.get("email"), *listed(person, "additionalEmails")) if address]
    return email.casefold() in (address.casefold() for address in own)


def same_phone(person: Json, phone: str) -> bool:
    """Whether a number is one of a person's, additional ones too."""
    return phone in (person.get("phoneNumber"), *listed(person, "additionalPhoneNumbers"))


def made(org: Organisation, fields: Json) -> Json:
    """Return a new person; empty lists are written out, absent fields aren't (notes §5)."""
    return in_order({"id": org.new_id(), "createdAt": org.now()} | _empty_lists() | _copied(org, fields))


def patched(org: Organisation, person: Json, fields: Json) -> Json:
    """Return a person with some fields changed."""
    return in_order(person | _copied(org, fields))


def replaced(org: Organisation, person: Json, fields: Json) -> Json:
    """Return a person with all changeable fields replaced; what is left out is cleared (notes §15)."""
    kept = {key: value for key, value in person.items() if key not in GIVEN}
    return in_order(kept | _empty_lists() | _copied(org, fields))


def in_order(person: Json) -> Json:
    """Return the fields in the order the document shows them."""
    return {key: person[key] for key in ORDER if key in person}


def _copied(org: Organisation, fields: Json) -> Json:
    """Return fields with the picture copied: answers show an address of Dixa's (notes §15)."""
    if "avatarUrl" not in fields or str(fields["avatarUrl"]).startswith("https://files.dixa.io/"):
        return fields
    org.files_stored += 1
    place = f"{org.details['subdomain']}_avatar_{1000 + org.files_stored}"
    return fields | {"avatarUrl": f"https://files.dixa.io/public/{place}"}
