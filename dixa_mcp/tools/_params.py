"""Parameters with a life of their own, named and described once."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dixa_mcp.client.paths import csid

ConversationId = Annotated[int, BeforeValidator(csid)]
QueueName = Annotated[str, Field(description="Name or id")]
AgentName = Annotated[str, Field(description="Name, e-mail or id")]
Customer = Annotated[str, Field(description="E-mail, phone, external id or id")]
Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, Field(description="From the former answer")]
Format = Literal["concise", "detailed"]
Period = Annotated[str, Field(description="7d, yesterday, last week, this month, 2026-02-01..2026-02-07")]
When = Annotated[str, Field(description="ISO 8601, monday 09:00, in 3h")]
NoteText = Annotated[str, Field(min_length=1, max_length=20_000)]
