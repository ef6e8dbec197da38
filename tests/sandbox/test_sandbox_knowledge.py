"""Knowledge in the sandbox: drafts, publishing, and what readers outside notice (notes §18)."""

from typing import Any

import httpx
import pytest
from fernway_ids import NOBODY, OLIVIA, SARA, TOM

from dixa_mcp.sandbox import Sandbox

Client = httpx.AsyncClient

HELP = "fd9712e1-cfd5-4ab0-8dbc-71827dbc349c"
HANDBOOK = "8721a851-34e8-4f9b-987a-8c14ff6613ae"
ORDERS = "9221b9d3-8b3c-448e-8dc4-8dff91702863"
RETURNING = "5e3075f2-7754-4500-864a-a5fc0594b959"
MONEY = "5fee9283-dc7e-4448-b5e4-9523646c2eab"
TRACK = "351d1fdf-693f-48ac-a893-f30a545fcbbc"
RETURN = "d5bf56c7-c223-4ca5-8f7a-108769295404"
SIZES = "ba5e387b-fde3-4d4e-b51f-aa5049fd90dd"
REFUNDS = "6c2d3d4a-dc6b-4f66-b1a7-3b6baad0394f"
REFUND_TAG = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
MINI_PNG = b"\x89PNG\r\n\r\n--not the boundary\r\n"


async def data(dixa: Client, path: str) -> Any:
    return (await dixa.get(f"/knowledge{path}")).json()["data"]


async def published(dixa: Client, article: str) -> dict[str, str]:
    """Return language → title of what is published."""
    translations = (await data(dixa, f"/articles/{article}/translations"))["translations"]
    return {item["language"]: item["title"] for item in translations["published"]}


