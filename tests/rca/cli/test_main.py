import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from rca import __version__
from rca.cli.base import Run, command, guarded, printable
from rca.cli.main import COMMANDS, application
from rca.errors import BundleError, NoDataError, RcaError, UsageError
from tests.command import Invoke

HEAVY = (
    "numpy",
    "pandas",
    "networkx",
    "elastic_transport",
    "prometheus_api_client",
    "requests",
    "jinja2",
    "yaml",
    "sqlite3",
)


def run_command(*words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - fixed words


@pytest.mark.parametrize("arguments", [["--help"], ["replay", "--help"], ["incidents", "--help"], ["--version"]])
def test_help_and_version_import_no_heavy_module(arguments: list[str]) -> None:
    script = (
        "import sys, json\n"
        "from rca.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = run_command(sys.executable, "-c", script, *arguments)
    assert done.returncode == 0
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert not loaded & set(HEAVY)


def test_the_first_question_to_elasticsearch_waits_for_no_import_that_it_does_without() -> None:
    modules = "rca.cli.main, rca.cli.investigate, rca.cli.collecting, rca.sources.collect, rca.sources.elastic"
    script = f"import sys, {modules}; sys.stdout.write(' '.join(sys.modules))"
    done = run_command(sys.executable, "-c", script)
    assert done.returncode == 0
    assert not {"numpy", "elasticsearch", "requests", "aiohttp"} & set(done.stdout.split())


def test_an_analysis_without_alerts_reads_in_nothing_of_them() -> None:
    script = "import sys, rca.analyze, rca.report, rca.history; sys.exit('rca.alerts' in sys.modules)"
    assert run_command(sys.executable, "-c", script).returncode == 0


def test_an_http_library_that_elasticsearch_does_without_can_still_be_imported() -> None:
    script = "import rca.sources.elastic, requests; requests.Session()"
    assert run_command(sys.executable, "-c", script).returncode == 0


def test_a_command_reads_in_no_other_commands_module() -> None:
    script = (
        "import sys\n"
        "from rca.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(name for name in sys.modules if name.startswith('rca.cli.')))"
    )
    loaded = run_command(sys.executable, "-c", script, "redact", "--help").stderr.split()
    assert set(loaded) == {
        "rca.cli.main",
        "rca.cli.base",
        "rca.cli.refusal",
        "rca.cli.options",
        "rca.cli.redact",
    }


def test_every_command_is_registered_under_its_name() -> None:
    for name in COMMANDS:
        assert list(typer.main.get_command(application([name])).commands) == [name]  # type: ignore[attr-defined] # a group's


def test_every_command_says_what_it_does(invoke: Invoke) -> None:
    listed = invoke("--help").out
    for name in ("demo", "investigate", "capture", "replay", "topology", "incidents", "eval", "doctor", "config"):
        assert name in listed


def test_the_version_is_the_distributions(invoke: Invoke) -> None:
    assert invoke("--version").out == f"rca {__version__}\n"


def test_an_unknown_command_or_flag_is_a_usage_error(invoke: Invoke) -> None:
    assert invoke("nonsense").code == 2
    assert invoke("replay", "--nonsense").code == 2


def test_a_command_takes_its_defaults_from_the_file(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[commands.replay]\nformat = 'json'\n")
    assert json.loads(invoke("replay", bundle, "--config", path).out)["schema_version"] == 1
    assert invoke("replay", bundle, f"--config={path}", "--format", "markdown").out.startswith("#")


def test_a_default_for_a_flag_that_does_not_exist_is_refused(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for text, complaint in (
        ("[commands.replay]\nformt = 'json'\n", "replay.formt"),
        ("[commands.replya]\nformat = 'json'\n", "replya"),
        ("[commands]\nreplay = 3\n", "replay"),
    ):
        path.write_text(text)
        outcome = invoke("replay", bundle, "--config", path)
        assert outcome.code == 2
        assert complaint in outcome.err


def exit_of(error: BaseException, *, verbose: bool = False) -> int:
    def fail() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        guarded(fail, verbose=verbose)
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RcaError("x"), 1),
        (UsageError("x"), 2),
        (NoDataError("x"), 3),
        (BundleError("x"), 5),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_each_error_has_its_exit_code_and_no_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(error) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_traceback_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    exit_of(ZeroDivisionError("x"), verbose=True)
    assert "Traceback" in capsys.readouterr().err


def test_an_exit_passes_through() -> None:
    assert exit_of(typer.Exit(11)) == 11


def test_what_servers_say_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    exit_of(UsageError("bad \x1b[2J answer", hint="\x07"))
    assert "\x1b" not in capsys.readouterr().err
    assert printable("a\x00b\n\u202ec") == "a\ufffdb\n\ufffdc"


def test_output_into_a_closed_pipe_is_no_error(bundle: Path, tmp_path: Path) -> None:
    script = f"{sys.executable} -m rca replay {bundle} --format html | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = run_command("/bin/bash", "-c", script, home=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_full_disk_is_no_bug_of_ours(bundle: Path, tmp_path: Path) -> None:
    done = run_command("/bin/bash", "-c", f"{sys.executable} -m rca replay {bundle} > /dev/full", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output can't be used: No space left on device\nhint: ")
    assert exit_of(PermissionError(errno.EACCES, "Permission denied", "/x")) == 2
    assert exit_of(FileNotFoundError(errno.ENOENT, "No such file or directory", "/x")) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_standard_stream_that_is_closed_stops_nothing(bundle: Path, tmp_path: Path, closed: str) -> None:
    file = tmp_path / "report.md"
    script = f"{sys.executable} -m rca replay {bundle} -o {file} {closed}"
    done = run_command("/bin/bash", "-c", script, home=tmp_path)
    assert done.returncode == 0
    assert "redis" in file.read_text(encoding="utf-8")


def test_a_pipe_gets_the_same_bytes_in_every_locale(bundle: Path, tmp_path: Path) -> None:
    outputs = []
    for encoding in ("ascii", "latin-1", "utf-8"):
        script = f"PYTHONIOENCODING={encoding} {sys.executable} -m rca replay {bundle} | sha256sum"
        done = run_command("/bin/bash", "-c", script, home=tmp_path)
        assert done.stderr == ""
        outputs.append(done.stdout)
    assert len(set(outputs)) == 1


def test_a_polite_kill_is_like_ctrl_c(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from rca.cli import main\n"
        "main.application = lambda _: lambda: os.kill(os.getpid(), signal.SIGTERM)\n"
        "main.run()"
    )
    done = run_command(sys.executable, "-c", script, home=tmp_path)
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode in {1, 130, -signal.SIGINT}


def test_a_command_gets_the_common_options_as_one_value() -> None:
    app = typer.Typer()
    seen: list[Any] = []

    def act(run: Any, word: str = "x") -> None:
        seen.append((run.quiet, word))

    command(app, "act")(act)
    from typer.testing import CliRunner  # noqa: PLC0415 - only this test builds an application

    assert CliRunner().invoke(app, ["--quiet", "--word", "y"]).exit_code == 0
    assert seen == [(True, "y")]


def test_ctrl_c_while_the_program_is_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from rca.__main__ import main\n"
        "main()"
    )
    done = run_command(sys.executable, "-c", script, home=tmp_path)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.parametrize(
    ("variables", "plain"),
    [
        ({}, False),
        ({"NO_COLOR": ""}, False),
        ({"NO_COLOR": "0"}, True),
        ({"NO_COLOR": "anything"}, True),
        ({"TERM": "dumb"}, True),
        ({"TERM": "xterm"}, False),
    ],
)
def test_colours_are_left_out_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, plain: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Run().plain is plain
    assert Run(no_color=True).plain


def test_whatever_no_color_holds_no_command_minds(
    monkeypatch: pytest.MonkeyPatch, invoke: Invoke, bundle: Path
) -> None:
    monkeypatch.setenv("NO_COLOR", "please")
    assert invoke("replay", bundle, "--quiet").code == 0
