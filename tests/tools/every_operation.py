"""One right call of each of the 123 operations against the seed: path, query, body."""

from base64 import b64encode
from typing import Any

from dixa_mcp.operations import operations

MIA = "039fbf8d-4ab7-46a4-9543-0786d6ebb40f"
TOM = "ad31f76a-5f61-4c6c-afef-c544867c129f"
AIKO = "c9fb8063-7cbe-4f06-ba22-8acda7e90155"
OLIVIA = "1d66b93e-ab14-43d4-89fb-b94a217c6ac0"
EMIL = "88dd71ca-b0d5-4164-ae33-f22f201a7c1c"
DANIEL = "f5d4c2a4-ee05-42c3-aef2-2a075757b3cd"
GENERAL = "5185cbe5-197d-42dc-99e8-663ab4c0bc05"
RETURNS = "19a7a6cc-bb71-40a3-a61f-2df89d69266a"
VIP = "241cc9ef-d505-4e17-af2c-15205ebdd6fd"
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
NORDICS = "e397f6ba-6783-4f6c-b69b-4c85ccdd3e18"
ARTICLE = "351d1fdf-693f-48ac-a893-f30a545fcbbc"
HOOK = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
SCHEDULE = "1496718a-7b67-4fc9-96ca-3f431cd17c78"
ORDER_NUMBER = "4b2fe144-136d-456f-8516-c49e408c994c"
SUPPORT = "fernway-support@email.dixa.io"

#: What stands in a path unless a call below says otherwise.
IDS: dict[str, str | int] = {
    "conversationId": 10402,
    "csid": 10402,
    "agentId": TOM,
    "userId": OLIVIA,
    "teamId": NORDICS,
    "queueId": GENERAL,
    "tagId": REFUND,
    "articleId": ARTICLE,
    "categoryId": "9221b9d3-8b3c-448e-8dc4-8dff91702863",
    "parentId": "5e3075f2-7754-4500-864a-a5fc0594b959",
    "collectionId": "fd9712e1-cfd5-4ab0-8dbc-71827dbc349c",
    "languageId": "en",
    "webhookSubscriptionId": HOOK,
    "event": "ConversationCreated",
    "templateId": "0678845c-9b9a-4a29-87a5-163d8e8fd901",
    "scheduleId": SCHEDULE,
    "contactEndpointId": SUPPORT,
    "customAttributeId": ORDER_NUMBER,
    "requestId": "c4f30956-c7e3-4baa-8a40-6fe3cb86890d",
    "metricId": "csat",
    "recordId": "ratings",
    "filterAttribute": "channel",
    "messageId": "3bd8fbf2-09fc-4dbd-8706-0c85611e10f0",
    "ratingId": "f29b8b37-555b-451b-bb87-b53b59a8882d",
}
PERIOD = {"_type": "Interval", "start": "2026-02-01T00:00:00Z", "end": "2026-02-14T00:00:00Z"}
TEXT = {"_type": "Text", "value": "Hello"}
OUTBOUND = {"_type": "Outbound", "agentId": MIA, "content": TEXT}
PNG = b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 16).decode()

