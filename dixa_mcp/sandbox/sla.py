"""Service levels: the time that runs while a conversation waits in a queue with a limit (notes §17, §19, §22).

Ours: it starts when the conversation enters the queue, is achieved when an agent gets it in time, breached
when the queue's `SlaTimeLimit` is over, and void when it is closed or moved before that. What waited already
when the sandbox started isn't evaluated.
"""

from datetime import timedelta

from dixa_mcp.sandbox.events import emit
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.wire import Json, part, stamp

BREACH = "breach_sla"


def start(org: Organisation, conversation: Json) -> None:
    """Begin an evaluation for the queue a conversation has just entered, if that has a limit."""
    csid = conversation["id"]
    stop(org, csid, "SLAEvaluationVoided")
    limit = part(org.queues[conversation["queue"]["id"]], "queueThresholds").get("SlaTimeLimit")
    if limit:
        due = stamp(org.at() + timedelta(seconds=limit))
        org.jobs.append({"due": due, "act": BREACH, "csid": csid})
        emit(org, "SLAEvaluationPending", csid, due_at=due)


def stop(org: Organisation, csid: int, event: str) -> None:
    """End the evaluation that runs for a conversation, if one does, with its event."""
    running = [job for job in org.jobs if (job["act"], job.get("csid")) == (BREACH, csid)]
    if running:
        org.jobs[:] = [job for job in org.jobs if job not in running]
        emit(org, event, csid)


def breach(org: Organisation, csid: int) -> None:
    """Report that the limit is over; the job is gone already."""
    emit(org, "SLAEvaluationBreached", csid)
