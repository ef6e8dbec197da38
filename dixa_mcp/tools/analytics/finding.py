"""Which number answers a question."""

from collections.abc import Sequence

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.reports import Metric, RecordType
from dixa_mcp.render.findings import Finding, Findings
from dixa_mcp.text.names import fold
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools.analytics._asking import FILTERS, filterable, label

SHOWN = 8
LIKELY = 85
"""Likeness (0 to 100) from which a word is taken for a misspelt one."""
SYNONYMS = (
    "satisfaction csat rating score survey happy feedback",
    "closed solved resolved handled completed close",
    "first initial",
    "response reply answer respond frt",
    "time duration speed long fast quick wait waiting",
    "contact resolution fcr once reopened",
    "assignment assigned given workload load",
    "agent colleague employee person",
    "created opened new incoming inbound volume received offered contacts",
    "call phone voice calls",
    "abandoned missed lost",
    "service level sla",
    "presence online available working status",
    "nps promoter recommend",
    "comments rows single list records details which raw",
)
"""Words that mean nearly the same in questions and in metrics' names; nothing else is known of the catalogue,
which Dixa doesn't publish (notes §13)."""
_NOISE = frozenset(
    fold(
        """a about all and are at by can do does for from get give how i in is it many me metric much my number of
        on our per show tell that the there this to us was we were what when which who with conversation
        conversations customer customers"""
    ).split(" ")
)


@tool(Effect.READ, touches="")
async def find_metrics(dixa: Dixa, query: str = "") -> Findings:
    """Find which metric or record answers a question, with its filters, measures or fields.

    Values come from dixa_query_metric and dixa_query_records.
    """
    catalogue = dixa.catalogue
    metrics, records = await catalogue.metrics(), await catalogue.records()
    everything = [*(_metric(each) for each in metrics), *(_record(each) for each in records)]
    found = ranked(query, everything) if query.strip() else everything
    values: dict[str, list[str]] = {}
    for name in ("channel", "direction"):
        if any(name in finding.filters for finding in found[:SHOWN]):
            values[name] = [label(value) for value in await catalogue.filter_values(FILTERS[name])]
    return Findings(query, found[:SHOWN] if query.strip() else found, values, [each.id for each in everything])


def ranked(query: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that fit, best first; equal ones in their order."""
    scored = [(score(query, each), each) for each in findings]
    best = max((points for points, _ in scored), default=0.0)
    fitting = [(points, each) for points, each in scored if points and points >= best / 2]
    return [each for _, each in sorted(fitting, key=lambda pair: -pair[0])]


def score(query: str, finding: Finding) -> float:
    """How well a question's words fit: words of the name count double, the same meaning most of a hit."""
    name, about = set(fold(finding.id).split()), set(fold(finding.about).split())
    about |= {word for measure in finding.measures for word in fold(measure).split()}
    words = fold(query).split()
    asked = [word for word in words if word not in _NOISE] or words
    if fold(query).replace(" ", "") == fold(finding.id).replace(" ", ""):
        return 100.0
    return sum(2 * _hit(word, name) + _hit(word, about) for word in asked)


def _hit(word: str, words: set[str]) -> float:
    from rapidfuzz import fuzz  # noqa: PLC0415 - only this search needs likeness

    if any(_same(word, each) for each in words):
        return 1.0
    alike = {each for group in SYNONYMS if any(_same(word, each) for each in group.split()) for each in group.split()}
    if any(_same(one, each) for one in alike for each in words):
        return 0.7
    if len(word) > 3 and any(fuzz.ratio(word, each, score_cutoff=LIKELY) for each in words):
        return 0.5
    return 0.0


def _same(one: str, other: str) -> bool:
    """Whether two words differ in their ending at most: `close`, `closed`, `closes`."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) > 3 and long.startswith(short) and len(long) - len(short) < 4)


def _metric(each: Metric) -> Finding:
    measures = tuple(aggregation.measure for aggregation in each.aggregations)
    return Finding("metric", each.id, each.description, filterable(each), measures, related=each.related_record_ids)


def _record(each: RecordType) -> Finding:
    fields = tuple(info.field for info in each.fields_metadata)
    return Finding(
        "record", each.id, each.description, filterable(each), fields=fields, related=each.related_metric_ids
    )
