"""What of the organisation's own a new conversation goes out from: mailbox, number, widget, queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.workspace import Queue
from dixa_mcp.errors import InvalidArgument, Refused, Unresolved
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import pick


@dataclass(frozen=True, slots=True)
class Sender:
    """A mailbox, number or widget."""

    id: str
    name: str

    @property
    def shown(self) -> str:
        """Name and address."""
        return self.id if self.name in {"", self.id} else f"{line(self.name)} <{self.id}>"


async def sender_of(dixa: Dixa, channel: str, wanted: str) -> Sender:
    """The mailbox, number or widget it goes out from: the one that is named, else the only one that fits."""
    if channel == "chat":
        fitting = _widgets(await dixa.catalogue.queues())
    else:
        endpoints = await dixa.catalogue.endpoints()
        able = {"sms": "Sms", "callback": "VoiceOutbound"}.get(channel)
        fitting = {
            one.id: [one.name, one.id, one.sender_override]
            for one in endpoints
            if (able in one.functionality if able else one.kind == "EmailEndpoint")
        }
        if channel == "form" and not wanted:
            forms = {point for queue in await dixa.catalogue.queues() for point in _fed(queue, "ContactForm")}
            fitting = {point: names for point, names in fitting.items() if point in forms} or fitting
    if not fitting:
        raise Refused("state", f"The organisation has nothing that a new {channel} conversation can go out from.")
    if not wanted and len(fitting) == 1:
        point, names = next(iter(fitting.items()))
        return Sender(point, names[0])
    shown = [Sender(point, names[0]).shown for point, names in fitting.items()]
    if not wanted:
        raise InvalidArgument(f"Several can send it; name one as endpoint: {', '.join(shown)}.")
    match = pick(wanted, list(fitting), lambda point: fitting[point])
    if match.one is None:
        raise Unresolved(f"{channel} endpoint", wanted, shown, ambiguous=bool(match.several))
    return Sender(match.one, fitting[match.one][0])


def _widgets(queues: Iterable[Queue]) -> dict[str, list[str]]:
    """Chat widgets and what they are called: by the queues they feed, for Dixa lists them nowhere (notes §9)."""
    found: dict[str, list[str]] = {}
    for queue in queues:
        for widget in _fed(queue, "WidgetChat"):
            found.setdefault(widget, []).append(queue.name)
    return {widget: [*names, widget] for widget, names in found.items()}


def _fed(queue: Queue, channel: str) -> Sequence[str]:
    return queue.usages.usages.get(channel, ()) if queue.usages else ()


async def queue_of(dixa: Dixa, wanted: str, sender: Sender) -> Queue:
    """The queue a callback waits in: the one that is named, else the only one that takes callbacks of the line."""
    if wanted:
        return await dixa.catalogue.find("queue", wanted)
    queues = await dixa.catalogue.queues()
    fed = [queue for queue in queues if sender.id in _fed(queue, "Callback")]
    if len(fed) != 1:
        raise InvalidArgument(f"A callback needs queue: {', '.join(line(queue.name) for queue in fed or queues)}.")
    return fed[0]
