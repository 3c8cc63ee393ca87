import json
import stat
from pathlib import Path
from typing import Any

from tests.command import Invoke


def test_init_writes_a_file_that_loads_and_changes_nothing(invoke: Invoke) -> None:
    path = Path(invoke("config", "init").out.strip())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "it may come to hold a password"
    assert invoke("config", "path").out.strip() == str(path)
    shown = json.loads(invoke("config", "show", "--format", "json").out)
    assert {entry["origin"] for entry in shown.values()} == {"default"}


def test_every_key_of_the_template_is_a_key_with_its_default(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    invoke("config", "init", "-o", path)
    before = json.loads(invoke("config", "show", "--format", "json").out)
    ready = (
        "time_budget",
        "redact",
        "indices",
        "sample_lines",
        "timeout",
        "verify",
        "concurrency",
        "minutes",
        "step_",
    )
    lines = [
        line.removeprefix("#") if line.startswith("#") and line[1:].startswith(ready) else line
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    after = json.loads(invoke("config", "show", "--format", "json", "--config", path).out)
    assert {key: entry["value"] for key, entry in after.items()} == {key: e["value"] for key, e in before.items()}
    assert sum(entry["origin"] != "default" for entry in after.values()) >= 6


def test_init_overwrites_nothing_unless_forced(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("redact = true")
    outcome = invoke("config", "init", "-o", path)
    assert outcome.code == 2
    assert "exists" in outcome.err
    assert path.read_text() == "redact = true"
    assert invoke("config", "init", "-o", path, "--force").code == 0


def test_init_writes_no_toml_under_another_formats_name(invoke: Invoke, tmp_path: Path) -> None:
    outcome = invoke("config", "init", "-o", tmp_path / "rca.yaml")
    assert outcome.code == 2
    assert "End it in .toml" in outcome.err
    assert not (tmp_path / "rca.yaml").exists()


def test_init_says_where_it_cannot_write(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert invoke("config", "init", "-o", tmp_path / "file" / "config.toml").code == 2


def test_show_names_the_origin_of_each_value(invoke: Invoke, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[prometheus]\nurl = 'http://p:9090'\n")
    monkeypatch.setenv("RCA_WINDOW_TIMEZONE", "Europe/Berlin")
    shown = invoke("config", "show", "--config", path, "--es-url", "http://e:9200").out
    assert f"prometheus.url                 http://p:9090  [file {path}]" in shown
    assert "Europe/Berlin  [RCA_WINDOW_TIMEZONE]" in shown
    assert "http://e:9200  [flag]" in shown


def test_path_says_when_there_is_no_file_yet(invoke: Invoke) -> None:
    assert "rca config init" in invoke("config", "path").err
