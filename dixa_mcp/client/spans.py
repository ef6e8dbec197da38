"""What an operator sees of each request in traces and metrics: method, route and result; no id, query or text."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter

from opentelemetry import metrics, trace

_tracer = trace.get_tracer("dixa_mcp")
_duration = metrics.get_meter("dixa_mcp").create_histogram(
    "http.client.request.duration", unit="s", description="Duration of requests to Dixa"
)


@contextmanager
def observed(method: str, template: str, host: str) -> Generator[Callable[[int], None]]:
    """Record one request; the yielded function takes the status of the answer."""
    facts: dict[str, str | int] = {"http.request.method": method, "url.template": template, "server.address": host}
    began = perf_counter()
    # The text of an exception names ids, so the span gets its kind only.
    with trace.use_span(
        _tracer.start_span(f"{method} {template}", kind=trace.SpanKind.CLIENT, attributes=facts),
        end_on_exit=True,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:

        def answered(status: int) -> None:
            facts["http.response.status_code"] = status
            if status >= 400:
                facts["error.type"] = str(status)
                span.set_status(trace.StatusCode.ERROR)

        try:
            yield answered
        except BaseException as error:
            facts["error.type"] = type(error).__name__
            span.set_status(trace.StatusCode.ERROR)
            raise
        finally:
            span.set_attributes(facts)
            _duration.record(perf_counter() - began, facts)
