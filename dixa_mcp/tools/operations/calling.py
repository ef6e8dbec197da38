"""Any operation of Dixa by name: checked before it is sent, confirmed by a person unless it only reads."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.loose import fields, items
from dixa_mcp.client.paths import uuid
from dixa_mcp.client.wire import Reply, outcomes
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import LONGEST_QUESTION, Question, quoted
from dixa_mcp.operations import Operation
from dixa_mcp.render.raw import RawAnswer, RawChange, indented, redacted
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Aim, Effect, tool
from dixa_mcp.tools import _people
from dixa_mcp.tools._editions import edition, to_be_read
from dixa_mcp.tools._single import not_again, single
from dixa_mcp.tools._titles import titles
from dixa_mcp.tools.operations._requests import Request, ready
from dixa_mcp.tools.operations._twins import TWINS, UNFILTERED

PUBLISHES = frozenset({"publish_article", "publish_article_translation"})
"""What shows readers a draft, whose text the call itself doesn't hold."""
FOLLOWS = {
    Effect.INTERNAL: "Colleagues see it; customers don't.",
    Effect.CUSTOMER: "Somebody outside may notice: a customer, or the readers of the help centre.",
    Effect.EGRESS: "Data can leave the organisation.",
    Effect.IRREVERSIBLE: "This can't be undone.",
}

Name = Annotated[str, Field(description="Name or METHOD /path")]
Values = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Body = Annotated[Any, WithJsonSchema({"type": "object"})]


