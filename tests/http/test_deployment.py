"""What `manifests/docker/` holds starts as written: settings, secrets, probes, the end (design §9)."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from running_redis import RunningRedis
from web import HELLO, JSON, KEY, table

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.http.site import Site
from dixa_mcp.settings import Settings

DOCKER = Path(__file__).parents[2] / "manifests" / "docker"


def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


def kubernetes() -> dict[str, Any]:
    documents = yaml.safe_load_all((DOCKER / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def started(environment: dict[str, str], *flags: str) -> Generator[subprocess.Popen[str]]:
    """Run the entry point as the image does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DIXA_")}
    command = [sys.executable, "-m", "dixa_mcp", *flags]
    with subprocess.Popen(command, env=inherited | environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def answered(address: str, process: subprocess.Popen[str]) -> httpx2.Response:
    """Wait until the page answers."""
    for _ in range(400):
        assert process.poll() is None, process.communicate()[1]
        try:
            return httpx2.get(address)
        except httpx2.HTTPError:
            time.sleep(0.05)
    pytest.fail("It never answered.")


def test_the_compose_file_starts_two_replicas_that_answer_and_end_well(
    redis_server: RunningRedis, tmp_path: Path
) -> None:
    """Its environment as written, but for the addresses of this machine; SIGTERM ends it with 0."""
    services = compose()["services"]
    assert services["one"] == services["two"]
    written: dict[str, str] = dict(services["one"]["environment"])
    port, metrics = free_port(), free_port()
    given = {"DIXA_API_KEY": "sandbox-admin-token", "DIXA_MCP_STATE_KEY": KEY, "DIXA_MCP_HOST": "localhost"}
    environment = {name: re.sub(r"\$\{(\w+)[^}]*\}", lambda m: given[m[1]], value) for name, value in written.items()}
    environment |= {
        "DIXA_MCP_HTTP": f"0.0.0.0:{port}",
        "DIXA_MCP_METRICS": f"127.0.0.1:{metrics}",
        "DIXA_MCP_REDIS_URL": redis_server.url,
        "DIXA_MCP_AUTH_FILE": str(table(tmp_path, bot="bot-bearer")),
        "DIXA_MCP_STATE_DIR": str(tmp_path / "state"),
        "DIXA_MCP_SANDBOX": "true",
    }
    assert written.keys() <= environment.keys()
    with started(environment) as process:
        ready = answered(f"http://127.0.0.1:{port}/readyz", process)
        assert ready.json() == {"status": "ready", "writes": "allowed", "state": "redis"}
        url, host = f"http://127.0.0.1:{port}/mcp", {"host": "localhost"}
        assert httpx2.post(url, json=HELLO, headers={**JSON, **host}).status_code == 401
        assert httpx2.post(url, json=HELLO, headers={**JSON, "authorization": "Bearer bot-bearer"}).status_code == 421
        good = {**JSON, **host, "authorization": "Bearer bot-bearer"}
        assert httpx2.post(url, json=HELLO, headers=good).status_code == 200
        assert "dixa_mcp_calls" in httpx2.get(f"http://127.0.0.1:{metrics}/metrics").text
        check = health_check().replace("8765", str(port))
        assert subprocess.run([sys.executable, "-c", check], env={"DIXA_MCP_HTTP": "x"}, check=False).returncode == 0
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    assert '"event": "request"' in log
    assert not [word for word in ("bot-bearer", KEY, "sandbox-admin-token") if word in log]


def health_check() -> str:
    """The program of the image's health check."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)
    assert found
    command: list[str] = yaml.safe_load(found[1])
    assert command[:2] == ["python", "-c"]
    return command[2]


def test_the_image_runs_as_nobody_and_installs_exact_versions() -> None:
    """Slim, non-root, pinned; the file system can be read-only."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "--constraint constraints.txt" in text
    assert yaml.safe_load(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0]) == ["dixa-mcp"]
    service = compose()["services"]["one"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_the_kubernetes_file_starts_the_server_and_probes_pages_it_has(tmp_path: Path) -> None:
    """Arguments as written; each probe's path is one of ours; the end has longer than the server wants."""
    pod = kubernetes()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    secrets = {variable["name"]: variable["valueFrom"]["secretKeyRef"]["key"] for variable in container["env"]}
    values = {"api-key": "token", "state-key": KEY, "redis-url": "rediss://redis.internal:6379/0"}
    environment = {name: values[key] for name, key in secrets.items() if name != "DIXA_API_KEY"}
    arguments = [
        word.replace("/etc/dixa-mcp/callers.toml", str(table(tmp_path, bot="b"))) for word in container["args"]
    ]
    settings = Settings.load(arguments, environment)

    def connect(key: object, pace: object) -> Dixa:
        raise AssertionError("nobody calls")

    site = Site(settings, connect, None)
    paths = {getattr(route, "path", "") for route in site.app.routes}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in paths
    assert pod["terminationGracePeriodSeconds"] > settings.grace
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    ports = {port["containerPort"] for port in container["ports"]}
    assert site.front.metrics
    assert {site.front.address.port, site.front.metrics.port} == ports


def test_the_proxy_passes_on_what_clients_need() -> None:
    """The endpoint and the metadata of OAuth, to both replicas, by name."""
    text = (DOCKER / "Caddyfile").read_text(encoding="utf-8")
    assert "/mcp" in text
    assert "/.well-known/oauth-protected-resource" in text
    for name in ("one:8765", "two:8765"):
        assert name in text.split()
