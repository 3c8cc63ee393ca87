"""A real Elasticsearch on free loopback ports."""

import base64
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import process
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.fetch import ElasticsearchRelease, UnavailableError, fetch_elasticsearch, find_java
from tests.servers.http import Endpoint

START_SECONDS = 120.0
# Little work at the start instead of speed in the long run: right for tests, wrong for a benchmark.
QUICK_START = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1 -XX:-AlwaysPreTouch"
SYSTEM_USER = "rca-tests"

# The passwords of made-up users on servers that live for one test run; bcrypt, as the server wants it.
ADMIN, PASSWORD = "admin", "correct horse"
PASSWORD_HASH = "$2a$10$BevXj0Jlwvf0ZE4XMu4dCe4lBzSO8F6Yg8iCjLMNoopu9J4bwNRjy"
READER = "reader"  # may read logs-* and its mapping: what the documentation says rca needs
STRANGER = "stranger"  # is let in, may read nothing
SERVICE_ACCOUNT = "elastic/fleet-server"
BEARER_TOKEN = base64.b64encode(b"\0\1\0\1" + f"{SERVICE_ACCOUNT}/rca:{PASSWORD}".encode()).decode()
"""Of a service account: the server takes their tokens from a file; the first four bytes are the format's own."""

ROLES = """\
logs_reader:
  indices:
    - names: ["logs-*"]
      privileges: ["read", "view_index_metadata"]
nothing:
  cluster: []
"""


@dataclass(frozen=True, slots=True)
class Elasticsearch(Endpoint):
    """A running server; `username` and `password` are the superuser's when security is on."""

    version: str = ""


@contextmanager
def run_elasticsearch(
    release: ElasticsearchRelease, *, secured: bool = False, tls: bool = False, java_options: str = QUICK_START
) -> Iterator[Elasticsearch]:
    """A server for the length of a `with`.

    Args:
        secured: Check passwords; the users are `ADMIN`, `READER` and `STRANGER`, all with `PASSWORD`.
        tls: Speak HTTPS with a certificate of an own authority; implies `secured`.
        java_options: Of the server's virtual machine.

    Raises:
        UnavailableError: It can't be had or started here.
    """
    server, running = start_elasticsearch(release, secured=secured, tls=tls, java_options=java_options)
    try:
        yield server
    finally:
        running.stop()


def start_elasticsearch(
    release: ElasticsearchRelease,
    *,
    secured: bool = False,
    tls: bool = False,
    java_options: str = QUICK_START,
    owner: int | None = None,
) -> tuple[Elasticsearch, process.ServerProcess]:
    """Start a server that lives until it is stopped or until the process `owner` ends.

    Raises:
        UnavailableError: It can't be had or started here.
    """
    java, home = find_java(release.java), fetch_elasticsearch(release)
    user = system_user()
    with process.new_folder("elasticsearch") as folder:
        certificates = make_certificates(folder / "config") if tls else None
        _configure(folder, home, secured=secured or tls, certificates=certificates)
        if user is not None:
            _give(folder, user)
    environment = {
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
        "ES_JAVA_OPTS": f"-XX:-UsePerfData {java_options}",
        "CLI_JAVA_OPTS": "-XX:-UsePerfData",
        "HOME": str(folder),
    }
    command: list[str | Path] = [
        "env",
        *(f"{name}={value}" for name, value in environment.items()),
        home / "bin/elasticsearch",
    ]
    running = process.start(command, folder, owner=owner, user=user)
    ports = folder / "logs/http.ports"
    running.wait_until(ports.exists, seconds=START_SECONDS, what=f"Elasticsearch {release.version}")
    port = re.search(r"127\.0\.0\.1:(\d+)", ports.read_text())
    if port is None:
        running.stop()
        raise UnavailableError(f"Elasticsearch {release.version} wrote no port into {ports.name}")
    server = Elasticsearch(
        url=f"{'https' if tls else 'http'}://127.0.0.1:{port[1]}",
        username=ADMIN if secured or tls else "",
        password=PASSWORD if secured or tls else "",
        ca_certs=certificates.ca if certificates else None,
        fingerprint=certificates.fingerprint if certificates else "",
        ca_fingerprint=certificates.ca_fingerprint if certificates else "",
        version=release.version,
    )
    healthy = "/_cluster/health?wait_for_status=yellow&timeout=1s"
    running.wait_until(
        lambda: server.answers(healthy), seconds=START_SECONDS, what=f"Elasticsearch {release.version}"
    )
    return server, running


def _configure(folder: Path, home: Path, *, secured: bool, certificates: Certificates | None) -> None:
    """Write a configuration in which everything that is written lies in the folder."""
    config = folder / "config"
    shutil.copytree(home / "config", config, dirs_exist_ok=True)
    for name in ("data", "logs", "tmp"):
        (folder / name).mkdir()
    settings = {
        "cluster.name": "rca-tests",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": "0",
        "transport.port": "0",
        "node.portsfile": "true",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "xpack.security.enabled": str(secured).lower(),
        "xpack.security.transport.ssl.enabled": "false",
        "xpack.security.http.ssl.enabled": str(certificates is not None).lower(),
    }
    if certificates is not None:
        settings["xpack.security.http.ssl.certificate"] = certificates.certificate.name
        settings["xpack.security.http.ssl.key"] = certificates.key.name
    (config / "elasticsearch.yml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    options = (config / "jvm.options").read_text()
    (config / "jvm.options").write_text(
        re.sub(r"(?m)^.*(-Xlog:gc|-XX:ErrorFile|-XX:HeapDumpPath).*$", "", options)
    )
    (config / "users").write_text("".join(f"{name}:{PASSWORD_HASH}\n" for name in (ADMIN, READER, STRANGER)))
    (config / "users_roles").write_text(f"superuser:{ADMIN}\nlogs_reader:{READER}\nnothing:{STRANGER}\n")
    (config / "roles.yml").write_text(ROLES)
    (config / "service_tokens").write_text(f"{SERVICE_ACCOUNT}/rca:{PASSWORD_HASH}\n")


def system_user() -> str | None:
    """Whom to run it as: it refuses to run as root, so root makes a system user for it."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(  # noqa: S603 - a fixed command, no shell, no foreign input
            ["useradd", "--system", "--no-create-home", "--user-group", "--shell", "/bin/false", SYSTEM_USER],  # noqa: S607 - where it lies differs between systems
            check=False,  # another process may have just made it
            capture_output=True,
        )
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise UnavailableError(
            f"Elasticsearch doesn't run as root, and no user {SYSTEM_USER} can be made"
        ) from error
    return SYSTEM_USER


def _give(folder: Path, user: str) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, user)
