"""Custom attributes by label: read for people, checked before they are written or searched for (notes §14)."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dixa_mcp.client.catalogue import Entity
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import AttributeValue
from dixa_mcp.client.paths import Path, at
from dixa_mcp.client.workspace import AttributeDefinition, AttributeOption
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused, Unresolved
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold, pick

STEP = " > "
"""Between a parent option and its child, as people write a path."""
HOW = "Write Label=value, Label=Parent > Child, or Label= to clear."


@dataclass(frozen=True, slots=True)
class Node:
    """An option of a select with the way to it from the top."""

    options: tuple[AttributeOption, ...]

    @property
    def label(self) -> str:
        """The labels from the parent down: `Delivery > Late`."""
        return STEP.join(option.label for option in self.options)

    @property
    def path(self) -> list[str]:
        """The values from the parent down, as Dixa takes them."""
        return [option.value for option in self.options]

    @property
    def is_active(self) -> bool:
        """Whether it can be chosen: neither it nor a parent is deactivated."""
        return not any(option.is_deactivated for option in self.options)


@dataclass(frozen=True, slots=True)
class Setting:
    """An attribute and what it is to be: text, a path of option values, or None for nothing."""

    attribute: AttributeDefinition
    value: str | list[str] | None
    shown: str
    """The value for people; empty for nothing."""


async def settings(dixa: Dixa, entity: Entity, given: Sequence[str]) -> list[Setting]:
    """Read `Label=value` texts and check each against the definitions.

    Raises:
        InvalidArgument: A text without `=`, or one attribute twice.
        Unresolved: No attribute, or no option, is called so.
        Refused: The attribute or the option is archived or deactivated.
    """
    found: dict[str, Setting] = {}
    for text in given:
        label, value = split(text)
        attribute = await usable(dixa, entity, label)
        if attribute.id in found:
            raise InvalidArgument(f"{attribute.label} is given twice.")
        found[attribute.id] = _setting(attribute, value)
    return list(found.values())


def split(text: str) -> tuple[str, str]:
    """Return label and value of `Label=value`."""
    label, sign, value = text.partition("=")
    if not (sign and label.strip()):
        raise InvalidArgument(f"{text[:80]!r} isn't an attribute with a value.", HOW)
    return label.strip(), value.strip()


async def usable(dixa: Dixa, entity: Entity, label: str) -> AttributeDefinition:
    """Find an attribute that can be set; one that was archived is named as such instead of as unknown."""
    try:
        return await dixa.catalogue.find("attribute", label, entity=entity)
    except Unresolved:
        for attribute in await dixa.catalogue.attributes(entity):
            if fold(label) in {fold(attribute.label), fold(attribute.identifier)} and not attribute.is_usable:
                state = "archived" if attribute.is_archived else "deactivated"
                raise Refused("attribute_state", f"The attribute {attribute.label} is {state}.") from None
        raise


def _setting(attribute: AttributeDefinition, value: str) -> Setting:
    if not value:
        return Setting(attribute, None, "")
    if attribute.input_definition.kind != "Select":
        return Setting(attribute, value, value)
    node = option(attribute, value)
    return Setting(attribute, node.path, node.label)


def option(attribute: AttributeDefinition, text: str, *, inactive: bool = False) -> Node:
    """Find the option that a label, a path of labels, or their values name.

    Raises:
        Unresolved: Nothing, or several options, fit; with the ways to them.
        Refused: It is deactivated, and `inactive` isn't wanted.
    """
    nodes = list(_nodes(attribute.input_definition.options, ()))
    usable_ones = nodes if inactive else [node for node in nodes if node.is_active]
    wanted = fold(text)
    # A whole path is meant before the last part of another: "Other" before "Delivery > Other".
    whole = [node for node in usable_ones if wanted in {fold(node.label), fold(STEP.join(node.path))}]
    match = pick(text, whole or usable_ones, _names)
    if match.one is not None:
        return match.one
    if not match.several and any(wanted in map(fold, _names(node)) for node in nodes):
        raise Refused("attribute_state", f"The option {text} of {attribute.label} is deactivated.")
    near = match.several or (usable_ones if len(usable_ones) <= 12 else match.nearest)
    raise Unresolved(f"option of {attribute.label}", text, [node.label for node in near], ambiguous=bool(match.several))


def labels(attribute: AttributeDefinition) -> list[str]:
    """What the options of a select are called, with and without the way to them."""
    return [name for node in _nodes(attribute.input_definition.options, ()) for name in _names(node)]


def _nodes(options: Iterable[AttributeOption], above: tuple[AttributeOption, ...]) -> Iterator[Node]:
    for each in options:
        yield Node((*above, each))
        yield from _nodes(each.nested_options, (*above, each))


def _names(node: Node) -> tuple[str, ...]:
    return (node.label, node.options[-1].label, STEP.join(node.path), node.options[-1].value)


def shown(attribute: AttributeDefinition | None, value: AttributeValue) -> str:
    """A value for people: the labels of its options, or the text; values where the definition isn't known."""
    options = attribute.input_definition.options if attribute else ()
    labels: list[str] = []
    for step in value.path:
        here = next((each for each in options if each.value == step), None)
        labels.append(here.label if here else step)
        options = here.nested_options if here else ()
    return STEP.join(labels)


