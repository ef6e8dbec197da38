"""Making and changing customers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.models import AttributeValue
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change, Effect, Raise, Undo, tool
from dixa_mcp.tools import _attributes, _details, _people
from dixa_mcp.tools._params import Customer

JUST_MADE = timedelta(minutes=10)
"""A customer no older than this was made by the call whose answer was lost, or by its twin."""
REACH: Mapping[str, Literal["email", "phone", "externalId"]] = {
    "email": "email",
    "phone": "phone",
    "external_id": "externalId",
}
"""What two customers can't share → Dixa's filter for it."""
Attributes = Annotated[list[str], Field(max_length=20, description="Label=value, Label=Parent > Child, Label= clears")]


@tool(Effect.INTERNAL, once=("email", "phone", "external_id"), touches="")
async def create_customer(
    call: Call, name: str = "", email: str = "", phone: str = "", external_id: str = ""
) -> Change:
    """Create a customer, or return the one who has this e-mail, phone or external id. Nobody is written to."""
    fields = _wanted(name, email, phone, external_id)
    body = {_details.FIELDS[field]: value for field, value in fields.items()}
    made = read(EndUser, (await call.dixa.send("POST", at("/endusers"), body)).data)
    return _made(made, _details.listed(fields))


@create_customer.finds
async def _(call: Call, name: str = "", email: str = "", phone: str = "", external_id: str = "") -> Change | None:
    fields = _wanted(name, email, phone, external_id)
    found = {
        person.id: person
        for field, theirs in REACH.items()
        if field in fields
        for person in await _people.customers(call.dixa, theirs, fields[field])
    }
    if len(found) > 1:
        people = "; ".join(f"{line(person.name, 60)} ({person.id})" for person in found.values())
        raise Refused("exists", f"Several customers have these details: {people}.", "Use one of them by id.")
    person = next(iter(found.values()), None)
    if person is None:
        return None
    now = _details.present(person)
    if person.created_at and await call.now() - person.created_at < JUST_MADE:
        return _made(person, _details.listed({field: value for field, value in now.items() if value}))
    other = [
        f"{_details.word(field)} is {_details.shown(field, now[field]) or 'not set'}, "
        f"not {_details.shown(field, value)}"
        for field, value in fields.items()
        if not _details.same(field, now[field], value)
    ]
    return Change(
        f"{line(person.name, 60)} is a customer already; id {person.id}.",
        visible_to="nobody",
        warnings=[f"{each} (dixa_update_customer changes it)" for each in other],
    )


def _wanted(name: str, email: str, phone: str, external_id: str) -> dict[str, str]:
    fields = _details.checked({"name": name, "email": email, "phone": phone, "external_id": external_id})
    if not fields.keys() & REACH.keys():
        raise InvalidArgument("Give an e-mail, phone or external id, so that the customer can be found again.")
    return fields


def _made(person: EndUser, fields: str) -> Change:
    return Change(
        f"Customer {line(person.name, 60)} created; id {person.id}.",
        visible_to="colleagues",
        target=f"customer {person.id}",
        after=fields,
        cannot_undo="Dixa can't delete a customer, only anonymise",
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an update would change of a customer."""

    person: EndUser
    fields: dict[str, str]
    """New values by our names; only what differs."""
    edit: _attributes.Edit

    @property
    def before(self) -> str:
        """Former values for people."""
        return _both(_details.listed(_details.present(self.person, self.fields)), _attributes.listed(self.edit.was))

    @property
    def after(self) -> str:
        """New values for people."""
        return _both(_details.listed(self.fields), _attributes.listed(self.edit.is_now))


@tool(
    Effect.INTERNAL,
    raised=(Raise("email", Effect.CUSTOMER), Raise("phone", Effect.CUSTOMER)),
    touches="",
    idempotent=True,
)
async def update_customer(
    call: Call,
    customer: Customer,
    name: str = "",
    email: str = "",
    phone: str = "",
    external_id: str = "",
    first_name: str = "",
    last_name: str = "",
    attributes: Attributes | None = None,
) -> Change:
    """Change a customer's details or attributes; what isn't given stays. A new e-mail or phone needs a person's yes."""
    plan = await _plan(call, customer, name, email, phone, external_id, first_name, last_name, attributes)
    person = plan.person
    if not (plan.fields or plan.edit.changed):
        return Change(f"{line(person.name, 60)} has these details already.", visible_to="nobody")
    done = plan
    warnings: list[str] = []
    if plan.fields:
        await _patch(call, person.id, plan.fields)
    if plan.edit.changed:
        try:
            await _attributes.write(
                call.dixa, _attributes.path_of("Contact", person.id), plan.edit, _again(call, person)
            )
        except DixaMcpError as error:
            if not plan.fields:
                raise
            done = Plan(person, plan.fields, _attributes.edit((), ()))
            word = "may not have been" if error.changed is None else "were not"
            warnings.append(f"The details were changed, but the attributes {word}: {error.what}")
    return _changed(done, warnings)


