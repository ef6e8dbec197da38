"""How far an anonymisation has come."""

from dataclasses import dataclass

from dixa_mcp.client.models import AnonymizationRequest
from dixa_mcp.render import View, render


@dataclass(frozen=True, slots=True)
class Progress:
    """A request to anonymise, and who asked for it."""

    request: AnonymizationRequest
    by: str


@dataclass(frozen=True, slots=True)
class Waited:
    """It was waited for, and isn't done yet."""

    progress: Progress
    seconds: int


WORDS = {"User": "customer", "Conversation": "conversation", "Message": "message"}


@render.register
def _(found: Progress, view: View) -> str:
    request = found.request
    what = f"{WORDS.get(request.kind, request.kind)} {request.target_entity_id}"
    asked = f"asked for {view.time(request.initiated_at)}" + (f" by {found.by}" if found.by else "")
    if request.processed_at:
        return f"Done: {what} was anonymised {view.time(request.processed_at)} ({asked})."
    return f"Not done yet: {what}, {asked}. Dixa usually needs moments, at most 24 hours; it can't be stopped."


@render.register
def _(found: Waited, view: View) -> str:
    return f"{render(found.progress, view)} Waited {found.seconds} s; look again later."
