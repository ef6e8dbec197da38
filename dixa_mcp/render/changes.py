"""What was done, and what would be: changes, previews and the journal."""

from dixa_mcp.render import View, render
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change, Preview

SEEN_BY = {
    "colleagues": "Seen by colleagues only.",
    "customer": "Seen by the customer.",
    "outside": "Data leaves the organisation.",
    "nobody": "Nothing was changed.",
}


def acting(organisation: str, agent: str) -> str:
    """Whose organisation it is, and in whose name it was done."""
    return f"{line(organisation)}, as {line(agent) if agent else 'the owner of the token'}."


@render.register
def _(change: Change, view: View) -> str:
    again = change.duplicate and change.visible_to != "nobody"
    lines = [f"DUPLICATE, not done again: {change.what}" if again else change.what]
    if change.before or change.after:
        lines.append(f"Before: {change.before or 'none'} → after: {change.after or 'none'}")
    lines.append(" ".join(part for part in (SEEN_BY[change.visible_to], view.acting) if part))
    lines += [f"Warning: {warning}" for warning in change.warnings]
    if change.undo and change.id:
        lost = f" ({change.cannot_undo})" if change.cannot_undo else ""
        lines.append(f"Undo: dixa_undo_change change_id={change.id}{lost}")
    elif change.visible_to != "nobody" and not change.undo:
        known = f" Change {change.id}." if change.id else ""
        lines.append(f"Can't be undone{': ' + change.cannot_undo if change.cannot_undo else ''}.{known}")
    return "\n".join(lines)


@render.register
def _(preview: Preview, view: View) -> str:
    return (
        f"PREVIEW, nothing was done.\n{view.fence.wrap(preview.question)}\n"
        "Show this to the user. Only if they agree, make the same call again with "
        f"confirmation_token={preview.token} (valid a few minutes, once)."
    )
