from pathlib import Path

import pytest

from rca.config.load import command_defaults, config_hash, data_dir, load_config
from rca.config.settings import Config, ElasticsearchSettings
from rca.errors import ConfigError

FILE = """
time_budget_seconds = 30
[elasticsearch]
url = "http://file:9200"
indices = ["a-*", "b-*"]
password = "hunter2"
[prometheus]
url = "http://me:hunter2@prom:9090"
headers = { "X-Scope-OrgID" = "tenant" }
[profiles.staging.elasticsearch]
url = "http://staging:9200"
[commands.investigate]
service = "checkout"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def refusal(path: Path, environ: dict[str, str] | None = None, **more: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(path=path, environ=environ or {}, profile=more.get("profile"))
    assert caught.value.hint
    return caught.value


def test_without_a_file_the_defaults_are_in_force(tmp_path: Path) -> None:
    loaded = load_config(environ={"XDG_CONFIG_HOME": str(tmp_path)})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}


def test_flags_win_over_environment_over_profile_over_file(file: Path) -> None:
    def url(**arguments: object) -> tuple[str | None, str]:
        loaded = load_config(path=file, **arguments)  # type: ignore[arg-type] # the table below is checked by hand
        return loaded.config.elasticsearch.url, loaded.origins["elasticsearch.url"]

    environ = {"RCA_ES_URL": "http://env:9200"}
    assert url(environ={}) == ("http://file:9200", f"file {file}")
    assert url(environ={}, profile="staging") == ("http://staging:9200", "profile staging")
    assert url(environ=environ, profile="staging") == ("http://env:9200", "RCA_ES_URL")
    assert url(environ=environ, flags={"elasticsearch.url": "http://flag:9200"}) == ("http://flag:9200", "flag")
    assert url(environ={}, flags={"elasticsearch.url": None}) == ("http://file:9200", f"file {file}")


def test_the_file_and_the_profile_can_come_from_the_environment(file: Path) -> None:
    loaded = load_config(environ={"RCA_CONFIG": str(file), "RCA_PROFILE": "staging"})
    assert loaded.path == file
    assert loaded.config.elasticsearch.url == "http://staging:9200"


def test_every_key_has_an_environment_variable(file: Path) -> None:
    environ = {
        "RCA_ES_INDICES": "x-*, y-*",
        "RCA_ES_VERIFY_CERTS": "no",
        "RCA_PROMETHEUS_HEADERS": "X-Scope-OrgID=other, A=b",
        "RCA_PROMETHEUS_CONCURRENCY": "2",
        "RCA_TIME_BUDGET_SECONDS": "7.5",
        "RCA_DATA_DIR": "/somewhere",
        "RCA_TOPOLOGY_FILES": "one.yaml,two.json",
        "RCA_ES_TIMEOUT_SECONDS": "",
    }
    config = load_config(path=file, environ=environ).config
    assert config.elasticsearch.indices == ("x-*", "y-*")
    assert config.elasticsearch.verify_certs is False
    assert config.prometheus.headers == {"X-Scope-OrgID": "other", "A": "b"}
    assert config.prometheus.concurrency == 2
    assert config.time_budget_seconds == 7.5
    assert data_dir(config) == Path("/somewhere")
    assert config.topology.files == (Path("one.yaml"), Path("two.json"))
    assert config.elasticsearch.timeout_seconds == ElasticsearchSettings().timeout_seconds, "empty means not set"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[elasticsearch]\nurls = 'x'", "elasticsearch.urls"),
        ("[elastic]\nurl = 'x'", "elastic"),
        ("elasticsearch = 3", "must be a table"),
        ("redact = 'maybe'", "true or false"),
        ("time_budget_seconds = -1", "0 or more"),
        ("time_budget_seconds = true", "0 or more"),
        ("[elasticsearch]\nindices = 5", "a list of texts"),
        ("[prometheus]\nheaders = [1]", "a table of texts"),
        ("[prometheus]\nconcurrency = 'many'", "a whole number"),
        ("[prometheus]\nurl = 9090", "a text"),
        ("not toml at all", "not valid TOML"),
        ("\x00", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_refused_and_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(line)
    assert complaint in refusal(path).message


def test_a_mistake_in_the_environment_is_refused_and_named(file: Path) -> None:
    assert "RCA_PROMETHEUS_HEADERS" in refusal(file, {"RCA_PROMETHEUS_HEADERS": "nonsense"}).message
    assert "RCA_TIME_BUDGET_SECONDS" in refusal(file, {"RCA_TIME_BUDGET_SECONDS": "inf"}).message


def test_a_variable_that_would_be_ignored_is_refused(file: Path) -> None:
    error = refusal(file, {"RCA_ELASTICSEARCH_URL": "http://x:9200"})
    assert error.hint == "Did you mean RCA_ES_URL?"
    assert refusal(file, {"RCA_WINDOW_QQQQ": "1"}).hint
    assert load_config(path=file, environ={"RCA_SINCE": "2h"}).path == file, "a flag's variable is none of ours"


def test_a_typing_error_gets_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[prometheus]\nurll = 'x'")
    assert refusal(path).hint == "Did you mean 'prometheus.url'?"


def test_a_secret_of_the_wrong_type_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[elasticsearch]\npassword = 123456")
    assert "123456" not in refusal(path).message


def test_a_missing_or_unreadable_file_is_refused_only_when_it_was_named(tmp_path: Path) -> None:
    assert "no configuration file" in refusal(tmp_path / "none.toml").message
    folder = refusal(tmp_path)
    assert folder.message.endswith("is a folder")
    assert "config.toml" in folder.hint
    below = tmp_path / "file"
    below.touch()
    assert "can't be read" in refusal(below / "config.toml").message


def test_an_unknown_profile_is_refused_with_those_there_are(file: Path) -> None:
    assert "it has: staging" in refusal(file, profile="prod").message


def test_secrets_are_withheld_when_shown_and_in_a_repr(file: Path) -> None:
    loaded = load_config(path=file, environ={"RCA_ES_API_KEY": "hunter2"})
    shown = "\n".join(" ".join(row) for row in loaded.shown())
    assert "hunter2" not in shown
    assert "elasticsearch.password (set, not shown)" in shown
    assert "prometheus.url http://(not shown)@prom:9090" in shown
    assert "elasticsearch.indices a-*, b-*" in shown
    assert "hunter2" not in repr(loaded.config.elasticsearch)


def test_commands_can_have_defaults_in_the_file(file: Path) -> None:
    assert command_defaults(file, {}) == {"investigate": {"service": "checkout"}}
    file.write_text("commands = 1")
    with pytest.raises(ConfigError):
        command_defaults(file, {})


def test_the_hash_moves_only_with_what_can_change_an_analysis(file: Path) -> None:
    plain = load_config(environ={}).config
    assert config_hash(plain) == config_hash(load_config(path=file, environ={}).config)
    assert config_hash(plain) != config_hash(load_config(environ={"RCA_WINDOW_GUARD_MINUTES": "9"}).config)