@update_customer.asks
async def _(
    call: Call,
    customer: str,
    name: str = "",
    email: str = "",
    phone: str = "",
    external_id: str = "",
    first_name: str = "",
    last_name: str = "",
    attributes: list[str] | None = None,
) -> Question:
    plan = await _plan(call, customer, name, email, phone, external_id, first_name, last_name, attributes)
    person = plan.person
    reach = next((each for each in (person.email, person.phone_number) if each), "")
    lines = [
        f"Change the details of the customer {_people.reached(person.name, reach)}?",
        f"Now: {plan.before or 'nothing changes'}",
        f"Then: {plan.after or 'nothing changes'}",
    ]
    if plan.fields.keys() & {"email", "phone"}:
        lines.append("Colleagues' answers will go to the new e-mail or number from then on.")
    return Question("\n".join(lines))


async def _plan(
    call: Call,
    customer: str,
    name: str,
    email: str,
    phone: str,
    external_id: str,
    first_name: str,
    last_name: str,
    attributes: list[str] | None,
) -> Plan:
    """Compare what is asked for with what is there.

    Raises:
        InvalidArgument: Nothing is asked for, or a value can't be used.
        Refused: The customer was anonymised, or an attribute can't be set.
    """
    given = {"name": name, "email": email, "phone": phone, "external_id": external_id}
    fields = _details.checked(given | {"first_name": first_name, "last_name": last_name})
    if not (fields or attributes):
        raise InvalidArgument("Name something to change.")
    wanted = await _attributes.settings(call.dixa, "Contact", attributes or ())
    person = await _people.customer(call.dixa, customer)
    if person.anonymized_at:
        raise Refused("state", "This customer was anonymised; nothing can be changed.")
    now = _details.present(person)
    differing = {field: value for field, value in fields.items() if now[field] != value}
    return Plan(person, differing, _attributes.edit(person.custom_attributes, wanted))


async def _patch(call: Call, person_id: str, fields: Mapping[str, str]) -> None:
    """Send what differs; when the answer is lost, read the customer again and see.

    Raises:
        DixaMcpError: It wasn't done, or nobody can tell; `changed` of the error says which.
    """
    body: dict[str, Any] = {_details.FIELDS[field]: value for field, value in fields.items()}
    try:
        await call.dixa.send("PATCH", at("/endusers/{id}", id=person_id), body)
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        try:
            now = _details.present(await _people.customer(call.dixa, person_id))
        except DixaMcpError as unclear:
            raise error from unclear
        if any(now[field] != value for field, value in fields.items()):
            error.changed = False
            raise


def _again(call: Call, person: EndUser) -> Any:
    async def read_again() -> Iterable[AttributeValue]:
        return (await _people.customer(call.dixa, person.id)).custom_attributes

    return read_again


def _changed(plan: Plan, warnings: list[str]) -> Change:
    person = plan.person
    former = {field: value for field, value in _details.present(person, plan.fields).items() if value}
    # A field that was empty can't be emptied again: PATCH takes no null here (notes §15).
    stays = [_details.word(field) for field in plan.fields if field not in former]
    lost = _both(f"{', '.join(stays)} can't be emptied again" if stays else "", plan.edit.lost)
    arguments: dict[str, Any] = {"customer": person.id, **former}
    if plan.edit.inverse:
        arguments["attributes"] = plan.edit.inverse
    wrote: dict[str, Any] = {}
    if former:
        wrote["customer"] = {field: plan.fields[field] for field in former}
    if plan.edit.inverse:
        wrote["attributes"] = _attributes.wrote(plan.edit)
    reach = " Answers go to the new e-mail or number from now on." if plan.fields.keys() & {"email", "phone"} else ""
    return Change(
        f"Customer {line(person.name, 60)} changed.{reach}",
        visible_to="colleagues",
        target=f"customer {person.id}",
        before=plan.before,
        after=plan.after,
        undo=Undo("dixa_update_customer", arguments, wrote) if wrote else None,
        cannot_undo=lost,
        warnings=warnings,
    )


def _both(one: str, other: str) -> str:
    return "; ".join(part for part in (one, other) if part)
