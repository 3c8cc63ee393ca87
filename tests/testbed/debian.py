"""Programs of Debian's packages: what is installed, else unpacked (not installed) into the tests' cache."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.fetch import (
    UnavailableError,
    _apt_has,
    _locked,
    _move_into_place,
    _run,
    _workbench,
    cache_folder,
)

LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True, slots=True)
class Program:
    """A program and the libraries it needs beside it.

    Attributes:
        libraries: For `LD_LIBRARY_PATH`; None for a program that is installed.
    """

    path: Path
    libraries: Path | None = None

    @property
    def command(self) -> list[str | Path]:
        """The words to start it with."""
        if self.libraries is None:
            return [self.path]
        return ["env", f"LD_LIBRARY_PATH={self.libraries}", self.path]


@dataclass(frozen=True, slots=True)
class Programs:
    """All that the testbed needs besides Python, Elasticsearch and Prometheus."""

    redis: Program
    postgres: Program
    initdb: Program
    redis_exporter: Program
    postgres_exporter: Program
    node_exporter: Program


REDIS = (
    *("redis-server", "redis-tools", "libjemalloc2", "liblzf1", "liblua5.1-0"),
    *("lua-bitop", "lua-cjson", "libatomic1"),
)
POSTGRES = ("postgresql-15", "libpq5")


def fetch_programs() -> Programs:
    """Find or fetch every program.

    Raises:
        UnavailableError: One can't be had here; the message says which.
    """
    return Programs(
        redis=_program("redis-server", REDIS),
        postgres=_program("postgres", POSTGRES, folder="usr/lib/postgresql/15/bin"),
        initdb=_program("initdb", POSTGRES, folder="usr/lib/postgresql/15/bin"),
        redis_exporter=_program("prometheus-redis-exporter"),
        postgres_exporter=_program("prometheus-postgres-exporter"),
        node_exporter=_program("prometheus-node-exporter"),
    )


def _program(name: str, packages: tuple[str, ...] = (), *, folder: str = "usr/bin") -> Program:
    installed = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/{folder}")
    if installed:
        return Program(Path(installed))
    packages = packages or (name,)
    home = cache_folder() / packages[0]
    program = Program(home / folder / name, home / LIBRARIES)
    with _locked(packages[0]):
        if not _runs(program):
            _unpack(packages, home)
    if not _runs(program):
        raise UnavailableError(f"Debian's {packages[0]} holds no {name} that runs here")
    return program


def _unpack(packages: tuple[str, ...], home: Path) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise UnavailableError(f"no {packages[0]} on PATH, and no {program} to fetch it with")
    with _workbench() as bench:
        for package in packages:
            if not _apt_has(package):
                raise UnavailableError(f"apt knows no package {package}")
        _run(["apt-get", "download", "-q", *packages], cwd=bench)
        unpacked = bench / "unpacked"
        for archive in sorted(bench.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(unpacked)], cwd=bench)
        _move_into_place(unpacked, home)


def _runs(program: Program) -> bool:
    if not program.path.exists():
        return False
    done = subprocess.run(  # noqa: S603 - a fetched program, no shell, no foreign input
        [*map(str, program.command), "--version"], capture_output=True, check=False
    )
    return done.returncode == 0