async def definitions(dixa: Dixa) -> Sequence[AttributeDefinition]:
    """All definitions, for labels; empty where they can't be read, since labels are a courtesy."""
    try:
        return await dixa.catalogue.attributes()
    except DixaMcpError:
        return ()


async def labelled(dixa: Dixa, values: Iterable[AttributeValue]) -> dict[str, str]:
    """What is set, label → value for people, each as one clean line; the wire's words if definitions are missing."""
    known = {attribute.id: attribute for attribute in await definitions(dixa)}
    return {
        line((known[value.id].label if value.id in known else value.name) or value.identifier, 60): line(
            shown(known.get(value.id), value), 300
        )
        for value in values
        if value.path
    }


@dataclass(frozen=True, slots=True)
class Edit:
    """What a set of settings would change of the values that are there."""

    before: Mapping[str, AttributeValue]
    """Present values by attribute id."""
    changed: tuple[Setting, ...]

    @property
    def body(self) -> dict[str, Any]:
        """Attribute id → value, as Dixa's PATCH takes it; null clears (notes §14)."""
        return {each.attribute.id: each.value for each in self.changed}

    @property
    def was(self) -> dict[str, str]:
        """Label → former value for people."""
        return {each.attribute.label: self._former(each) for each in self.changed}

    @property
    def is_now(self) -> dict[str, str]:
        """Label → new value for people."""
        return {each.attribute.label: each.shown for each in self.changed}

    @property
    def inverse(self) -> list[str]:
        """The `Label=value` texts that bring the former values back, as far as they can still be chosen."""
        return [f"{each.attribute.identifier or each.attribute.id}={self._former(each)}" for each in self._restorable]

    @property
    def lost(self) -> str:
        """What an undo can't bring back; empty if nothing."""
        gone = [each for each in self.changed if each not in self._restorable]
        return ", ".join(f"{each.attribute.label} was {self._former(each)}, which is deactivated" for each in gone)

    @property
    def _restorable(self) -> list[Setting]:
        return [each for each in self.changed if self._can_return(each)]

    def _can_return(self, each: Setting) -> bool:
        former = self._former(each)
        if not former or each.attribute.input_definition.kind != "Select":
            return True
        try:
            return option(each.attribute, former).path == self.before[each.attribute.id].path
        except DixaMcpError:
            return False

    def _former(self, each: Setting) -> str:
        value = self.before.get(each.attribute.id)
        return shown(each.attribute, value) if value else ""


def edit(present: Iterable[AttributeValue], wanted: Iterable[Setting]) -> Edit:
    """Compare what is wanted with what is there; equal values aren't written again."""
    before = {value.id: value for value in present}

    def differs(each: Setting) -> bool:
        former = before[each.attribute.id].path if each.attribute.id in before else []
        given = each.value if isinstance(each.value, list) else [] if each.value is None else [each.value]
        return former != given

    return Edit(before, tuple(each for each in wanted if differs(each)))


def path_of(entity: Entity, target: object) -> Path:
    """Where the attributes of a conversation or contact are written."""
    if entity == "Conversation":
        return at("/conversations/{id}/custom-attributes", id=target)
    return at("/endusers/{id}/custom-attributes", id=target)


def listed(values: Mapping[str, str]) -> str:
    """Labels and values in one line, for before and after."""
    return "; ".join(f"{label}: {line(value, 120) or 'none'}" for label, value in values.items())


def wrote(change: Edit) -> dict[str, str | None]:
    """What an edit leaves behind, in the form of `labelled`, for the check before an undo."""
    return {line(label, 60): line(value, 300) or None for label, value in change.is_now.items()}


async def write(
    dixa: Dixa, path: Path, change: Edit, read_again: Callable[[], Awaitable[Iterable[AttributeValue]]]
) -> None:
    """Send an edit; when its answer is lost, read the attributes again and see whether it was made.

    Raises:
        DixaMcpError: It wasn't made, or nobody can tell; `changed` of the error says which.
    """
    try:
        await dixa.send("PATCH", path, change.body)
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        try:
            present = await read_again()
        except DixaMcpError as unclear:
            raise error from unclear
        if edit(present, change.changed).changed:
            error.changed = False
            raise
