"""Webhooks and their deliveries as text. Secrets are never read, let alone shown (notes §19)."""

from dataclasses import dataclass

from dixa_mcp.client.loose import fields, items
from dixa_mcp.client.reports import EventDelivery, Webhook
from dixa_mcp.render import View, fit, render
from dixa_mcp.render.raw import address, flow, payload, pruned
from dixa_mcp.text.clean import line

PAYLOAD = 1_200
"""Characters shown of what was sent."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A webhook and how its last deliveries went."""

    hook: Webhook
    deliveries: list[EventDelivery]
    unknown: str
    """Why that can't be said."""
    queues: dict[str, str]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """All webhooks, or the one that was asked for."""

    rows: list[Sent]
    alone: bool


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The latest deliveries of one event."""

    name: str
    event: str
    log: list[EventDelivery]
    of: int

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return len(self.log)


@render.register
def _(found: Webhooks, view: View) -> str:
    if not found.rows:
        return "There are no webhooks."
    blocks = [_webhook(row, view, alone=found.alone) for row in found.rows]
    kept = fit(blocks)
    more = f"\n… and {len(blocks) - kept} more; name one as webhook." if kept < len(blocks) else ""
    return "\n".join(blocks[:kept]) + more


@render.register
def _(found: Deliveries, view: View) -> str:
    if not found.log:
        return f"{line(found.name)} has no recent delivery of {found.event}."
    blocks = [_logged(each, view) for each in found.log]
    count = f"the newest {len(blocks)} of {found.of}" if found.of > len(blocks) else str(len(blocks))
    return f"{line(found.name)}, {found.event}: {count}\n{view.fence.wrap(chr(10).join(blocks))}"


def _webhook(row: Sent, view: View, *, alone: bool) -> str:
    hook = row.hook
    only = _filtered(row)
    lines = [
        f"{line(hook.name)} ({'on' if hook.enabled else 'OFF'}) → {address(hook.url)}",
        f"  events: {', '.join(hook.subscribed_events)}{f'; only {only}' if only else ''}",
    ]
    if alone:
        changed = f", changed {view.time(hook.updated_at)}" if hook.updated_at else ""
        lines.append(f"  id {hook.id}, created {view.time(hook.created_at)}{changed}")
    deliveries = [each for each in row.deliveries if each.delivery_status.delivery_timestamp]
    bad = [each for each in deliveries if each.delivery_status.success is False]
    shown = deliveries if alone else bad
    lines += [f"  {_delivery(each, view)}" for each in shown]
    if row.unknown:
        lines.append(f"  deliveries unknown: {row.unknown}")
    elif not deliveries:
        lines.append("  no recent delivery")
    elif not bad and not alone:
        lines.append(f"  last deliveries all arrived ({len(deliveries)} events)")
    return "\n".join(lines)


def _filtered(row: Sent) -> str:
    """The filters in words: `queue VIP or Returns`."""
    said: list[str] = []
    for each in row.hook.filters.values():
        for condition in items(fields(each).get("conditions")):
            given = fields(condition)
            values = [row.queues.get(value, value) for value in map(str, items(given.get("values")))]
            no = "not " if given.get("_type") == "IsNotOneOf" else ""
            said.append(f"{given.get('field', '')} {no}{' or '.join(values)}")
    return line(" and ".join(said), 300)


def _delivery(each: EventDelivery, view: View) -> str:
    detail = each.detail or each.delivery_status
    went = "arrived" if detail.success else "FAILED"
    answer = f" {detail.response_code or ''} {line(detail.response_text, 80)}".rstrip()
    return f"{each.event} {went}{answer}, {view.time(detail.delivery_timestamp)}".lstrip()


def _logged(each: EventDelivery, view: View) -> str:
    read = payload(each.payload)
    said = read if isinstance(read, str) else flow(pruned(read), PAYLOAD)
    cut = said if len(said) <= PAYLOAD else f"{said[:PAYLOAD]}… ({len(said) - PAYLOAD:,} more characters)"
    return f"{_delivery(each, view)}\n  {cut if cut != '{}' else '(empty)'}"
