"""Articles: drafts, publishing, places (notes §18)."""

from dixa_mcp.sandbox import library
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Refusal, Request, data, empty, invalid, listed, missing, part


def _article(org: Organisation, request: Request) -> Json:
    if request.path["articleId"] not in org.articles:
        raise missing()
    return org.articles[request.path["articleId"]]


def _written(org: Organisation, request: Request) -> tuple[Json, str]:
    """Return the article and the language of the path, which it must have."""
    article = _article(org, request)
    if request.path["languageId"] not in article["draft"]:
        raise missing()
    return article, request.path["languageId"]


@handles("get_article")
def get_article(org: Organisation, request: Request) -> Answer:
    return data(library.shown_article(org, _article(org, request), request.parameter("language")))


@handles("list_article_translations")
def list_article_translations(org: Organisation, request: Request) -> Answer:
    article = _article(org, request)
    drafts = [library.version(org, article, language, published=False) for language in article["draft"]]
    public = [library.version(org, article, language, published=True) for language in article["published"]]
    return data({"translations": {"draft": drafts, "published": public}})


@handles("create_article")
def create_article(org: Organisation, request: Request) -> Answer:
    """A draft, whatever its place. The parent is a category or, ours, a collection; a wrong one is 404 (notes §4)."""
    translations = request.field("translations", [])
    if problem := next((wrong for item in translations if (wrong := library.wrong(item))), None):
        raise invalid(f"body ({problem})")
    if len({item["languageId"] for item in translations}) < len(translations):
        raise invalid("body (translations: one of each language)")
    parent, tags = request.field("parentId"), request.field("tags", [])
    library.check_tags(org, tags)
    if parent is not None and library.collection_of(org, parent) is None:
        raise missing()
    article: Json = {
        "id": org.new_id(),
        "parent": parent,
        "tags": list(dict.fromkeys(tags)),
        "createdAt": org.now_ms(),
        "createdBy": request.owner,
        "ownedBy": request.owner,
        "preRelease": request.field("preRelease", False),
        "draft": {},
        "published": {},
    }
    library.touch(org, article, request.owner)
    for translation in translations:
        library.write(org, article, translation, request.owner)
    org.articles[article["id"]] = article
    return data(library.shown_article(org, article))


@handles("update_article")
def update_article(org: Organisation, request: Request) -> Answer:
    """Owner, tags, pre-release; the text stays."""
    article, changes = _article(org, request), part(request.body, "tags")
    owner = request.field("ownedBy")
    adding, removing = listed(changes, "add"), listed(changes, "remove")
    library.check_tags(org, adding)
    changed: Json = {"ownedBy": org.agent_id(owner)} if owner is not None else {}
    changed["preRelease"] = request.field("preRelease", article["preRelease"])
    changed["tags"] = [tag for tag in dict.fromkeys([*article["tags"], *adding]) if tag not in removing]
    with library.noticed(org, article):
        article |= changed
        library.touch(org, article, request.owner)
    return data(library.shown_article(org, article))


@handles("update_article_translations")
def update_article_translations(org: Organisation, request: Request) -> Answer:
    """Drafts only, one by one: what can't be taken is in `partialErrors` (notes §4)."""
    article, languages, problems = _article(org, request), list[str](), list[Json]()
    for translation in request.field("translations", []):
        if problem := library.wrong(translation):
            problems.append({"languageId": translation["languageId"], "message": problem})
        else:
            library.write(org, article, translation, request.owner)
            languages.append(translation["languageId"])
    answer = data([library.version(org, article, item, published=False) for item in dict.fromkeys(languages)])
    answer.body |= {"partialErrors": problems} if problems else {}
    return answer


@handles("publish_article")
def publish_article(org: Organisation, request: Request) -> Answer:
    article = _article(org, request)
    if not article["draft"]:
        raise Refusal(400, "Article has no translations")
    with library.noticed(org, article):
        library.publish(org, article, list(article["draft"]), request.owner)
    return empty()


@handles("publish_article_translation")
def publish_article_translation(org: Organisation, request: Request) -> Answer:
    article, language = _written(org, request)
    with library.noticed(org, article):
        library.publish(org, article, [language], request.owner)
    return empty()


@handles("unpublish_article")
def unpublish_article(org: Organisation, request: Request) -> Answer:
    """What isn't published stays as it is."""
    article = _article(org, request)
    with library.noticed(org, article):
        article["published"].clear()
    return empty()


@handles("unpublish_article_translation")
def unpublish_article_translation(org: Organisation, request: Request) -> Answer:
    article, language = _written(org, request)
    with library.noticed(org, article):
        article["published"].pop(language, None)
    return empty()


@handles("delete_article")
def delete_article(org: Organisation, request: Request) -> Answer:
    """All versions, for good."""
    article = _article(org, request)
    with library.noticed(org, article):
        del org.articles[article["id"]]
    return empty()


@handles("delete_article_translation")
def delete_article_translation(org: Organisation, request: Request) -> Answer:
    """All versions of one language; the article stays, even without any (ours)."""
    article, language = _written(org, request)
    with library.noticed(org, article):
        del article["draft"][language]
        article["published"].pop(language, None)
        library.touch(org, article, request.owner)
    return empty()


@handles("move_article")
def move_article(org: Organisation, request: Request) -> Answer:
    article, parent = _article(org, request), request.path["parentId"]
    if library.collection_of(org, parent) is None:
        raise missing()
    with library.noticed(org, article):
        article["parent"] = parent
        library.touch(org, article, request.owner)
    return empty()


@handles("remove_article_parent")
def remove_article_parent(org: Organisation, request: Request) -> Answer:
    """The article stays, but is in no collection and hence on no help centre (ours)."""
    article = _article(org, request)
    with library.noticed(org, article):
        article["parent"] = None
        library.touch(org, article, request.owner)
    return empty()
