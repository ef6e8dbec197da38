"""The manifests of catalogues, and of what reaches a server of yours over HTTP."""

from string import Template

from forms import ABOUT, HOST, OWNER, REPOSITORY, Target, as_json, as_yaml

from dixa_mcp import __version__
from dixa_mcp.install.clients import NAME, PATIENCE
from dixa_mcp.settings import TOKEN_VARIABLE

BEARER = "Bearer and a blank, then the token that the server's --auth wants"


def catalogues() -> list[Target]:
    """Catalogues that fetch the repository."""
    docker = {
        "name": NAME,
        "image": f"mcp/{NAME}",
        "type": "server",
        "meta": {"category": "productivity", "tags": ["customer-service", "support"]},
        "about": {"title": "Dixa", "description": ABOUT, "icon": f"https://avatars.githubusercontent.com/{OWNER}"},
        "source": {"project": REPOSITORY, "dockerfile": "manifests/docker/Dockerfile", "commit": "0" * 40},
        "config": {
            "description": "Connection to Dixa",
            "secrets": [{"name": f"{NAME}.api_key", "env": TOKEN_VARIABLE, "example": "<API token>"}],
        },
    }
    glama = {"$schema": "https://glama.ai/mcp/schemas/server.json", "maintainers": [OWNER]}
    return [
        Target(
            "Docker catalogue",
            {"docker/server.yaml": as_yaml(docker)},
            "`servers/dixa/` of the catalogue, with the commit to build filled in",
        ),
        Target("Glama", {"glama/glama.json": as_json(glama)}, "the repository's root"),
    ]


def remote() -> list[Target]:
    """What connects to a server of yours over HTTP."""
    connector = {
        "swagger": "2.0",
        "info": {"title": "Dixa", "description": ABOUT, "version": __version__},
        "host": HOST,
        "basePath": "/",
        "schemes": ["https"],
        "paths": {
            "/mcp": {
                "post": {
                    "summary": "Dixa over MCP",
                    "x-ms-agentic-protocol": "mcp-streamable-1.0",
                    "operationId": "InvokeMCP",
                    "responses": {"200": {"description": "Success"}},
                }
            }
        },
        "securityDefinitions": {
            "token": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": BEARER,
            }
        },
        "security": [{"token": []}],
    }
    schema = {
        "type": "object",
        "required": ["authorization"],
        "properties": {
            "authorization": {
                "type": "string",
                "title": "Bearer",
                "description": BEARER,
                "x-from": {"header": "Authorization"},
            }
        },
    }
    return [
        Target(
            "Copilot Studio and Teams",
            {"copilot-studio/connector.yaml": as_yaml(connector)},
            "imported as a custom connector to a server of yours",
        ),
        Target(
            "Smithery",
            {
                "smithery/README.md": Template(_SMITHERY).substitute(host=HOST, owner=OWNER),
                "smithery/config-schema.json": as_json(schema),
            },
            "`smithery mcp publish`, with the address of a server of yours",
        ),
        Target("Slack", {"slack/README.md": Template(_SLACK).substitute(host=HOST, wait=PATIENCE)}, "a note"),
    ]


_SMITHERY = """\
# Smithery

Smithery's command line publishes the address of a server that you run, with a form for what each user brings:

    smithery mcp publish https://$host/mcp -n $owner/dixa-mcp --config-schema config-schema.json

The form asks for the `Authorization` header. Start the server with `--auth dixa-token`, and it is `Bearer` and the
user's own Dixa token. Bundles of the type `uv`, such as ours, aren't taken by its version 4.11, and the older
`smithery.yaml` with a start command isn't read any more.
"""

_SLACK = """\
# Slack

Slack's own MCP client takes remote servers only: give it the address of a server of yours, `https://$host/mcp`,
and let each person sign in there.

A bot of yours can start the server over stdio instead: it is the MCP client then, and its elicitation callback
is where a person decides. Post the question's text as it is into the channel where the conversation is worked on,
with two buttons, and answer `accept` with `{"agree": true}` only for the click of somebody who may decide. Show the
whole text; don't let the model see or shorten it. Wait for $wait seconds at least before the call counts as lost.
"""
