"""Knowledge to read: collections, categories, the catalogue (notes §18)."""

from dixa_mcp.sandbox import library
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, missing, page


def _collection(org: Organisation, request: Request) -> Json:
    if request.path["collectionId"] not in org.collections:
        raise missing()
    return org.collections[request.path["collectionId"]]


def _category(org: Organisation, request: Request) -> Json:
    if request.path["categoryId"] not in org.categories:
        raise missing()
    return org.categories[request.path["categoryId"]]


@handles("list_collections")
def list_collections(org: Organisation, request: Request) -> Answer:
    """Paged like other lists; ours: with `meta`, which the document leaves out here (notes §6)."""
    return page(request, list(org.collections.values()))


@handles("get_collection")
def get_collection(org: Organisation, request: Request) -> Answer:
    return data(_collection(org, request))


@handles("get_collection_catalog")
def get_collection_catalog(org: Organisation, request: Request) -> Answer:
    return data(library.catalog(org, _collection(org, request)["id"], request.parameter("language")))


@handles("get_category")
def get_category(org: Organisation, request: Request) -> Answer:
    return data(library.shown_category(org, _category(org, request), request.parameter("language")))


@handles("list_category_translations")
def list_category_translations(org: Organisation, request: Request) -> Answer:
    titles: Json = _category(org, request)["titles"]
    return data({"titles": [{"languageId": language, "title": title} for language, title in titles.items()]})
