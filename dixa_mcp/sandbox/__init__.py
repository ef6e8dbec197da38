"""An imitation of the Dixa API with memory, for trying and testing without an account.

`Sandbox` holds the organisations and answers; `transport` puts it behind httpx in process, `app` is the
ASGI application, `serve` and `serving` put it on a port of this machine. It imports the operations table
and nothing else of ours, so that it cannot agree with a mistake of our client.

Tokens: `sandbox-admin-token`, `sandbox-limited-token` (lacks the rights that notes §2 names),
`sandbox-throttled-token` (one request, then 429), `sandbox-second-token` (another organisation).

Where the notes say that nobody knows (notes §25), these are OUR assumptions:

* **Misses.** A wrong id in the path is 404 where the contract documents one, else 400; the activity log of
  an unknown conversation is empty. Requester, endpoint, widget and queue in the body of a new conversation
  give 404, as does the parent of a new article; other ids in a body 400. An unknown path or method is 404. A
  filter of a list that matches nobody gives an empty list; filters compare e-mails whatever their case,
  numbers and external ids exactly, and find additional addresses, too.
* **Bodies.** `null` counts as left out, except in custom attributes, where it clears. PUT clears what is
  left out. A 400 about a body adds the place in brackets. File uploads aren't checked against the table.
* **Order.** Lists are in the order of creation; searches and a customer's conversations newest first; both
  activity logs, messages and notes oldest first.
* **Pages.** A key is a place in a list and nothing else. 50 unless asked; at most 50 for searches, 300 for
  records, 10,000 for the activity log, 1,000 elsewhere; beyond that 400. On the last page `meta` has no
  `next`, and is absent if there is only one page.
* **Same state again.** Closing a closed, opening an open, tagging a tagged conversation or claiming for the
  agent who has it is 204 and changes nothing.
* **Claim** without `force` takes over, also a closed conversation, whose state stays. **Transfer** opens a
  closed or pending one. **Reopening** and an inbound message to a closed conversation put it at the end of
  its queue, unassigned; an outbound message changes no state. **Follow-up** in the past is 400; when it
  ends, the conversation is open and keeps its agent. **Links**: `Related` reads as `FollowUp`.
* **Anonymisation** is carried out thirty seconds later by the sandbox's clock, or with the second poll of its
  status; until then everything can be read. Open and pending conversations give 409 without `force`, what is
  anonymised already gives 409, what waits for it gives the same request again; the deprecated call refuses
  with 400 only. A conversation keeps its frame, its figures for the statistics and its tags, and refuses every
  change with 400; its messages keep author, time and direction, its notes go, its log keeps what speaks of the
  organisation alone. A user keeps the id; what they wrote elsewhere and copies to them go, too. Payloads in
  webhook logs are emptied. The outbox keeps what has left.
* **Agents.** A new one gets an invitation (outbox). An e-mail or number is one person's, agent's or not. A
  downgraded agent leaves teams and queues, what was open with them returns to its queue; not the owner of the
  token in use. A working channel is a group of channels (`handlers/agent_writes.py`); with none, one is Away.
* **Ratings** can be submitted once, while they are offered; an offer needs an agent, named or assigned.
* **Messages.** cc and bcc exist on e-mail and forms only; SMS can't be received, WhatsApp not after
  `transportExpiresAt`. Nothing attached is fetched: an address that isn't http(s), or whose host ends in
  `.invalid`, fails. Files open without a token.
* **Surveys** follow the closing of conversations on the channels in `settings.survey_channels` (chat at
  Fernway): scheduled at once, offered after five minutes. The outbox holds the survey from the closing on.
  Auto-replies and flows never write.
* **Tags.** Bulk tagging is done at once. A tag that isn't active can't be put on (400; passed over in bulk).
* **Search** finds whole words whatever their case: all of them, or with `exactMatch` as a phrase. There is
  no delay. ExcludesOne is the contrary of IncludesAll, ExcludesAll that of IncludesOne. A duration runs from
  creation to closing, or to now. Marked messages are in the highlights under `text`.
* **Analytics.** Times are in seconds; weeks begin on Monday; a period ends before its last moment; an
  average or share of nothing is left out; a filter the metric doesn't have is ignored, an unknown one 400.
* **Webhooks** are never called: a delivery is signed, put in the outbox and recorded as answered with 200; the
  newest hundred of an event are in its log, newest first. PATCH keeps the headers that aren't sent, custom and
  Authorization each for themselves. The origin of an import is `ApiImport`, all other acts have none. Abandoned
  is closed before any agent had it; Sent follows every outbound mail, SMS and WhatsApp at once; the SLA events
  follow a queue's `SlaTimeLimit` (`sla.py`). Eleven events have no cause here: bans, a replaced customer,
  typing, and what the recipient's side would report.
* **Knowledge.** Languages fall back to `settings.language`, or English, then to any. A parent may be a collection.
  The catalogue lists drafts, too, by their published titles where there are any. A draft is the indexed version
  while it says what is published. Readers outside see what is published, not in a restricted collection and not
  as pre-release; whatever changes for them, moves and uploads included, is in the outbox as `publication`.
  Publishing an article without translations is 400, unpublishing what isn't published 204.
* **Business hours** hold their first moment and not their last. An exception replaces the hours of its day; the
  upcoming days name the closed ones, too. The status of an unknown schedule is 400.
* **Generated** conversations (`scale`) are written out when somebody looks; that changes nothing they hold.
* **429** says `Too Many Requests`, without Retry-After. **409** says `Conflict`.
* **Times** come with a plain `Z` (notes §26). Everything happens at the sandbox's clock, which stands
  still; what has become due is done before the next request, each at the moment it was due.
"""

from dixa_mcp.sandbox.asgi import app
from dixa_mcp.sandbox.core import Sandbox
from dixa_mcp.sandbox.inprocess import transport
from dixa_mcp.sandbox.loopback import serve, serving

__all__ = ["Sandbox", "app", "serve", "serving", "transport"]
