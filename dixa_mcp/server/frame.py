"""The frame around every call: arguments, judgement, question, judgement again, run, render, explain.

It lives in `Tool.run` of our subclass, since an exception raised inside an SDK resolver would otherwise
reach the model without its text.
"""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf
from typing import Annotated, Any

import anyio
from mcp import MCPError
from mcp.server.apps import client_supports_apps
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import Field, PrivateAttr, ValidationError

from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused, StateUnavailable, explain
from dixa_mcp.guardrails import Guardrails
from dixa_mcp.guardrails.budget import read_records
from dixa_mcp.guardrails.call import Call, Caller
from dixa_mcp.guardrails.consent import Declined, Question
from dixa_mcp.guardrails.personal import Personal
from dixa_mcp.server.apps import app_of
from dixa_mcp.server.asking import NotAsked, TypedYes, Yes, answer_of, can_ask
from dixa_mcp.server.notices import touched, watch
from dixa_mcp.server.present import present
from dixa_mcp.server.schema import schema_of
from dixa_mcp.settings import Settings
from dixa_mcp.state import State
from dixa_mcp.text.fence import Fence, defuse
from dixa_mcp.toolbox import Change, Effect, Tool

_UNREAD = FuncMetadata(arg_model=ArgModelBase)
"""Stands where the SDK keeps the model of a tool's arguments; `Framed.sdk` has the real one."""

TOKEN = "confirmation_token"  # noqa: S105 - the name of an argument


@dataclass(frozen=True, slots=True)
class Tenant:
    """What one caller's calls run against."""

    dixa: Dixa
    caller: Caller
    settings: Settings
    state: State
    guardrails: Guardrails
    personal: Personal | None = None
    """Set where personal data is shown as tokens only."""
    watch: Callable[[str, Effect, str], None] = lambda tool, effect, outcome: None
    """Told of every call that ended: its tool, its effect, and what came of it."""


Tenants = Callable[[], Tenant]
"""Whose request this is: always the same tenant on stdio, by credentials over HTTP."""


@dataclass(slots=True)
class _Round:
    """One request of a call. On protocol 2026-07-28 a call that asks takes two."""

    call: Call
    guardrails: Guardrails
    waiting: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    question: Question | None = None
    earlier: Change | None = None
    """The result of the same call made before: nobody is asked about it again."""

    async def ask(self, context: Context[Any]) -> Elicit[Any] | NotAsked:
        with deadline(self.call.settings.deadline):
            await self.guardrails.admit(self.call)
            if await self.guardrails.needs_person(self.call):
                self.earlier = await self.guardrails.earlier(self.call)
                if self.earlier is None:
                    self.question = await self.guardrails.question(self.call)
        if self.question is None or not can_ask(context):
            return NotAsked()
        self.waiting.deadline = anyio.current_time() + self.call.settings.answer_within
        return Elicit(self.question.text, TypedYes if self.question.typed else Yes)

    async def read(self) -> CallToolResult:
        with deadline(self.call.settings.deadline):
            return await self._act(None)

    async def answer(self, outcome: Any) -> CallToolResult:
        self.waiting.deadline = inf
        if self.earlier is not None:
            return await present(self.call, self.earlier)
        self.call.forget()
        writes = self.call.effect > Effect.READ
        # A write that has begun is finished and recorded even when the caller goes away.
        with anyio.CancelScope(shield=writes), deadline(self.call.settings.deadline):
            return await self._act(outcome)
        raise AssertionError("nobody cancels this scope itself")

    async def _act(self, outcome: Any) -> CallToolResult:
        result = await self.guardrails.run(self.call, self.question, answer_of(outcome))
        return await present(self.call, result)


_round: ContextVar[_Round] = ContextVar("round")


async def _ask(context: Context[Any]) -> Any:
    return await _round.get().ask(context)


_Consent = Annotated[ElicitationResult[Yes | TypedYes], Resolve(_ask)]
"""Filled by a resolver, so it is no argument and the model can't supply it."""


