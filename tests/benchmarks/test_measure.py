"""What is measured of a command is the command's own."""

import sys
from pathlib import Path

import pytest

from benchmarks import measure


def test_the_memory_of_who_starts_a_command_does_not_count(tmp_path: Path) -> None:
    held = bytearray(300_000_000)
    command = [
        sys.executable,
        "-S",
        "-c",
        "import time; held = bytearray(60_000_000); time.sleep(0.2); print(len(held))",
    ]
    found = measure.run(command, environment={}, folder=tmp_path)
    assert found.output.strip() == "60000000"
    assert 60 < found.megabytes < len(held) / 1e6
    assert found.seconds >= 0.2


def test_a_command_keeps_its_bytecode_as_an_installed_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "library.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("import library")
    measure.run([sys.executable, str(script)], environment={}, folder=tmp_path)
    assert list(tmp_path.glob("__pycache__/library.*.pyc"))
