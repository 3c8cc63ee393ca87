"""A real Prometheus on a free loopback port, with a back-filled history."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import process
from tests.servers.certificates import make_certificates
from tests.servers.fetch import UnavailableError, fetch_prometheus
from tests.servers.http import Endpoint

START_SECONDS = 60.0

USERNAME, PASSWORD = "prom", "correct horse"
PASSWORD_HASH = "$2b$04$bi49Y/ptWzT9u5XhMtfUROxjXqmLykOw1B5jhPPDokbwXsh6h0rQa"


@dataclass(frozen=True, slots=True)
class Prometheus(Endpoint):
    """A running server."""

    version: str = ""


@contextmanager
def run_prometheus(
    openmetrics: Iterable[str] = (), *, secured: bool = False, tls: bool = False
) -> Iterator[Prometheus]:
    """A server for the length of a `with`.

    Args:
        openmetrics: Pieces of an OpenMetrics text with timestamps, `# EOF` included: its history. Empty for none.
        secured: Check a password: `USERNAME` and `PASSWORD`.
        tls: Speak HTTPS with a certificate of an own authority.

    Raises:
        UnavailableError: It can't be had or started here.
    """
    server, running = start_prometheus(openmetrics, secured=secured, tls=tls)
    try:
        yield server
    finally:
        running.stop()


def start_prometheus(
    openmetrics: Iterable[str] = (), *, secured: bool = False, tls: bool = False, owner: int | None = None
) -> tuple[Prometheus, process.ServerProcess]:
    """Start a server that lives until it is stopped or until the process `owner` ends.

    Raises:
        UnavailableError: It can't be had or started here, or the history isn't OpenMetrics.
    """
    tools = fetch_prometheus()
    with process.new_folder("prometheus") as folder:
        _backfill(tools.promtool, openmetrics, folder)
        (folder / "prometheus.yml").write_text("scrape_configs: []\n")
        certificates = make_certificates(folder / "config") if tls else None
        web = ""
        if certificates is not None:
            web += f"tls_server_config:\n  cert_file: {certificates.certificate}\n  key_file: {certificates.key}\n"
        if secured:
            web += f"basic_auth_users:\n  {USERNAME}: {PASSWORD_HASH}\n"
        (folder / "web.yml").write_text(web)
    command: list[str | Path] = [
        tools.prometheus,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--web.config.file={folder / 'web.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
    ]
    running = process.start(command, folder, owner=owner)
    running.wait_until(lambda: _port(running.output) != "", seconds=START_SECONDS, what="Prometheus")
    server = Prometheus(
        url=f"{'https' if tls else 'http'}://127.0.0.1:{_port(running.output)}",
        username=USERNAME if secured else "",
        password=PASSWORD if secured else "",
        ca_certs=certificates.ca if certificates else None,
        fingerprint=certificates.fingerprint if certificates else "",
        ca_fingerprint=certificates.ca_fingerprint if certificates else "",
    )
    running.wait_until(lambda: server.answers("/-/ready"), seconds=START_SECONDS, what="Prometheus")
    return server, running


def _port(output: str) -> str:
    """The port it chose, which it only tells its log."""
    found = re.search(r'msg="?Listening on"?.*address=\S*?:([1-9]\d*)', output)
    return found[1] if found else ""


def _backfill(promtool: Path, openmetrics: Iterable[str], folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    text = folder / "history.openmetrics"
    with text.open("w") as file:
        file.writelines(openmetrics)
    if text.stat().st_size == 0:
        return
    done = subprocess.run(  # noqa: S603 - a fetched program, no shell, no foreign input
        [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, data],
        capture_output=True,
        text=True,
        check=False,
    )
    text.unlink()
    if done.returncode != 0:
        raise UnavailableError(f"promtool refused the history: {(done.stderr + done.stdout).strip()[-500:]}")
