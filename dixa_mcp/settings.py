"""Every setting, once: its flag, its variable, its default and its help are read off this table.

A field `no_elicitation` is the flag `--no-elicitation`, the variable `DIXA_MCP_NO_ELICITATION` and a row of
README. Flags beat variables beat defaults. Whatever isn't understood stops the start: a guard that was
mistyped must not be silently off.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NoReturn, Self, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from dixa_mcp.errors import SettingsError

Names = tuple[str, ...]
Budget = int | None
"""Actions an hour; None means unlimited, 0 means none."""

PREFIX = "DIXA_MCP_"
TOKEN_VARIABLE = "DIXA_API_KEY"  # noqa: S105 - the name of a variable, not a secret


class Settings(BaseModel):
    """What the operator decided. Frozen for the life of the process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["read-only", "confirm", "unattended"] = Field(
        default="confirm",
        description="read-only: nothing changes. confirm: a person agrees before anybody outside can notice. "
        "unattended: nobody is asked; only tools named in --unattended may reach a customer.",
    )
    toolsets: Names = Field(
        default=("default",),
        description="Toolsets to offer; `default,privacy` extends the default, `triage` replaces it.",
    )
    tools: Names = Field(default=(), description="Offer exactly these tools.")
    exclude_tools: Names = Field(default=(), description="Never offer or run these tools.")
    queues: Names = Field(
        default=(),
        description="Write only to conversations in these queues (names or ids), and move them only between these.",
    )
    read_queues: Names = Field(default=(), description="Show only conversations in these queues.")
    internal_only: bool = Field(default=False, description="Refuse whatever a customer could notice, whoever agrees.")
    allow_irreversible: bool = Field(
        default=False,
        description="Let a person who types the id anonymise or delete. Without it such calls are refused.",
    )
    unattended: Names = Field(
        default=(), description="Tools that may reach customers without a person; only with --mode unattended."
    )
    egress_hosts: Names = Field(
        default=(), description="Hosts that data and links may go to: webhooks, attachments, URLs."
    )
    acting_agent: str = Field(
        default="", description="Agent (name, e-mail or id) in whose name replies and assignments are made."
    )
    close_is_internal: bool = Field(
        default=False, description="Closing sends no survey here, so it doesn't need a person."
    )
    no_elicitation: Literal["draft", "refuse", "two-step"] = Field(
        default="draft",
        description="When the client can't ask a person. draft: a reply becomes an internal note, the rest is refused. "
        "two-step: preview first, then the same call with its token (for hosts that show each call to a person).",
    )
    answer_within: float = Field(
        default=300, gt=0, le=3600, description="Seconds a person has to answer; a two-step token lives as long."
    )
    kill_switch: Path | None = Field(
        default=None, description="A file; while it exists every write is refused, without a restart."
    )
    pii: Literal["off", "pseudonymise"] = Field(
        default="off",
        description="pseudonymise: names, addresses, numbers become stable tokens; writes take them back.",
    )
    timezone: str = Field(
        default="", description="IANA zone for times; else the only business-hours schedule's, else UTC."
    )
    rate: float = Field(
        default=10,
        gt=0,
        le=10,
        description="Requests a second to Dixa; lower it when other programs share the token.",
    )
    deadline: float = Field(
        default=30, ge=1, le=600, description="Seconds a call may take; waiting for a person not counted."
    )
    budget_approved: Budget = Field(
        default=60, ge=0, description="Actions an hour that a person approved, for each caller."
    )
    budget_customer: Budget = Field(
        default=10, ge=0, description="Actions an hour that reach customers without a person, for the organisation."
    )
    budget_internal: Budget = Field(default=200, ge=0, description="Internal changes an hour, for each caller.")
    budget_irreversible: Budget = Field(default=1, ge=0, description="Irreversible actions an hour, for each caller.")
    budget_read: Budget = Field(default=5000, ge=0, description="Personal records read an hour, for each caller.")
    state_dir: Path | None = Field(
        default=None, description="Where the audit file goes; by default the platform's state directory."
    )
    audit: bool = Field(default=True, description="Record each write, and its outcome, in the audit file.")
    api_key_file: Path | None = Field(
        default=None, description=f"File with the Dixa token, instead of {TOKEN_VARIABLE}."
    )
    auth_scheme: Literal["raw", "bearer"] = Field(default="raw", description="How the token is put in Authorization.")
    base_url: str = Field(default="https://dev.dixa.io/v1", description="The API: https, or http on loopback.")
    sandbox: bool = Field(default=False, description="Use the built-in imitation of Dixa; no token is needed.")

    http: str = Field(default="", description="Serve Streamable HTTP here instead of stdio: HOST:PORT.")
    auth: Literal["none", "shared-token", "dixa-token", "oauth"] = Field(
        default="none",
        description="Who may call over HTTP. none: everybody on this machine. shared-token: bearers of --auth-file. "
        "dixa-token: each caller's own Dixa token. oauth: access tokens of --oauth-issuer.",
    )
    auth_file: Path | None = Field(default=None, description="The table of bearers (TOML); see `dixa-mcp token`.")
    oauth_issuer: str = Field(default="", description="Issuer of the access tokens, an https URL.")
    oauth_audience: str = Field(default="", description="Audience the tokens must have; by default --public-url/mcp.")
    oauth_jwks_url: str = Field(default="", description="Its keys; by default ISSUER/.well-known/jwks.json.")
    oauth_agent_claim: str = Field(default="", description="Claim that holds the caller's acting agent.")
    agent_header: str = Field(
        default="", description="Header that may name the acting agent of a caller who has none of their own."
    )
    public_url: str = Field(default="", description="How clients reach this server, such as https://mcp.example.com.")
    allow_hosts: Names = Field(default=(), description="Host names this server answers to; on loopback also its own.")
    allow_origins: Names = Field(default=(), description="Origins of web pages that may call, such as https://x.test.")
    max_body: int = Field(default=4_194_304, ge=1024, description="Bytes the body of a request may have.")
    capacity: int = Field(default=1024, ge=1, description="HTTP calls at a time; beyond that 503.")
    caller_capacity: int = Field(default=128, ge=1, description="HTTP calls of one caller at a time; beyond that 429.")
    sessions: int = Field(
        default=1024,
        ge=1,
        description="Sessions of the older protocol that may be open, and as many standing streams; beyond that 503.",
    )
    caller_sessions: int = Field(
        default=256, ge=1, description="Sessions, and as many streams, of one caller; beyond that 429."
    )
    tenants: int = Field(default=1000, ge=1, description="Organisations kept ready; the longest unused one goes.")
    grace: float = Field(default=20, gt=0, le=600, description="Seconds that calls may take to finish at the end.")
    metrics: str = Field(default="", description="Serve Prometheus metrics on a port of their own: HOST:PORT.")
    metrics_token: SecretStr = Field(default=SecretStr(""), description="Bearer of /metrics on the port of --http.")
    redis_url: SecretStr = Field(
        default=SecretStr(""), description="Redis that replicas share: redis:// or rediss:// (TLS); better as variable."
    )
    redis_prefix: str = Field(default="dixa-mcp:", min_length=1, description="What every key in Redis begins with.")
    state_key: SecretStr = Field(
        default=SecretStr(""),
        description="Secret of 32 characters or more that replicas share, for sealed questions; NEW,OLD to change it.",
    )

    @field_validator("kill_switch", "state_dir", "api_key_file", "auth_file", mode="before")
    @classmethod
    def _named_file(cls, path: Any) -> Any:
        if path == "":
            raise ValueError("it is empty; name a file, or leave it out")
        return path

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Copenhagen") from error
        return name

    @classmethod
    def load(cls, arguments: Sequence[str], environment: Mapping[str, str], beside: Sequence[str] = ()) -> Self:
        """Read flags and variables; `beside` are flags of the command's own, which a mistyped one may have meant.

        Raises:
            SettingsError: An unknown flag, variable or value; the message is one line that says what to do.
        """
        given: dict[str, Any] = {**_from_environment(environment), **_from_arguments(arguments, beside)}
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            reason = str(first["msg"]).removeprefix("Value error, ")
            raise SettingsError(f"{flag(name)} (or {variable(name)}): {reason}.") from error
        if settings.unattended and settings.mode != "unattended":
            raise SettingsError("--unattended only works with --mode unattended.")
        return settings

    def fingerprint(self) -> str:
        """Eight characters that change when any setting does, for `dixa_status` and support."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:8]

    def token(self, environment: Mapping[str, str]) -> SecretStr:
        """Read the Dixa token from its file or its variable.

        Raises:
            SettingsError: There is none, or it is still a placeholder that the client didn't fill in.
        """
        if self.api_key_file:
            try:
                token = self.api_key_file.expanduser().read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"--api-key-file can't be read: {error.strerror}.") from error
            source = "The file of --api-key-file"
        else:
            token = environment.get(TOKEN_VARIABLE, "").strip()
            source = TOKEN_VARIABLE
        if not token:
            raise SettingsError(f"No Dixa token. Set {TOKEN_VARIABLE} (or --api-key-file), or try --sandbox.")
        if re.search(r"\$\{|\$[A-Z]|\{\{|%[A-Z_]+%", token):
            raise SettingsError(
                f"{source} still reads like a placeholder. Your client didn't fill it in; its syntax may differ: "
                "${VAR} in Claude Code, ${env:VAR} in Cursor and Windsurf, ${input:id} in VS Code, $VAR in Gemini CLI."
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise SettingsError(f"{source} holds characters that no token has (blanks, line breaks or non-ASCII).")
        return SecretStr(token)


def flag(name: str) -> str:
    """The command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser every setting as a flag, with its help."""
    group = parser.add_argument_group("settings", "each also as a variable, such as DIXA_MCP_MODE")
    for name, field in Settings.model_fields.items():
        options: dict[str, Any] = {
            "help": (field.description or "").replace("%", "%%"),
            "default": argparse.SUPPRESS,
        }
        if field.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options["metavar"] = metavar(name)
        group.add_argument(flag(name), dest=name, **options)


def metavar(name: str) -> str:
    """What a setting's value looks like, for help and README."""
    annotation: Any = Settings.model_fields[name].annotation
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    if annotation == Names:
        return "NAME,…"
    if annotation == Budget:
        return "N|unlimited"
    if annotation in {int, float}:
        return "N"
    return "PATH" if "Path" in str(annotation) else "TEXT"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message[:1].upper() + message[1:] + ". See dixa-mcp --help.")


