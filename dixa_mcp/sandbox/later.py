"""Acts that are due later: follow-ups, surveys, service levels, anonymisations."""

from collections.abc import Callable
from typing import Any

from dixa_mcp.sandbox import acts, anonymizing, sla
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.organisation import Organisation

Job = Callable[[Organisation, dict[str, Any]], None]

#: What a job's `act` means.
JOBS: dict[str, Job] = {
    "end_followup": lambda org, job: acts.expire_followup(org, job["csid"]),
    "offer_survey": lambda org, job: acts.offer_survey(org, job["csid"], job["rating"]),
    anonymizing.ACT: lambda org, job: anonymizing.process(org, job["request"]),
    sla.BREACH: lambda org, job: sla.breach(org, job["csid"]),
}


def settle(org: Organisation) -> None:
    """Do everything that is due by the sandbox's clock, the oldest first, each at its own time.

    Runs before every request; the clock is back where it was afterwards.
    """
    now = org.at()
    try:
        while due := [job for job in org.jobs if parse(job["due"]) <= now]:
            job = min(due, key=lambda job: parse(job["due"]))
            org.jobs.remove(job)
            org.clock.set(parse(job["due"]))
            JOBS[job["act"]](org, job)
    finally:
        org.clock.set(now)