#: Operation → path, query or body where it needs more than the ids above.
CALLS: dict[str, dict[str, Any]] = {
    "query_metric_data": {"body": {"id": "csat", "periodFilter": PERIOD, "timezone": "UTC"}},
    "query_metric_records": {"body": {"id": "ratings", "periodFilter": PERIOD, "timezone": "UTC"}},
    "replace_agents": {"body": {"data": [{"id": TOM, "displayName": "Tom O."}]}},
    "create_agent": {"body": {"displayName": "New Agent", "email": "new.agent@example.com"}},
    "update_agents": {"body": {"data": [{"id": TOM, "displayName": "Tom O."}]}},
    "create_agents": {"body": {"data": [{"displayName": "New Agent", "email": "new.agent@example.com"}]}},
    "replace_agent": {"body": {"displayName": "Tom O."}},
    "delete_agent": {"path": {"agentId": AIKO}},
    "update_agent": {"body": {"displayName": "Tom O."}},
    "set_agent_working_channel": {"body": {"channel": "Email", "working": False}},
    "replace_end_users": {"body": {"data": [{"id": OLIVIA, "displayName": "Olivia H."}]}},
    "create_end_user": {"body": {"displayName": "New Person", "email": "new.person@example.com"}},
    "update_end_users": {"body": {"data": [{"id": OLIVIA, "displayName": "Olivia H."}]}},
    "create_end_users": {"body": {"data": [{"displayName": "New Person"}]}},
    "replace_end_user": {"body": {"displayName": "Olivia H."}},
    "update_end_user": {"body": {"displayName": "Olivia H."}},
    "anonymize_end_user": {"query": {"force": True}},
    "update_end_user_attributes": {"body": {"38645cf4-6f16-4169-8cb4-74b8d0a48a73": "K-1"}},
    "create_team": {"body": {"name": "Night shift"}},
    "remove_team_members": {"body": {"agentIds": [MIA]}},
    "add_team_members": {"body": {"agentIds": [TOM]}},
    "anonymize_conversation": {"path": {"conversationId": 10408}},
    "follow_up_conversation": {"body": {"timestamp": "2026-02-16T08:00:00Z"}},
    "reopen_conversation": {"path": {"conversationId": 10405}},
    "transfer_conversation": {"body": {"queueId": VIP}},
    "add_notes": {"body": {"data": [{"message": "First"}, {"message": "Second"}]}},
    "add_note": {"body": {"message": "Checked"}},
    "offer_rating": {"path": {"conversationId": 10405}, "body": {"ratingType": "Nps", "userId": DANIEL}},
    "submit_rating": {
        "path": {"conversationId": 10413, "ratingId": "b87da6a0-c730-49c3-93e3-9d8ff611d4d1"},
        "body": {"ratingResult": {"_type": "Nps", "value": 9}},
    },
    "tag_conversation_by_names": {"body": {"data": [{"name": "vip"}]}},
    "add_message": {"body": OUTBOUND},
    "create_conversation": {
        "body": {
            "_type": "Email",
            "requesterId": OLIVIA,
            "emailIntegrationId": SUPPORT,
            "subject": "Your order",
            "message": OUTBOUND,
        }
    },
    "import_conversation": {
        "body": {
            "_type": "GenericConversationImport",
            "genericChannelName": "email",
            "requesterId": OLIVIA,
            "direction": "Inbound",
            "createdAt": "2026-01-05T10:00:00Z",
            "messages": [{"_type": "InboundImport", "content": TEXT, "createdAt": "2026-01-05T10:00:00Z"}],
            "attributes": {"emailIntegrationId": SUPPORT, "subject": "Old matter"},
        }
    },
    "update_conversation_attributes": {"body": {ORDER_NUMBER: "F-1"}},
    "claim_conversation": {"body": {"agentId": TOM}},
    "link_conversation": {"path": {"conversationId": 10403}, "body": {"parentId": 10401, "linkType": "Related"}},
    "create_queue": {
        "body": {
            "request": {"name": "Night", "callFunctionality": False, "isDefault": False, "isDoNotOfferEnabled": False}
        }
    },
    "remove_queue_members": {"body": {"agentIds": [TOM]}},
    "add_queue_members": {"path": {"queueId": VIP}, "body": {"agentIds": [TOM]}},
    "create_tag": {"body": {"name": "brand-new"}},
    "activate_tag": {"path": {"tagId": "c2ba9aae-e9cf-41b8-a121-a74727c9a728"}},
    "anonymize_entity": {"body": {"entityId": "10408", "_type": "Conversation"}},
    "search_conversations_by_text": {"query": {"query": "order"}},
    "search_conversations": {"body": {"query": {"value": "order"}}},
    "update_webhook": {"body": {"enabled": False}},
    "create_webhook": {
        "body": {
            "name": "Ratings",
            "url": "https://hooks.example.com/ratings",
            "authorization": {"_type": "TokenAuth", "value": "very-secret"},
            "customHeaders": {"X-Key": "also-secret"},
            "events": ["ConversationRated"],
        }
    },
    "update_article": {"body": {"ownedBy": MIA}},
    "update_article_translations": {"body": {"translations": [{"languageId": "en", "title": "New title"}]}},
    "create_article": {
        "body": {
            "translations": [{"languageId": "en", "title": "Fresh", "content": "<p>Text</p>"}],
            "parentId": "9221b9d3-8b3c-448e-8dc4-8dff91702863",
        }
    },
    "upload_article_attachments": {"body": {"files": [{"name": "a.png", "data": PNG}]}},
}


def call_of(name: str) -> dict[str, Any]:
    """The arguments of `dixa_call_operation` for one right call."""
    told = CALLS.get(name, {})
    needed = {each.name for each in operations()[name].parameters if each.where == "path"}
    path = {key: value for key, value in IDS.items() if key in needed} | told.get("path", {})
    return {"operation": name, **told} | ({"path": path} if path else {})
