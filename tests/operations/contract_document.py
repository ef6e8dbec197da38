"""Dixa's OpenAPI document and our table, each brought into the same plain form, so that they can be compared.

A form is made of dicts: {"scalar"}, {"words"}, {"list", "least", "most"}, {"map", "of"}, {"object", "tag"} whose
fields carry "required", and {"either"}. The document is amended first where the notes know better; each
amendment names its source. Anything else that differs is a mistake of ours, or news from Dixa.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from dixa_mcp.operations import shapes

Form = dict[str, Any]

_OURS = {
    "id": "string", "digits": "string", "email": "string", "phone": "string", "url": "string",
    "csid": "int64", "ms": "int64", "int": "int32",
}  # fmt: skip
_LISTED = re.compile(r"(?:Possible|Allowed) values: \[([^\]]+)\]")


def words(*each: str) -> Form:
    return {"words": sorted(each)}


def bounded(low: int, high: int) -> Callable[[Form], None]:
    def amend(form: Form) -> None:
        form["object"]["value"]["form"] = {"scalar": "int32", "low": low, "high": high}

    return amend


def field(name: str, changed: Form | None = None, *, required: bool | None = None) -> Callable[[Form], None]:
    def amend(form: Form) -> None:
        target = form["object"].setdefault(name, {"required": False})
        if changed is not None:
            target["form"] = changed
        if required is not None:
            target["required"] = required

    return amend


def optional_object(**fields: Form) -> Form:
    return {"object": {name: {"required": False, "form": form} for name, form in fields.items()}, "tag": ""}


def at_most(name: str, most: int) -> Callable[[Form], None]:
    def amend(form: Form) -> None:
        form["object"][name]["form"]["most"] = most

    return amend


def untagged_import(form: Form) -> None:
    form["tag"] = ""
    form["object"]["_type"] = {"required": False, "form": words("GenericConversationImport")}


def preset(form: Form) -> None:
    listed = form["object"]["value"]["form"]
    wrapped = {"object": {"_type": {"required": True, "form": listed}}, "tag": ""}
    form["object"]["value"]["form"] = either([wrapped, listed])


def attribute_values(form: Form) -> None:
    form["map"] = {"scalar": "uuid"}
    form["of"] = either([*form["of"]["either"], {"scalar": "null"}])


STRING: Form = {"scalar": "string"}
STRINGS: Form = {"list": STRING, "least": 0, "most": None}
IMPORTED_MAIL = optional_object(emailIntegrationId=STRING, cc=STRINGS, bcc=STRINGS, requesterId={"scalar": "uuid"})

#: Schema → what the notes know better, with the section that says so.
AMENDMENTS: dict[str, list[Callable[[Form], None]]] = {
    # §8, §26: told apart by csidFilter and periodFilter, so each must be there
    "GetMetricDataInputCsidFilter": [field("csidFilter", required=True)],
    "GetMetricRecordsDataInputCsidFilter": [field("csidFilter", required=True)],
    # §8: doubly wrapped in every example
    "Preset": [preset],
    # §14: keys are ids of attributes, null clears
    "Map_UUID_Option_AttributeValue": [attribute_values],
    # §8, §10: _type is sent but no union; two channels; what the dynamic attributes may hold
    "GenericConversationImport": [
        untagged_import,
        field("genericChannelName", words("email", "genericapimessaging")),
        field("attributes", optional_object(emailIntegrationId=STRING, subject=STRING)),
    ],
    "InboundImport": [field("attributes", IMPORTED_MAIL)],
    "OutboundImport": [field("attributes", IMPORTED_MAIL)],
    # §16: the scales
    "Csat": [bounded(1, 5)],
    "Nps": [bounded(0, 10)],
    "ThumbsUpOrDown": [bounded(0, 1)],
    "CreateRatingOfferInput": [field("ratingType", words("Csat", "Nps", "ThumbsUpOrDown"))],
    # §17, §18: written down in prose
    "BulkQueueEndpointInput": [at_most("agentIds", 10)],
    "UploadAttachmentsInput": [at_most("files", 5)],
}


class Contract:
    """The document, read as forms."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schemas: dict[str, Any] = document["components"]["schemas"]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield method, path without /v1, and the operation object."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path.removeprefix("/v1"), operation

    def body(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of the request body, {} if there is none."""
        for content in operation.get("requestBody", {}).get("content", {}).values():
            return content["schema"]
        return {}

    def examples(self, operation: dict[str, Any]) -> list[Any]:
        """Return the example bodies of a request."""
        found: list[Any] = []
        for content in operation.get("requestBody", {}).get("content", {}).values():
            found += [content["example"]] if "example" in content else []
            found += [example["value"] for example in content.get("examples", {}).values()]
        return found

    def form(self, schema: dict[str, Any]) -> Form:
        """Return the form of a schema, amended by the notes."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            form = self.form(self.schemas[name])
            for amend in AMENDMENTS.get(name, ()):
                amend(form)
            return form
        if schema.get("x-wire-shape") == "string":
            return words(*schema["x-values"])
        if "oneOf" in schema:
            return either([self.form(member) for member in schema["oneOf"]])
        if schema.get("type") == "array":
            # The list of a list's words stands on the list, on its items, or on both.
            listed = {"x-values": schema["x-values"]} if "x-values" in schema else {}
            item = self.form(schema["items"] | listed)
            return {"list": item, "least": schema.get("minItems", 0), "most": schema.get("maxItems")}
        return self._object(schema) if schema.get("type") == "object" else _plain(schema)

    def _object(self, schema: dict[str, Any]) -> Form:
        if isinstance(inside := schema.get("additionalProperties"), dict):
            keys = words(*schema["x-values"]) if "x-values" in schema else STRING
            return {"map": keys, "of": self.form(inside)}
        required = schema.get("required", [])
        fields = {
            name: {"required": name in required, "form": self.form(each)}
            for name, each in schema.get("properties", {}).items()
        }
        return {"object": fields, "tag": schema.get("x-wire-type", "")}

    def parameters(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the parameters as the fields of our `Parameter`, prose included."""
        return [_parameter(each) for each in operation.get("parameters", [])]


def _plain(schema: dict[str, Any]) -> Form:
    if schema.get("type") == "string" and (listed := schema.get("x-values") or schema.get("enum")):
        return words(*listed)
    kind = schema.get("format") or schema.get("type", "any")
    return {"scalar": {"date-time": "datetime", "binary": "file", "boolean": "bool"}.get(kind, kind)}


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    prose = parameter.get("description", "")
    kind = {"int64": "csid", "uuid": "uuid", "date-time": "datetime", "int32": "int"}.get(schema.get("format"))
    listed = _LISTED.search(prose)
    values = listed[1].split(", ") if listed else schema.get("enum", [])
    said = re.search(r"the default channel is (\w+)", prose)
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "type": kind or {"boolean": "bool"}.get(schema["type"], schema["type"]),
        "required": parameter["required"],
        "default": said[1] if said else schema.get("default"),
        "values": tuple(sorted(values)),
        "minimum": schema.get("minimum", schema.get("minLength")),
        "maximum": schema.get("maximum"),
    }


def either(forms: list[Form]) -> Form:
    """Return a union in an order that doesn't depend on how it was written down."""
    return forms[0] if len(forms) == 1 else {"either": sorted(forms, key=repr)}


def our_form(shape: shapes.Shape) -> Form:
    """Return the form of one of our shapes."""
    match shape:
        case shapes.Scalar(kind, low, high):
            form: Form = {"scalar": _OURS.get(kind, kind)}
            return form if low is None else form | {"low": low, "high": high}
        case shapes.Word(text):
            return words(text)
        case shapes.Items(item, low, high):
            return {"list": our_form(item), "least": low, "most": high}
        case shapes.Entries(key, value):
            return {"map": our_form(key), "of": our_form(value)}
        case shapes.Fields(fields, tag):
            inside = {name: {"required": each.required, "form": our_form(each.shape)} for name, each in fields.items()}
            return {"object": inside, "tag": tag}
        case shapes.Union(arms):
            listed = [arm.text for arm in arms if isinstance(arm, shapes.Word)]
            others = [our_form(arm) for arm in arms if not isinstance(arm, shapes.Word)]
            return either([*others, *([words(*listed)] if listed else [])])


def sorted_fields(form: Any) -> Any:
    """Return the same form with its fields in one order, for `repr` and comparison."""
    if isinstance(form, dict):
        made = {name: sorted_fields(form[name]) for name in sorted(form)}
        if "either" in made:
            made["either"] = sorted(made["either"], key=repr)
        return made
    if isinstance(form, list):
        return [sorted_fields(each) for each in form]
    return form
