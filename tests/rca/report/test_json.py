"""JSON: the contract, the same bytes, nothing that isn't JSON."""

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.model.incident import Gap, SourceRecord
from rca.model.report import (
    Confidence,
    Evidence,
    OnsetEstimate,
    Report,
    SimilarIncident,
    Suspect,
    TimelineEntry,
    Verdict,
)
from rca.report import render

MakeReport = Callable[[str], Report]

CONTRACT = {
    "": "schema_version tool bundle window verdict suspects triggers first_failure"
    " impact evidence gaps similar timeline",
    "tool": "version config_hash",
    "bundle": "id sha256",
    "window": "start end onset baseline",
    "verdict": "abstained confidence summary",
    "suspects": "rank service score role path evidence",
    "triggers": "rank kind service commit timestamp score why",
    "first_failure": "service at",
    "evidence": "id kind service text query baseline observed onset",
    "gaps": "source what why",
    "similar": "incident similarity why resolution",
    "timeline": "at what evidence",
}


def read(report: Report) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    value: dict[str, Any] = json.loads(render("json", report), parse_constant=refuse)
    return value


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((files("rca.report") / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_report_keeps_the_schema(any_report: Report, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(read(any_report))


def test_every_key_is_in_the_schema(incident: Report, validator: jsonschema.Draft202012Validator) -> None:
    assert isinstance(validator.schema, dict)
    _described(read(incident), validator.schema)


def _described(value: Any, schema: dict[str, Any]) -> None:
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"]) == set(schema["required"])
        for key, item in value.items():
            _described(item, schema["properties"][key])
    if isinstance(value, list) and "items" in schema:
        for item in value:
            _described(item, schema["items"])


@pytest.mark.parametrize(("part", "keys"), CONTRACT.items())
def test_the_documented_keys_are_all_there(incident: Report, part: str, keys: str) -> None:
    value = read(incident)
    value = value[part] if part else value
    value = value[0] if isinstance(value, list) else value
    assert set(keys.split()) <= set(value)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("suspects", Suspect),
        ("evidence", Evidence),
        ("gaps", Gap),
        ("similar", SimilarIncident),
        ("timeline", TimelineEntry),
        ("sources", SourceRecord),
        ("verdict", Verdict),
        ("onset", OnsetEstimate),
    ],
)
def test_no_field_of_the_model_is_forgotten(incident: Report, part: str, kind: type) -> None:
    value = read(incident)[part]
    value = value[0] if isinstance(value, list) else value
    assert {field.name for field in fields(kind)} == set(value)


def test_times_are_utc_with_milliseconds(incident: Report) -> None:
    assert read(incident)["window"] == {
        "start": "2026-11-22T02:26:40.000Z",
        "end": "2026-11-22T03:26:40.000Z",
        "onset": "2026-11-22T03:11:40.000Z",
        "baseline": {"start": "2026-11-22T02:26:40.000Z", "end": "2026-11-22T03:09:40.000Z"},
    }


def test_the_given_onset_stands_in_where_none_was_found(minimal: Report, incident: Report) -> None:
    given_at = incident.onset.given
    assert (
        read(replace(minimal, onset=OnsetEstimate(None, given=given_at)))["window"]["onset"]
        == "2026-11-22T03:15:00.000Z"
    )
    assert read(minimal)["window"]["onset"] is None


def test_a_store_that_was_not_asked_is_null_and_one_without_an_answer_empty(
    minimal: Report, abstained: Report
) -> None:
    assert read(minimal)["similar"] is None
    assert read(abstained)["similar"] == []


def test_what_is_no_number_is_null(incident: Report) -> None:
    odd = replace(
        incident.evidence[0],
        baseline=math.nan,
        observed=math.inf,
        points=((1.0, math.nan), (math.nan, 1.0), (2.0, -0.0)),
    )
    first = read(replace(incident, evidence=(odd,)))["evidence"][0]
    assert (first["baseline"], first["observed"], first["points"]) == (None, None, [[1.0, None], [2.0, 0.0]])
    assert "-0.0" not in render("json", replace(incident, evidence=(odd,)))


def test_noise_in_the_last_digits_does_not_change_the_bytes(incident: Report) -> None:
    noisy = replace(incident, suspects=tuple(replace(s, score=s.score * (1 + 1e-13)) for s in incident.suspects))
    assert render("json", noisy) == render("json", incident)


def test_a_pair_of_numbers_stays_on_one_line_and_strings_that_look_like_one_are_left_alone(
    incident: Report,
) -> None:
    report = replace(incident, bundle_title="[\n 1,\n 2\n]")
    assert read(report)["bundle"]["title"] == "[\n 1,\n 2\n]"
    assert "        [1795314400.0, 0.04]," in render("json", report)


def test_what_a_source_put_on_record_becomes_json_in_a_fixed_order(incident: Report) -> None:
    details: dict[Any, Any] = {
        "set": {"b", "a"},
        "array": (np.int64(3), np.float64(0.1), True, None),
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "naive": datetime(2026, 1, 2),  # noqa: DTZ001 - a careless source might
        "enum": Confidence.LOW,
        "path": files("rca").__class__,
        3: {"nested": {1, 2}},
    }
    report = replace(incident, sources=(SourceRecord("s", "b", "", {}, details),))
    found = read(report)["sources"][0]["details"]
    assert list(found) == sorted(found)
    assert found["set"] == ["a", "b"]
    assert found["array"] == [3, 0.1, True, None]
    assert found["time"] == "2026-01-02T00:00:00.000Z"
    assert found["naive"] == "2026-01-02 00:00:00"
    assert found["enum"] == "low"
    assert found["3"] == {"nested": [1, 2]}


@given(text=st.text())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was(text: str, hostile: MakeReport) -> None:
    report = hostile(text)
    rendered = render("json", report)
    value = json.loads(rendered)
    assert rendered.isascii()
    assert "\x7f" not in rendered
    assert value["bundle"]["title"] == text
    assert value["suspects"][0]["service"] == text
    assert value["redactions"] == {text: 1}


@given(value=st.floats())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_number_is_rounded_to_six_digits_or_null(value: float, incident: Report) -> None:
    found = read(replace(incident, evidence=(replace(incident.evidence[0], observed=value),)))["evidence"][0][
        "observed"
    ]
    if math.isfinite(value):
        assert found == pytest.approx(value, rel=1e-5, abs=5e-324)
    else:
        assert found is None
