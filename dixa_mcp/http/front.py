"""Where the server listens and to whom it answers, read off the settings; what isn't safe stops the start."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import SplitResult, urlsplit

from dixa_mcp.errors import SettingsError
from dixa_mcp.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, flag: str) -> Self:
        """Read `HOST:PORT`, an IPv6 host in brackets.

        Raises:
            SettingsError: It is neither.
        """
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or int(port) > 65535 or (":" in host and f"[{host}]" not in text):
            raise SettingsError(f"{flag} takes HOST:PORT, such as 127.0.0.1:8765 or [::1]:8765, not {text!r}.")
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Front:
    """The address, and the hosts and origins that may stand in a request."""

    address: Address
    hosts: frozenset[str]
    origins: frozenset[str]
    resource: str
    """The URL of the MCP endpoint as clients know it; empty when nobody said."""
    metrics: Address | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read it off the settings.

        Raises:
            SettingsError: Something is malformed, or the server would stand open beyond this machine.
        """
        address = Address.parse(settings.http, "--http")
        if not address.loopback and settings.auth == "none":
            raise SettingsError(
                f"--http {settings.http} can be reached from other machines, so callers must prove who they are.",
                "Set --auth, or listen on 127.0.0.1.",
            )
        if not address.loopback and not settings.allow_hosts:
            raise SettingsError(
                f"--http {settings.http} can be reached from other machines, so it must know its own names.",
                "Set --allow-hosts to the host names clients use, or listen on 127.0.0.1.",
            )
        public = settings.public_url.rstrip("/")
        if public:
            checked_url(public, "--public-url")
        for origin in settings.allow_origins:
            if checked_url(origin, "--allow-origins").path:
                raise SettingsError(f"--allow-origins takes origins without a path, not {origin!r}.")
        return cls(
            address=address,
            hosts=frozenset(_host(name) for name in settings.allow_hosts) | _own(address),
            origins=frozenset(origin.lower() for origin in settings.allow_origins),
            resource=public and f"{public}{PATH}",
            metrics=Address.parse(settings.metrics, "--metrics") if settings.metrics else None,
        )

    def knows_host(self, header: str) -> bool:
        """Whether a request's Host is one of ours; an entry without a port fits every port."""
        host = header.lower()
        return host in self.hosts or _without_port(host) in self.hosts

    def knows_origin(self, header: str) -> bool:
        """Whether a page of this origin may call; those of this machine may where only it can reach us."""
        origin = header.lower()
        if origin in self.origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return self.address.loopback and parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK


def _own(address: Address) -> frozenset[str]:
    return frozenset((*LOOPBACK, "[::1]")) if address.loopback else frozenset()


def _host(name: str) -> str:
    if "/" in name or "*" in name or not name.isprintable() or " " in name:
        raise SettingsError(f"--allow-hosts takes host names such as mcp.example.com, not {name!r}.")
    return name.lower()


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdecimal() and name else host


def checked_url(url: str, flag: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not host or not plain or parts.query or parts.fragment or parts.username or not url.isascii():
        raise SettingsError(f"{flag} takes an https URL (http on this machine only), not {url!r}.")
    return parts