class Framed(SdkTool):
    """A tool of ours as the SDK calls it."""

    _ours: Tool = PrivateAttr()
    _tenants: Tenants = PrivateAttr()
    _with_token: bool = PrivateAttr()

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Run one request of a call; expected failures come back as text the model can use."""
        tenant, effect, outcome = self._tenants(), self._ours.effect, "failed"
        round_: _Round | None = None
        try:
            round_ = _Round(*await self._begin(tenant, arguments, context))
            _round.set(round_)
            if self._ours.only_reads:
                result = await self._unasked(round_)
                outcome = "done"
                return result
            watch()
            with round_.waiting:
                try:
                    result = await self._through_sdk(arguments, context, convert_result)
                finally:
                    effect = round_.call.effect
                    await _tell(context)
                outcome = "asked" if isinstance(result, InputRequiredResult) else "done"
                return result
            outcome = "unanswered"
            return _plain("Nobody answered in time; nothing was done. Don't repeat it unless the user asks for it.")
        except Declined as declined:
            outcome = "declined"
            return _plain(explain(declined))
        except DixaMcpError as error:
            outcome = "refused" if isinstance(error, Refused | StateUnavailable) else "failed"
            text = defuse(explain(error)) + (await _heard(round_.call, error.heard) if round_ else "")
            raise ToolError(await tenant.personal.hide(text) if tenant.personal else text) from error
        finally:
            tenant.watch(self.name, effect, outcome)

    def belongs_to(self, tool: Tool, tenants: Tenants, *, with_token: bool) -> None:
        """Tell what it runs and for whom; pydantic keeps private attributes out of the constructor."""
        self._ours = tool
        self._tenants = tenants
        self._with_token = with_token

    @property
    def sdk(self) -> SdkTool:
        """The SDK's own tool behind this one."""
        return _through_sdk(self._ours, with_token=self._with_token)

    async def _begin(
        self, tenant: Tenant, arguments: dict[str, Any], context: Context[Any, Any]
    ) -> tuple[Call, Guardrails]:
        given = self._validated(arguments)
        if tenant.personal:
            given = await tenant.personal.show(given)
        token = str(given.pop(TOKEN, ""))

        async def progress(done: float, total: float | None, message: str) -> None:
            await context.report_progress(done, total, message)

        call = Call(
            tool=self._ours,
            arguments=given,
            dixa=tenant.dixa,
            caller=replace(tenant.caller, client=_client(context)),
            settings=tenant.settings,
            state=tenant.state,
            personal=tenant.personal,
            progress=progress,
            shows_charts=client_supports_apps(context),
            token=token,
        )
        return call, tenant.guardrails

    def _validated(self, arguments: dict[str, Any]) -> dict[str, Any]:
        known = self.parameters["properties"]
        if unknown := [name for name in arguments if name not in known]:
            takes = f"It takes: {', '.join(known)}." if known else "It takes no arguments."
            raise InvalidArgument(f"{self.name} has no argument {', '.join(map(repr, unknown))}.", takes)
        try:
            return self.sdk.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)]
            raise InvalidArgument(f"{self.name} can't use these arguments: {'; '.join(wrong)}.") from error

    async def _unasked(self, round_: _Round) -> CallToolResult:
        """Run a call that can only read, so that there is nothing for the SDK to resolve: a third less to do."""
        try:
            return await round_.read()
        except (DixaMcpError, MCPError):
            raise
        except Exception as crash:
            # As the SDK does, so that nothing of it reaches the model.
            raise UnexpectedToolError(f"Error executing tool {self.name}") from crash

    async def _through_sdk(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool) -> Any:
        """Let the SDK resolve the question; put back the text it withholds from the model."""
        try:
            return await self.sdk.run(arguments, context, convert_result)
        except ToolError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, DixaMcpError):
                cause = cause.__cause__
            if cause is not None:
                raise cause from None
            if _round.get().call.began:
                raise ToolError(
                    f"{self.name} failed by a fault of this server after it began to write. It is not known whether "
                    "the change was made. Look before you repeat it."
                ) from error
            raise


def bind(tool: Tool, tenants: Tenants, settings: Settings) -> Framed:
    """Make the tool of one server from ours."""
    with_token = settings.no_elicitation == "two-step" and tool.two_steps
    framed = Framed(
        fn=tool.run,
        name=tool.name,
        title=None,
        description=tool.description,
        parameters=_schema(tool, with_token=with_token),
        fn_metadata=_UNREAD,
        is_async=True,
        context_kwarg=None,
        annotations=annotations(tool),
        meta=app_of(tool.name),
    )
    framed.belongs_to(tool, tenants, with_token=with_token)
    return framed


def _visible(tool: Tool, *, with_token: bool) -> list[inspect.Parameter]:
    """What the model may supply."""
    visible = list(tool.parameters)
    if with_token:
        token = Annotated[str, Field(description="From the preview, after the user agreed")]
        visible.append(inspect.Parameter(TOKEN, inspect.Parameter.KEYWORD_ONLY, default="", annotation=token))
    return visible


@cache
def _schema(tool: Tool, *, with_token: bool) -> dict[str, Any]:
    return schema_of(_visible(tool, with_token=with_token))


@cache
def _through_sdk(tool: Tool, *, with_token: bool) -> SdkTool:
    """Make the SDK's own tool, which validates arguments and resolves the person's answer, where one may be needed.

    Made at the first call, for the list of tools doesn't need it and all of them take a tenth of the start.
    """
    parameters = _visible(tool, with_token=with_token)
    if not tool.only_reads:
        parameters.append(inspect.Parameter("consent", inspect.Parameter.KEYWORD_ONLY, annotation=_Consent))

    async def answer(consent: Any = None, **arguments: Any) -> CallToolResult:
        return await _round.get().answer(consent)

    answer.__signature__ = inspect.Signature(parameters, return_annotation=CallToolResult)  # type: ignore[attr-defined]
    answer.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": CallToolResult}
    return SdkTool.from_function(answer, name=tool.name, structured_output=False)


async def _tell(context: Context[Any, Any]) -> None:
    """Tell who listens what was written, also when the caller has gone meanwhile."""
    uris = touched()
    if not uris:
        return
    with anyio.move_on_after(2, shield=True):
        for uri in uris:
            await context.notify_resource_updated(uri)


async def _heard(call: Call, said: str) -> str:
    """Quote what an error shows of a conversation, a message a line; not when that would be more than may be read."""
    if not said:
        return ""
    try:
        await read_records(call, len(said.splitlines()))
    except Refused as refused:
        return f"\nIt can't be shown here. {defuse(refused.what)}"
    return f"\n{Fence().wrap(said)}"


def _plain(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)])


def _client(context: Context[Any, Any]) -> str:
    parameters = context.session.client_params
    return f"{parameters.client_info.name} {parameters.client_info.version}" if parameters else ""


def annotations(tool: Tool) -> ToolAnnotations:
    """MCP's hints, derived from the worst effect a call can have. They inform hosts; they guard nothing."""
    return ToolAnnotations(
        read_only_hint=tool.worst is Effect.READ,
        destructive_hint=tool.worst > Effect.INTERNAL,
        idempotent_hint=tool.worst is Effect.READ or tool.idempotent,
        open_world_hint=tool.worst > Effect.INTERNAL,
    )
