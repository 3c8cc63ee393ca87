"""Running a command in this process, as the tests of the command line and the live tests do."""

import socket
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rca.cli.main import application


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


Invoke = Callable[..., Outcome]


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the machine's own configuration, past incidents or colours."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("RCA_CONFIG", "RCA_PROFILE", "RCA_ES_URL", "RCA_PROMETHEUS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> Invoke:
    """Run a command in this process, at home in an empty folder."""
    assert not own_home.exists()

    def run(*arguments: str | Path, stdin: str | None = None) -> Outcome:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["rca", *words])
        result = CliRunner().invoke(application(), words, input=stdin, catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def closed_url() -> str:
    """The address of a port on which nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
