"""Who calls: a request's credentials become a visitor, or a refusal that says how to come in."""

import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import SecretStr

from dixa_mcp.errors import SettingsError
from dixa_mcp.toolbox import Effect

LONGEST_TOKEN = 8192
"""Characters of a credential; longer ones aren't looked at."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is calling, as far as credentials tell."""

    name: str
    """Tells callers of one organisation apart; stands in audit file and logs, so it is no secret."""
    cap: Effect = Effect.IRREVERSIBLE
    agent: str = ""
    """The agent they act as; empty when the credentials don't say."""
    key: SecretStr | None = None
    """Their own Dixa token; None where the server has one for all."""
    scopes: list[str] = field(default_factory=list[str])


class NotAdmittedError(Exception):
    """The credentials don't let this request in.

    `status` is 401, 403 or 503; `error` the code of RFC 6750, empty when there were no credentials at all.
    """

    def __init__(self, status: int, error: str, description: str, scope: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.scope = scope


class Gate(Protocol):
    """One way of telling who calls."""

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Read the credentials of a request, its header names in lower case.

        Raises:
            NotAdmittedError: There are none, or they aren't good.
        """
        ...


def bearer(headers: Mapping[str, str]) -> str:
    """Read the bearer of a request.

    Raises:
        NotAdmittedError: There is none, or it can't be one.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotAdmittedError(401, "", "This server wants an Authorization header with a bearer token.")
    if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise NotAdmittedError(401, "invalid_token", "The bearer token is malformed.")
    return token


def fingerprint(token: SecretStr) -> str:
    """Tell a token from others without revealing it; the same on every replica."""
    return sha256(b"dixa-mcp token\n" + token.get_secret_value().encode()).hexdigest()[:16]


class Open:
    """`--auth none`: whoever reaches the server, which is only this machine."""

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Let everybody in."""
        return Visitor("local")


class OwnToken:
    """`--auth dixa-token`: each caller's bearer is a Dixa token of their own, which Dixa judges when it is used."""

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Let everybody in to what their token opens."""
        key = SecretStr(bearer(headers))
        return Visitor(fingerprint(key), key=key)


@dataclass(frozen=True, slots=True)
class Row:
    """One bearer of the table: the hash of it, and what it stands for."""

    digest: bytes
    visitor: Visitor
    until: date | None = None


class TokenTable:
    """`--auth shared-token`: bearers of a file, which holds their hashes only. A changed file is read again.

    Raises:
        SettingsError: The file can't be read or isn't such a table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()
        self._rows = self._read()
        self._changed = self._stamp()

    async def admit(self, headers: Mapping[str, str]) -> Visitor:
        """Find the bearer; each row is compared, in constant time, whichever fits."""
        digest = sha256(bearer(headers).encode()).digest()
        found: Row | None = None
        for row in self._current():
            if hmac.compare_digest(row.digest, digest):
                found = row
        if found is None:
            raise NotAdmittedError(401, "invalid_token", "This bearer token isn't known here.")
        if found.until and datetime.now(UTC).date() > found.until:
            raise NotAdmittedError(401, "invalid_token", "This bearer token has expired.")
        return found.visitor

    def _current(self) -> list[Row]:
        """The rows, read again when the file has changed; a broken file lets nobody in."""
        stamp = self._stamp()
        if stamp != self._changed:
            try:
                self._rows = self._read()
            except SettingsError as error:
                self._rows = []
                raise NotAdmittedError(503, "", "The table of bearers can't be read.") from error
            self._changed = stamp
        return self._rows

    def _stamp(self) -> tuple[int, int]:
        try:
            state = self._path.stat()
        except OSError:
            return (0, 0)
        return (state.st_mtime_ns, state.st_size)

    def _read(self) -> list[Row]:
        try:
            table = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it isn't TOML"
            raise SettingsError(f"--auth-file can't be read: {why}.") from error
        entries = table.pop("caller", None)
        if table or not isinstance(entries, list) or not entries:
            raise SettingsError("--auth-file must hold [[caller]] blocks and nothing else; see dixa-mcp token.")
        rows = [_row(entry) for entry in cast("list[Any]", entries)]
        for what, given in (("name", [row.visitor.name for row in rows]), ("sha256", [row.digest for row in rows])):
            if len(set(given)) < len(given):
                raise SettingsError(f"--auth-file has the same {what} twice; callers would share budgets and journal.")
        return rows


def _row(entry: Any) -> Row:
    given = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    name = given.get("name")
    if not isinstance(name, str) or not name.isprintable() or not name.strip():
        raise SettingsError("--auth-file has a [[caller]] without a name.")
    if unknown := given.keys() - {"name", "sha256", "agent", "cap", "until"}:
        raise SettingsError(f"--auth-file: {name} has an unknown entry {min(unknown)!r}.")
    try:
        digest = bytes.fromhex(str(given.get("sha256", "")))
    except ValueError:
        digest = b""
    if len(digest) != sha256().digest_size:
        raise SettingsError(f"--auth-file: the sha256 of {name} must be 64 hexadecimal characters.")
    cap, agent, until = given.get("cap", "irreversible"), given.get("agent", ""), given.get("until")
    if cap not in list(Effect):
        raise SettingsError(f"--auth-file: the cap of {name} must be one of {', '.join(Effect)}.")
    if not isinstance(agent, str):
        raise SettingsError(f"--auth-file: the agent of {name} must be a name, an e-mail address or an id.")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise SettingsError(f"--auth-file: until of {name} must be a date such as 2027-01-31.")
    return Row(digest, Visitor(name, Effect(cap), agent), until)
