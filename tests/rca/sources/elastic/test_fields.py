from typing import Any

from rca.sources.elastic.fields import Resolution, listed, resolve, wanted
from rca.sources.elastic.schema import Role, Schema, load_schemas

SCHEMA: Schema = load_schemas()
PATTERNS = ("logs-*",)


def kind(name: str, *indices: str, aggregatable: bool = True) -> dict[str, Any]:
    caps: dict[str, Any] = {"type": name, "aggregatable": aggregatable}
    return {name: caps | ({"indices": list(indices)} if indices else {})}


def resolved(
    fields: dict[str, Any], *, indices: tuple[str, ...] = ("a", "b"), overrides: dict[str, str] | None = None
) -> Resolution:
    caps = {"indices": list(indices), "fields": {"@timestamp": kind("date"), **fields}}
    return resolve(caps, SCHEMA, overrides or {}, PATTERNS)


def test_an_aggregatable_field_is_used_and_a_text_only_through_its_keyword() -> None:
    text = kind("text", aggregatable=False)
    found = resolved({"service.name": text, "service.name.keyword": kind("keyword"), "message": text})
    assert len(found.cohorts) == 1
    cohort = found.cohorts[0]
    assert cohort.indices == PATTERNS
    assert cohort.fields[Role.SERVICE] == ("service.name.keyword",)
    assert cohort.fields[Role.MESSAGE] == ("message",)
    assert cohort.first(Role.TRACE) is None


def test_indices_part_where_a_field_has_two_types() -> None:
    both = kind("keyword", "a") | kind("text", "b", aggregatable=False) | {"unmapped": {"indices": ["c"]}}
    found = resolved({"service.name": both, "kubernetes.labels.app": kind("keyword")}, indices=("a", "b", "c"))
    assert [(cohort.indices, cohort.first(Role.SERVICE), cohort.conflicting) for cohort in found.cohorts] == [
        (("a", "c"), "service.name", ()),
        (("b",), "kubernetes.labels.app", ("service.name",)),
    ]


def test_indices_that_hold_a_field_back_from_aggregation_part_too() -> None:
    held = {"keyword": {"aggregatable": True, "non_aggregatable_indices": ["b"]}}
    assert [cohort.indices for cohort in resolved({"service.name": held}).cohorts] == [("a",), ("b",)]


def test_an_object_of_a_candidates_name_parts_nothing() -> None:
    found = resolved({"service": kind("object", aggregatable=False), "host": kind("object", aggregatable=False)})
    assert [cohort.fields[Role.SERVICE] for cohort in found.cohorts] == [()]
    assert found.cohorts[0].fields[Role.INSTANCE] == ()


def test_what_is_missing_everywhere_is_a_gap_that_names_the_setting() -> None:
    found = resolved({"service.name": kind("keyword")})
    said = {gap.what: gap.why for gap in found.gaps}
    assert set(said) == {"level field", "message field"}
    assert "elasticsearch.fields.level" in said["level field"]


def test_a_timestamp_that_is_no_date_in_some_index_leaves_that_index_out() -> None:
    dates = {"@timestamp": kind("date", "a") | kind("keyword", "b"), "service.name": kind("keyword")}
    found = resolved(dates)
    assert any(gap.what == "logs in b" for gap in found.gaps)


def test_the_users_own_field_is_used_alone_and_with_its_keyword_where_needed() -> None:
    fields = {
        "service.name": kind("keyword"),
        "team": kind("text", aggregatable=False),
        "team.keyword": kind("keyword"),
    }
    assert resolved(fields, overrides={"service": "team"}).cohorts[0].fields[Role.SERVICE] == ("team.keyword",)
    assert resolved(fields, overrides={"service": "team.keyword"}).cohorts[0].first(Role.SERVICE) == "team.keyword"


def test_a_field_of_the_users_that_is_nowhere_is_a_gap_and_the_schemas_stand_in() -> None:
    found = resolved({"service.name": kind("keyword")}, overrides={"service": "nope"})
    assert found.cohorts[0].first(Role.SERVICE) == "service.name"
    assert any(gap.what == "configured service field nope" for gap in found.gaps)


def test_no_index_is_no_cohort() -> None:
    found = resolve({"indices": [], "fields": {}}, SCHEMA, {}, PATTERNS)
    assert (found.cohorts, found.matched, found.gaps) == ((), (), ())


def test_one_index_may_come_as_a_text() -> None:
    caps = {"indices": "a", "fields": {"@timestamp": {"date": {"indices": "a"}}}}
    assert resolve(caps, SCHEMA, {}, PATTERNS).matched == ("a",)


def test_every_counted_candidate_is_asked_for_with_its_keyword() -> None:
    names = wanted(SCHEMA, {"service": "mine.keyword"})
    assert names[Role.SERVICE][:3] == ("mine.keyword", "service.name", "service.name.keyword")
    assert not any(name.endswith(".keyword") for name in names[Role.MESSAGE])


def test_many_names_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c and 2 more"


def test_only_a_message_that_some_index_keeps_as_an_indexed_text_can_be_searched_by_word() -> None:
    text = {"text": {"searchable": True, "aggregatable": False}}
    hidden = {"text": {"searchable": False, "aggregatable": False}}
    found = resolved({"message": text | kind("keyword", "b"), "log": kind("keyword"), "msg": hidden})
    assert [cohort.words for cohort in found.cohorts] == [("message",)]
    assert [cohort.words for cohort in resolved({"message": text}, overrides={"message": "log"}).cohorts] == [
        ("message",)
    ]
    own = resolved({"message": text, "log": kind("keyword")}, overrides={"message": "log"})
    assert [cohort.words for cohort in own.cohorts] == [()]
