from pathlib import Path

import pytest

from rca.errors import ConfigError
from rca.sources.elastic.schema import Role, Schema, load_schemas, merge


@pytest.fixture(scope="module")
def shipped() -> Schema:
    return load_schemas()


def test_the_service_name_is_preferred_to_labels_and_those_to_container_names(shipped: Schema) -> None:
    order = shipped.candidates(Role.SERVICE)
    names = [
        "service.name",
        "resource.attributes.service.name",
        "kubernetes.labels.app",
        "kubernetes.deployment.name",
        "kubernetes.container.name",
        "kubernetes.container_name",
    ]
    assert [name for name in order if name in names] == names


@pytest.mark.parametrize(
    ("field", "raw", "level"),
    [
        ("log.level", "error", "ERROR"),
        ("log.level", " Warning ", "WARN"),
        ("log.level", "CRITICAL", "FATAL"),
        ("log.level", "Audit", "AUDIT"),
        ("log.level", "", ""),
        ("severity_number", 16, "WARN"),
        ("severity_number", 17, "ERROR"),
        ("severity_number", 24, "FATAL"),
        ("severity_number", 0, "TRACE"),
        ("level", 50, "ERROR"),
        ("level.keyword", "30", "INFO"),
        ("level", "fatal", "FATAL"),
        ("log.syslog.severity.code", 2, "FATAL"),
        ("log.syslog.severity.code", 6, "INFO"),
        ("levelno", 30.0, "WARN"),
        ("log.level", 3, "3"),
    ],
)
def test_words_and_numbers_become_levels(shipped: Schema, field: str, raw: object, level: str) -> None:
    assert shipped.level(field, raw) == level


def test_the_users_own_schema_comes_first(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('[roles]\nservice = ["team.app"]\n[levels]\nerror = "warn"\n', "utf-8")
    schema = load_schemas(tmp_path)
    assert schema.candidates(Role.SERVICE)[:2] == ("team.app", "service.name")
    assert schema.level("log.level", "ERROR") == "WARN"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("roles = [", "can't be read"),
        ("colour = 1", "unknown key 'colour'"),
        ("priority = 'high'", "priority"),
        ("roles = 3", "roles isn't a table"),
        ("[roles]\nservise = ['a']", "unknown role 'servise'"),
        ("[roles]\nservice = 'a'", "isn't a list"),
        ("[events]\nlevel = ['a']", "unknown role 'level'"),
        ("[event_kinds]\nship = 'launch'", "'launch' is no kind of change"),
        ("[levels]\nerror = 1", "isn't a text"),
        ("[scales.level]\nhigh = 'ERROR'", "scale of 'level'"),
        ("[scales]\nlevel = 1", "scale of 'level'"),
    ],
)
def test_a_schema_that_can_not_be_used_is_refused_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "bad.toml").write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=reason):
        load_schemas(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="isn't there"):
        load_schemas(tmp_path / "none")


def test_merging_keeps_the_first_of_what_contradicts() -> None:
    first = {"roles": {"level": ["a", "b"]}, "scales": {"a": {"1": "info"}}}
    second = {"roles": {"level": ["b", "c"]}, "scales": {"a": {"1": "error"}}}
    merged = merge([first, second])
    assert merged.candidates(Role.LEVEL) == ("a", "b", "c")
    assert merged.level("a", 1) == "INFO"
    assert merged.candidates(Role.STACK) == ()