@cache
def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    add_flags(parser)
    return parser


def _from_arguments(arguments: Sequence[str], beside: Sequence[str]) -> dict[str, Any]:
    known, unknown = _parser().parse_known_args(arguments)
    if unknown:
        flags = [*beside, *map(flag, Settings.model_fields)]
        close = get_close_matches(unknown[0].split("=")[0], flags, 1)
        hint = f" Did you mean {close[0]}?" if close else " See dixa-mcp --help."
        raise SettingsError(f"Unknown argument {unknown[0]}.{hint}")
    return {name: _value(name, given) for name, given in vars(known).items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {variable(name): name for name in Settings.model_fields}
    found: dict[str, Any] = {}
    for key, text in environment.items():
        if not key.upper().startswith(PREFIX):
            continue
        if key not in names:
            close = get_close_matches(key.upper(), names, 1)
            hint = f" Did you mean {close[0]}?" if close else " See dixa-mcp --help."
            raise SettingsError(f"Unknown variable {key}.{hint}")
        found[names[key]] = _value(names[key], text)
    return found


def _value(name: str, given: str | bool) -> Any:
    """Read a flag's or variable's text by the type of its field."""
    annotation: Any = Settings.model_fields[name].annotation
    if isinstance(given, bool):
        return given
    text = given.strip()
    if annotation is bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in words:
            raise SettingsError(f"{flag(name)} (or {variable(name)}) is on or off, not {text!r}.")
        return words[text.lower()]
    if annotation == Names:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if annotation == Budget and text.lower() == "unlimited":
        return None
    return text
