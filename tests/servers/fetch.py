"""Fetch the real servers the live tests talk to, into a cache outside the repository.

Run it alone with `python tests/servers/fetch.py`; the fixtures call it too. Everything comes through the ordinary
clients (Maven, apt), as they are configured on this machine. It needs only the standard library.

- Elasticsearch: Maven's `org.elasticsearch.distribution.integ-test-zip`, the server less its optional modules.
- Prometheus: `prometheus` and `promtool` on PATH, else Debian's package, unpacked and not installed.
- VictoriaMetrics: `victoria-metrics` on PATH, else Debian's package, the same way.
- Java: 17 or later for Elasticsearch 8, 21 or later for Elasticsearch 9.

The cache is `$RCA_TEST_CACHE`, else `/var/cache/rca-tests` for root (Elasticsearch runs as another user, who could
not read root's home), else `~/.cache/rca-tests`.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ElasticsearchRelease:
    """One pinned release.

    Attributes:
        sha256: Of the archive.
        java: The lowest Java it runs on.
    """

    version: str
    sha256: str
    java: int


ELASTICSEARCH_8 = ElasticsearchRelease(
    "8.19.0", "14833b2d86c30656901f92049f81fb5777a8e4545413c8656cd1a21b55173033", 17
)
ELASTICSEARCH_9 = ElasticsearchRelease(
    "9.2.0", "bf44938a0490ba2a303d39c9cb64b38963dd08c812ce93e10816e878585bcb6b", 21
)
MINUTES = 60


class UnavailableError(Exception):
    """A server can't be had on this machine; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class PrometheusTools:
    """Where Prometheus' two programs are."""

    prometheus: Path
    promtool: Path


def cache_folder() -> Path:
    """The cache, made when it isn't there."""
    named = os.environ.get("RCA_TEST_CACHE")
    default = Path("/var/cache/rca-tests") if os.geteuid() == 0 else Path.home() / ".cache" / "rca-tests"
    folder = Path(named) if named else default
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch_elasticsearch(release: ElasticsearchRelease) -> Path:
    """The home of an unpacked Elasticsearch, fetched when the cache lacks it.

    Raises:
        UnavailableError: Maven is missing, or the archive can't be had or isn't what was pinned.
    """
    home = cache_folder() / f"elasticsearch-{release.version}"
    with _locked("elasticsearch"):
        if _is_elasticsearch(home, release):
            return home
        with _workbench() as bench:
            archive = _download_elasticsearch(release, bench)
            _say(f"unpacking {archive.name}")
            _unzip(archive, bench)
            unpacked = bench / home.name
            if not _is_elasticsearch(unpacked, release):
                raise UnavailableError(f"{archive.name} does not hold Elasticsearch {release.version}")
            _move_into_place(unpacked, home)
    return home


def fetch_prometheus() -> PrometheusTools:
    """Prometheus' programs: those on PATH, else the cache's, else Debian's package unpacked into the cache.

    Raises:
        UnavailableError: There is no apt to ask, or it doesn't have the package.
    """
    on_path = shutil.which("prometheus"), shutil.which("promtool")
    if on_path[0] and on_path[1]:
        return PrometheusTools(Path(on_path[0]), Path(on_path[1]))
    home = cache_folder() / "prometheus"
    tools = PrometheusTools(home / "usr/bin/prometheus", home / "usr/bin/promtool")
    with _locked("prometheus"):
        if not _is_prometheus(tools):
            with _workbench() as bench:
                unpacked = bench / "unpacked"
                _run(
                    [
                        "dpkg-deb",
                        "-x",
                        str(_download_debian("prometheus", bench, "prometheus and promtool")),
                        str(unpacked),
                    ],
                    cwd=bench,
                )
                _move_into_place(unpacked, home)
            if not _is_prometheus(tools):
                raise UnavailableError("Debian's prometheus package holds no program that runs here")
    return tools


def fetch_victoriametrics() -> Path:
    """VictoriaMetrics' program: what is on PATH, else the cache's, else Debian's package unpacked into the cache.

    Raises:
        UnavailableError: There is no apt to ask, or it doesn't have the package.
    """
    name = "victoria-metrics"
    if on_path := shutil.which(name):
        return Path(on_path)
    home = cache_folder() / name
    program = home / "usr/bin" / name
    with _locked(name):
        if not program.exists():
            with _workbench() as bench:
                unpacked = bench / "unpacked"
                _run(["dpkg-deb", "-x", str(_download_debian(name, bench, name)), str(unpacked)], cwd=bench)
                _move_into_place(unpacked, home)
        if not program.exists():
            raise UnavailableError(f"Debian's {name} package holds no program of that name")
    return program


def find_java(at_least: int) -> Path:
    """The home of the oldest Java that is new enough; for root, Debian's is installed when there is none.

    Raises:
        UnavailableError: There is none.
    """
    found = _java_at_least(at_least)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        package = f"openjdk-{at_least}-jre-headless"
        if _apt_has(package):
            _apt_install(package)
            found = _java_at_least(at_least)
    if found is None:
        raise UnavailableError(
            f"no Java {at_least} or later in JAVA_HOME, /usr/lib/jvm or PATH: install one, point JAVA_HOME at it"
        )
    return found


