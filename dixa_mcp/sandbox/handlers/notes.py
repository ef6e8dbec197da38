"""Internal notes (notes §11)."""

from dixa_mcp.sandbox.clock import NotATimeError, parse
from dixa_mcp.sandbox.events import emit, in_payload, log
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import NO_DATE, Answer, Json, Refusal, Request, data, done, failed, stamp_ms


@handles("list_notes")
def list_notes(org: Organisation, request: Request) -> Answer:
    org.conversation(request.csid())
    return data(org.notes.get(request.csid(), []))


@handles("add_note")
def add_note(org: Organisation, request: Request) -> Answer:
    org.living(request.csid())
    return data(_write(org, request.csid(), request.body, request.owner))


@handles("add_notes")
def add_notes(org: Organisation, request: Request) -> Answer:
    """Each note succeeds or fails alone; the error has no `_type` here (notes §4)."""
    org.living(request.csid())
    outcomes: list[Json] = []
    for note in request.field("data", []):
        try:
            outcomes.append(done(_write(org, request.csid(), note, request.owner)))
        except Refusal as refusal:
            outcomes.append(failed("", refusal.message))
    return data(outcomes)


def _write(org: Organisation, csid: int, note: Json, owner: str) -> Json:
    author = note.get("agentId") or owner
    if author not in org.agents:
        raise Refusal(400, "Agent was not found")
    if not note["message"].strip():
        raise Refusal(400, "Invalid value for: body (message must not be empty)")
    try:
        created = stamp_ms(parse(note["createdAt"])) if note.get("createdAt") else org.now_ms()
    except NotATimeError as error:
        raise Refusal(400, NO_DATE) from error
    written: Json = {
        "id": org.new_id(),
        "authorId": author,
        "createdAt": created,
        "csid": csid,
        "message": note["message"],
    }
    notes = org.notes.setdefault(csid, [])
    notes.append(written)
    notes.sort(key=lambda item: item["createdAt"])
    log(org, csid, "NoteAdded", author, {"_type": "NoteAddedAttribute", "message": note["message"]})
    by = in_payload(org, author)
    emit(org, "ConversationNoteAdded", csid, note_id=written["id"], text=note["message"], created_at=created, author=by)
    return written