@tool(Effect.READ, always_ask=True, up_to=Effect.IRREVERSIBLE, touches="")
async def call_operation(
    call: Call,
    operation: Name,
    path: Values | None = None,
    query: Values | None = None,
    body: Body = None,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> RawAnswer | RawChange:
    """Call any Dixa operation that no other tool covers. A person confirms whatever isn't a read."""
    request = ready(operation, path, query, body)
    if request.effect is Effect.READ:
        return await _read(call.dixa, request, offset)
    if request.operation.method != "POST":
        return await _write(call, request)
    async with single(call, request.key):
        return await _write(call, request)


@call_operation.judges
async def _(
    call: Call, operation: str, path: Any = None, query: Any = None, body: Any = None, offset: int = 0
) -> Effect:
    """The operation's own effect, or a worse one that its body brings; never less than its tool would have."""
    request = ready(operation, path, query, body)
    name = request.operation.name
    if excluded := [twin for twin in TWINS.get(name, ()) if twin in call.settings.exclude_tools]:
        raise Refused("policy", f"{name} does what {excluded[0]} does, which is switched off here (--exclude-tools).")
    if call.settings.read_queues and name in UNFILTERED:
        raise Refused("queues", f"{name} shows conversations of all queues; only some may be read (--read-queues).")
    if name == "close_conversation" and call.settings.close_is_internal:
        return Effect.INTERNAL
    return request.effect


@call_operation.aims
def _(arguments: Mapping[str, Any]) -> Aim:
    request = ready(
        **{name: arguments.get(name) for name in ("path", "query", "body")}, operation=arguments["operation"]
    )
    effect = request.effect
    return Aim(
        request.conversations,
        tuple(_at(request.body, "queueId")),
        tuple(_at(request.body, "value"))
        if effect > Effect.INTERNAL and request.operation.tag == "Conversations"
        else (),
        1 if effect is Effect.READ else max(1, len(request.several)),
        str(fields(request.body).get("requesterId") or "") if request.operation.name == "create_conversation" else "",
    )


@call_operation.says
async def _(
    call: Call, operation: str, path: Any = None, query: Any = None, body: Any = None, offset: int = 0
) -> list[str]:
    """The drafts that a raw call would publish."""
    request = ready(operation, path, query, body)
    if request.operation.name not in PUBLISHES:
        return []
    found = await edition(call.dixa, request.path["articleId"])
    language = request.path.get("languageId", "")
    return to_be_read(found, [found.language(language)] if language else found.drafts)


@call_operation.leaves_to
async def _(
    call: Call, operation: str, path: Any = None, query: Any = None, body: Any = None, offset: int = 0
) -> list[str]:
    """The URLs of the body, and the addresses of a copy; ids of customers as their addresses.

    A change of a webhook that leaves its URL as it is lets data go there, unless it switches it off.
    """
    request = ready(operation, path, query, body)
    texts = [text for name in ("url", "avatarUrl") for text in _at(request.body, name)]
    given = fields(request.body)
    if request.operation.name == "update_webhook" and not given.get("url") and given.get("enabled") is not False:
        texts.append(str(fields(await call.dixa.get(request.at)).get("url", "")))
    copies = [text for name in ("cc", "bcc") for text in _at(request.body, name)]
    return texts + [each if "@" in each else (await _people.customer(call.dixa, uuid(each))).email for each in copies]


@call_operation.asks
async def _(
    call: Call, operation: str, path: Any = None, query: Any = None, body: Any = None, offset: int = 0
) -> Question:
    request = ready(operation, path, query, body)
    if request.operation.method == "POST":
        await not_again(call, request.key)
    names = await _names(call.dixa)
    lines = [
        f"Allow this call to Dixa? {request.operation.summary}",
        f"{request.operation.name}: {request.operation.method} {request.at}",
        *[
            f"{'' if name == 'force' else 'with '}{name}: {line(', '.join(values), 2000)}"
            for name, values in request.query.items()
        ],
        *[f"{value} is {names[value]}" for value in request.path.values() if value in names],
        *await titles(call.dixa, [await _people.conversation(call.dixa, each) for each in request.conversations[:3]]),
    ]
    if request.body:
        lines += ["", quoted("\n".join(_named(row, names) for row in indented(redacted(request.body)))), ""]
    lines += [f"File {line(each.name, 200)} ({each.media_type}, {len(each.data):,} bytes)" for each in request.pictures]
    lines.append(FOLLOWS[call.effect])
    text = "\n".join(lines)
    if len(text) > LONGEST_QUESTION:
        raise InvalidArgument("The body is too long for a person to read and agree to.", "Split it into several calls.")
    if call.effect is Effect.IRREVERSIBLE:
        return Question(f"{text} Type {request.final} to agree.", typed=request.final)
    return Question(text)


async def _read(dixa: Dixa, request: Request, offset: int) -> RawAnswer:
    found = request.operation
    query: dict[str, Any] = dict(request.query)
    if found.paged:
        key, limit = (request.query.get(name, [""])[0] for name in ("pageKey", "pageLimit"))
        asked = {name: values for name, values in query.items() if name not in {"pageKey", "pageLimit"}}
        page = await dixa.page(request.at, limit=int(limit or 0) or None, key=key or None, body=request.body, **asked)
        return RawAnswer(found.name, found.tag, page.items, page.next_key, offset)
    data = await (
        dixa.get(request.at, **query) if found.method == "GET" else dixa.ask(request.at, request.body, **query)
    )
    return RawAnswer(found.name, found.tag, data, offset=offset)


async def _write(call: Call, request: Request) -> RawChange:
    found = request.operation
    reply = await call.dixa.send(found.method, request.at, request.body, query=request.query, uploads=_uploads(request))
    change = RawChange(
        _said(found, reply),
        visible_to="outside"
        if call.effect is Effect.EGRESS
        else "customer"
        if call.effect is Effect.CUSTOMER
        else "colleagues",
        target=_target(request),
        cannot_undo=_undo(found),
        data=reply.data,
        tag=found.tag,
    )
    _judge_items(found, reply.data, change)
    change.warnings += reply.failed
    return change


def _uploads(request: Request) -> Any:
    if not request.pictures:
        return ()
    from dixa_mcp.client.link import Upload  # noqa: PLC0415 - loads httpx, which only a call pays for

    return [Upload(each.name, each.media_type, each.data) for each in request.pictures]


def _said(operation: Operation, reply: Reply) -> str:
    if reply.status == 202:
        return f"{operation.name} was accepted; Dixa carries it out later."
    return f"{operation.name} was done."


def _judge_items(operation: Operation, data: Any, change: RawChange) -> None:
    """Count what failed inside a call that succeeded as a whole (notes §4).

    Raises:
        DixaMcpError: Nothing of it was done.
    """
    if not any(str(fields(each).get("_type", "")).startswith("BulkAction") for each in items(data)):
        return
    judged = outcomes(data)
    failed = [f"{each.data or 'one'}: {each.error}" for each in judged if not each.ok]
    if len(failed) == len(judged):
        raise DixaMcpError(f"{operation.name} failed for each of {len(judged)}: {'; '.join(failed[:10])}")
    change.what = f"{operation.name}: done for {len(judged) - len(failed)} of {len(judged)}."
    change.warnings += [f"failed for {each}" for each in failed]
    change.data = [each.data for each in judged if each.ok]


def _target(request: Request) -> str:
    if request.conversations:
        return f"conversation {request.conversations[0]}"
    return f"{request.operation.method} {request.at}"


def _undo(operation: Operation) -> str:
    if not operation.undo:
        return "Dixa has no call that takes it back"
    note = f" ({operation.undo_note})" if operation.undo_note else ""
    return f"dixa_undo_change doesn't cover raw calls; {operation.undo} takes it back{note}"


def _at(body: Any, name: str) -> list[str]:
    """Collect the texts of every field of this name, however deep."""
    found = [text for each in items(body) for text in _at(each, name)]
    for key, value in fields(body).items():
        if key == name:
            found += [text for text in items(value) or [value] if isinstance(text, str)]
        else:
            found += _at(value, name)
    return found


async def _names(dixa: Dixa) -> dict[str, str]:
    """Names for the ids a person would otherwise have to know."""
    catalogue = dixa.catalogue
    try:
        lists = [
            await catalogue.agents(),
            await catalogue.queues(),
            await catalogue.teams(),
            await catalogue.tags(inactive=True),
        ]
    except DixaMcpError:
        return {}
    return {each.id: each.name for things in lists for each in things}


def _named(row: str, names: Mapping[str, str]) -> str:
    name = names.get(row.rpartition(" ")[2])
    return f"{row} ({name})" if name else row