def _java_at_least(version: int) -> Path | None:
    on_path = shutil.which("java")
    candidates = [
        *([Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []),
        *sorted(Path("/usr/lib/jvm").glob("*")),
        *([Path(on_path).resolve().parent.parent] if on_path else []),
    ]
    fitting = [(have, home) for home in candidates if (have := _java_version(home)) >= version]
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _java_version(home: Path) -> int:
    """The major version of a Java home, 0 when it isn't one."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return 0
    match = re.search(r'JAVA_VERSION="(\d+)', text)
    return int(match[1]) if match and (home / "bin/java").exists() else 0


def _download_elasticsearch(release: ElasticsearchRelease, bench: Path) -> Path:
    if not shutil.which("mvn"):
        _apt_install("maven")
    _say(f"fetching Elasticsearch {release.version} through Maven")
    artifact = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{release.version}:zip"
    _run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={bench}"], cwd=bench)
    archive = bench / f"elasticsearch-{release.version}.zip"
    if not archive.exists():
        raise UnavailableError(f"Maven ended well and left no {archive.name}")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != release.sha256:
        raise UnavailableError(f"{archive.name} has the hash {digest}, not the pinned {release.sha256}")
    return archive


def _download_debian(package: str, bench: Path, programs: str) -> Path:
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise UnavailableError(f"no {programs} on PATH, and no {program} to fetch them with")
    if not _apt_has(package):
        raise UnavailableError(f"apt knows no package {package}; install {programs} onto PATH")
    _say(f"fetching Debian's {package} package")
    _run(["apt-get", "download", "-q", package], cwd=bench)
    return next(bench.glob(f"{package}_*.deb"))


def _is_elasticsearch(home: Path, release: ElasticsearchRelease) -> bool:
    return (home / f"lib/elasticsearch-{release.version}.jar").exists() and (home / "bin/elasticsearch").exists()


def _is_prometheus(tools: PrometheusTools) -> bool:
    try:
        for program in (tools.prometheus, tools.promtool):
            _run([str(program), "--version"], cwd=Path("/"))
    except UnavailableError:
        return False
    return True


def _unzip(archive: Path, into: Path) -> None:
    """Unpack with the permissions the archive names, which `zipfile` drops."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                path = Path(opened.extract(entry, into))
                path.chmod(0o755 if entry.is_dir() or (entry.external_attr >> 16) & 0o100 else 0o644)
    except (zipfile.BadZipFile, OSError) as error:
        raise UnavailableError(f"{archive.name} can't be unpacked: {error}") from error


def _move_into_place(unpacked: Path, home: Path) -> None:
    unpacked.chmod(0o755)
    if home.exists():
        shutil.rmtree(home)
    unpacked.rename(home)
    _say(f"ready: {home}")


def _apt_has(package: str) -> bool:
    """Whether apt can fetch a package; root refreshes its lists before the answer is no."""
    for refresh in (False, True):
        if refresh:
            if os.geteuid() != 0:
                return False
            _run(["apt-get", "update", "-q"], cwd=Path("/"))
        if re.search(r"Candidate: (?!\(none\))\S", _run(["apt-cache", "policy", package], cwd=Path("/"))):
            return True
    return False


def _apt_install(package: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise UnavailableError(f"{package} is missing: install it (on Debian: apt-get install {package})")
    if not _apt_has(package):
        raise UnavailableError(f"{package} is missing and apt has no such package")
    _say(f"installing Debian's {package}")
    _run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], cwd=Path("/"))


def _run(command: Sequence[str], *, cwd: Path) -> str:
    """What a command wrote, or why it failed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell, no foreign input
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=10 * MINUTES
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        last = (done.stderr + done.stdout).strip().splitlines()[-3:]
        raise UnavailableError(f"{' '.join(command[:3])} ended with {done.returncode}: {' / '.join(last)}")
    return done.stdout


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process at a time fill the cache; the others then find it filled."""
    with (cache_folder() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _workbench() -> Iterator[Path]:
    """A folder inside the cache, so that the last step is one rename; gone afterwards."""
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".fetching-") as folder:
        yield Path(folder)


def _say(text: str) -> None:
    sys.stderr.write(f"fetch: {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Fetch everything that can be had here; 1 when something can't."""
    missing = 0
    for release in (ELASTICSEARCH_8, ELASTICSEARCH_9):
        try:
            home, java = fetch_elasticsearch(release), find_java(release.java)
            _say(f"Elasticsearch {release.version}: {home}, on {java}")
        except UnavailableError as error:
            missing = 1
            _say(f"Elasticsearch {release.version} is not to be had: {error}")
    try:
        _say(f"Prometheus: {fetch_prometheus().prometheus}")
    except UnavailableError as error:
        missing = 1
        _say(f"Prometheus is not to be had: {error}")
    try:
        _say(f"VictoriaMetrics: {fetch_victoriametrics()}")
    except UnavailableError as error:
        missing = 1
        _say(f"VictoriaMetrics is not to be had: {error}")
    return missing


if __name__ == "__main__":
    sys.exit(main())