def told(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return what readers outside noticed: what happened, in which language."""
    return [(item["what"], item["language"]) for item in sandbox.outbox if item["kind"] == "publication"]


@pytest.mark.parametrize(
    "path",
    [
        "/collections",
        f"/collections/{HELP}",
        f"/collections/{HANDBOOK}/catalog?language=da",
        f"/categories/{MONEY}",
        f"/categories/{ORDERS}/translations",
        f"/articles/{TRACK}",
        f"/articles/{REFUNDS}/translations",
    ],
)
async def test_a_read_of_knowledge_answers_as_the_document_says(dixa: Client, path: str) -> None:
    """The client of these tests holds every good answer against the document."""
    assert (await dixa.get(f"/knowledge{path}")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/collections/{NOBODY}"),
        ("GET", f"/collections/{ORDERS}/catalog"),
        ("GET", f"/categories/{HELP}"),
        ("GET", f"/categories/{NOBODY}/translations"),
        ("GET", f"/articles/{NOBODY}"),
        ("DELETE", f"/articles/{NOBODY}"),
        ("POST", f"/articles/{NOBODY}/publish"),
        ("POST", f"/articles/{TRACK}/translations/da/publish"),
        ("POST", f"/articles/{TRACK}/translations/da/unpublish"),
        ("DELETE", f"/articles/{TRACK}/translations/da"),
        ("PATCH", f"/articles/{TRACK}/parent/{NOBODY}"),
    ],
)
async def test_what_is_not_there_is_404(dixa: Client, method: str, path: str) -> None:
    """A wrong id in the path (notes §4)."""
    assert (await dixa.request(method, f"/knowledge{path}")).status_code == 404


async def test_collections_come_in_pages(dixa: Client) -> None:
    """One of the thirteen paged lists (notes §6)."""
    first = (await dixa.get("/knowledge/collections?pageLimit=1")).json()
    rest = (await dixa.get(first["meta"]["next"].removeprefix("/v1"))).json()
    assert [item["id"] for item in (*first["data"], *rest["data"])] == [HELP, HANDBOOK]


async def test_titles_come_in_the_language_asked_for_else_in_the_default_one(dixa: Client) -> None:
    """Categories and articles alike (notes §18)."""
    tree = await data(dixa, f"/collections/{HELP}/catalog?language=da")
    titles = [
        (item["title"]["title"], [article["title"]["title"] for article in item["articles"]])
        for item in tree["categories"]
    ]
    assert titles == [("Ordrer", ["Track your order"]), ("Returns", ["Returner en vare", "Size guide"])]
    assert (await data(dixa, f"/categories/{ORDERS}"))["title"] == {"languageId": "en", "title": "Orders"}
    danish = (await data(dixa, f"/articles/{RETURN}?language=da"))["translation"]
    assert (danish["draft"]["language"], danish["published"]["title"]) == ("da", "Returner en vare")
    assert (await data(dixa, f"/articles/{TRACK}?language=fr"))["translation"]["draft"]["language"] == "en"


async def test_what_is_written_is_a_draft_until_it_is_published(sandbox: Sandbox, dixa: Client) -> None:
    """Nothing is public until publish; then readers outside notice (notes §18, §21)."""
    body = {"translations": [{"languageId": "en", "title": "Repairs", "content": "<p>We mend&nbsp;zips.</p>"}]}
    created = (
        await dixa.post("/knowledge/articles", json=body | {"parentId": RETURNING, "tags": [REFUND_TAG]})
    ).json()["data"]
    assert "published" not in created["translation"]
    assert created["translation"]["draft"]["contents"]["plaintext"] == "We mend\xa0zips."
    assert (created["parentCategory"], created["parentCollections"]) == (RETURNING, [HELP])
    edit = {"translations": [{"languageId": "da", "title": "Reparation"}]}
    await dixa.patch(f"/knowledge/articles/{created['id']}/translations", json=edit)
    assert (await published(dixa, created["id"]), told(sandbox)) == ({}, [])
    assert (await dixa.post(f"/knowledge/articles/{created['id']}/translations/da/publish")).status_code == 204
    assert await published(dixa, created["id"]) == {"da": "Reparation"}
    assert (await dixa.post(f"/knowledge/articles/{created['id']}/publish")).status_code == 204
    assert await published(dixa, created["id"]) == {"da": "Reparation", "en": "Repairs"}
    assert told(sandbox) == [("published", "da"), ("published", "en")]
    assert sandbox.reached_customers[-1]["to"] == ["https://help.example.com"]
    assert (await dixa.post(f"/knowledge/articles/{created['id']}/unpublish")).status_code == 204
    assert await published(dixa, created["id"]) == {}
    assert told(sandbox)[2:] == [("withdrawn", "da"), ("withdrawn", "en")]


async def test_a_draft_differs_from_what_is_published_until_it_is_published_again(dixa: Client) -> None:
    """The seeded article has a newer draft (fixtures §12)."""
    before = (await data(dixa, f"/articles/{TRACK}"))["translation"]
    assert (before["draft"]["title"], before["published"]["title"]) == ("Track your parcel", "Track your order")
    assert (before["draft"]["isIndexedVersion"], before["draft"]["availableAt"]) == (False, {"helpCenterLinks": []})
    assert before["published"]["availableAt"]["helpCenterLinks"][0]["name"] == "Fernway help"
    await dixa.post(f"/knowledge/articles/{TRACK}/translations/en/publish")
    after = (await data(dixa, f"/articles/{TRACK}"))["translation"]
    assert (after["published"]["title"], after["draft"]["isIndexedVersion"]) == ("Track your parcel", True)


async def test_publishing_in_the_handbook_reaches_nobody_outside(sandbox: Sandbox, dixa: Client) -> None:
    """A restricted collection (fixtures §12); ours."""
    await dixa.post(f"/knowledge/articles/{REFUNDS}/publish")
    assert told(sandbox) == []
    assert (await data(dixa, f"/articles/{REFUNDS}"))["restrictions"] == {
        "isRestricted": True,
        "inheritedRestrictions": [{"fromCollection": HANDBOOK}],
    }
    await dixa.patch(f"/knowledge/articles/{REFUNDS}/parent/{ORDERS}")
    assert told(sandbox) == [("published", "en")], "the handbook's text is on the help centre now"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", f"/articles/{SIZES}", None),
        ("DELETE", f"/articles/{SIZES}/translations/en", None),
        ("DELETE", f"/articles/{SIZES}/parent", None),
        ("PATCH", f"/articles/{SIZES}/parent/{MONEY}", None),
        ("PATCH", f"/articles/{SIZES}", {"preRelease": True}),
        ("POST", f"/articles/{SIZES}/translations/en/unpublish", None),
    ],
)
async def test_taking_a_published_text_away_is_noticed_outside(
    sandbox: Sandbox, dixa: Client, method: str, path: str, body: Any
) -> None:
    """Notes §21: publish, unpublish and delete change the public help centre."""
    assert (await dixa.request(method, f"/knowledge{path}", json=body)).is_success
    assert told(sandbox) == [("withdrawn", "en")]
    assert sandbox.outbox[0]["text"] == "Size guide"


async def test_moving_within_the_help_centre_shows_the_article_elsewhere(sandbox: Sandbox, dixa: Client) -> None:
    """The move is public, too (notes §21 for what is published)."""
    assert (await dixa.patch(f"/knowledge/articles/{SIZES}/parent/{ORDERS}")).status_code == 204
    tree = (await data(dixa, f"/collections/{HELP}/catalog"))["categories"]
    assert [[article["id"] for article in item["articles"]] for item in tree] == [[TRACK, SIZES], [RETURN]]
    assert told(sandbox) == [("published", "en")]


async def test_deleting_removes_all_versions(dixa: Client) -> None:
    """Of the article, or of one language (notes §18)."""
    assert (await dixa.delete(f"/knowledge/articles/{RETURN}/translations/da")).status_code == 204
    both = (await data(dixa, f"/articles/{RETURN}/translations"))["translations"]
    assert [[item["language"] for item in both[kind]] for kind in ("draft", "published")] == [["en"], ["en"]]
    assert (await dixa.delete(f"/knowledge/articles/{RETURN}")).status_code == 204
    assert (await dixa.get(f"/knowledge/articles/{RETURN}")).status_code == 404


async def test_an_article_without_a_parent_is_in_no_collection(dixa: Client) -> None:
    """Ours; it can be put back."""
    await dixa.delete(f"/knowledge/articles/{SIZES}/parent")
    alone = await data(dixa, f"/articles/{SIZES}")
    assert ("parentCategory" in alone, alone["parentCollections"]) == (False, [])
    await dixa.patch(f"/knowledge/articles/{SIZES}/parent/{RETURNING}")
    assert (await data(dixa, f"/articles/{SIZES}"))["parentCategory"] == RETURNING


async def test_translations_are_taken_one_by_one(dixa: Client) -> None:
    """Partial success (notes §4); content left out stays."""
    body = {
        "translations": [
            {"languageId": "en", "title": "Sizes"},
            {"languageId": "Klingon!", "title": "qab"},
            {"languageId": "fr", "title": " "},
        ]
    }
    answer = (await dixa.patch(f"/knowledge/articles/{SIZES}/translations", json=body)).json()
    assert [(item["title"], item["contents"]["plaintext"]) for item in answer["data"]] == [
        ("Sizes", "Boots run small: take one size up.")
    ]
    assert [item["languageId"] for item in answer["partialErrors"]] == ["Klingon!", "fr"]
    assert await published(dixa, SIZES) == {"en": "Size guide"}


async def test_owner_and_tags_are_patched_without_the_text(dixa: Client) -> None:
    """Notes §18."""
    body = {"ownedBy": TOM, "tags": {"add": [REFUND_TAG]}}
    changed = (await dixa.patch(f"/knowledge/articles/{SIZES}", json=body)).json()["data"]
    assert (changed["ownedBy"], changed["tags"]) == (TOM, [REFUND_TAG])
    changed = (await dixa.patch(f"/knowledge/articles/{SIZES}", json={"tags": {"remove": [REFUND_TAG]}})).json()["data"]
    assert (changed["ownedBy"], changed["tags"]) == (TOM, [])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/articles", {"parentId": NOBODY}, 404),
        ("POST", "/articles", {"tags": [NOBODY]}, 400),
        ("POST", "/articles", {"translations": [{"languageId": "en", "title": ""}]}, 400),
        ("POST", "/articles", {"translations": [{"languageId": "en", "title": "A"}] * 2}, 400),
        ("PATCH", f"/articles/{TRACK}", {"ownedBy": OLIVIA}, 400),
        ("PATCH", f"/articles/{TRACK}", {"ownedBy": SARA, "tags": {"add": [NOBODY]}}, 400),
    ],
)
async def test_an_article_that_cannot_be_is_refused_and_nothing_changes(
    sandbox: Sandbox, dixa: Client, method: str, path: str, body: Any, status: int
) -> None:
    """The document knows a 404 for ids in the body of a new article (notes §4)."""
    before = sandbox.organisation.state()
    assert (await dixa.request(method, f"/knowledge{path}", json=body)).status_code == status
    assert sandbox.organisation.state() == before


# --- pictures


def picture(name: str, media: str = "image/png", content: bytes = MINI_PNG) -> tuple[str, tuple[str, bytes, str]]:
    return "files", (name, content, media)


async def test_uploaded_pictures_are_public_and_keep_their_bytes(sandbox: Sandbox, dixa: Client) -> None:
    """The addresses go into the HTML of an article (notes §18); the upload is an egress (notes §21)."""
    answer = await dixa.post(
        "/knowledge/articles/attachments", files=[picture("a.png"), picture("ä b.gif", "image/gif")]
    )
    assert [item["originalFilename"] for item in answer.json()["data"]] == ["a.png", "ä b.gif"]
    assert answer.json()["partialErrors"] == []
    for item in answer.json()["data"]:
        file = await dixa.get(item["url"], headers={"Authorization": ""})
        assert (file.status_code, file.content) == (200, MINI_PNG)
    assert [item["text"] for item in sandbox.reached_customers] == ["a.png", "ä b.gif"]
    assert (await dixa.get("https://files.dixa.io/public/fernway/images/none.png")).status_code == 404


async def test_pictures_are_refused_one_by_one(dixa: Client) -> None:
    """By type and by size, with the code (notes §4, §18)."""
    large = b"x" * (4 * 1024 * 1024 + 1)
    files = [picture("n.txt", "text/plain"), picture("a.webp", "image/webp"), picture("l.jpg", "image/jpeg", large)]
    answer = (await dixa.post("/knowledge/articles/attachments", files=files)).json()
    assert [item["originalFilename"] for item in answer["data"]] == ["a.webp"]
    assert [(item["originalFilename"], item["code"]) for item in answer["partialErrors"]] == [
        ("n.txt", 400),
        ("l.jpg", 400),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {"files": [picture(f"{number}.png") for number in range(6)]},
        {"files": [picture(f"{number}.png", content=b"x" * 3_600_000) for number in range(3)]},
        {"files": [("pictures", ("a.png", MINI_PNG, "image/png"))]},
        {"json": {"files": []}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["six files", "more than 10 MB", "another field", "JSON", "no end", "no boundary"],
)
async def test_an_upload_that_is_none_or_too_much_is_refused(sandbox: Sandbox, dixa: Client, sent: Any) -> None:
    """5 files, 10 MB together (notes §18)."""
    assert (await dixa.post("/knowledge/articles/attachments", **sent)).status_code == 400
    assert (sandbox.organisation.uploads, sandbox.outbox) == ({}, [])
