import json
import re
from pathlib import Path

import pytest

from tests.command import Invoke


def test_a_score_is_taken_apart(invoke: Invoke, bundle: Path) -> None:
    outcome = invoke("explain", bundle, "cart")
    assert outcome.code == 0
    assert outcome.out.startswith("cart ranks ")
    assert "THE VERDICT" in outcome.out
    assert "BY KIND OF EVIDENCE" in outcome.out
    assert "without logs" in outcome.out
    assert "WHAT WOULD PUT IT LEVEL WITH" in outcome.out
    assert "(likeliest" in outcome.out
    assert outcome.err == ""
    assert re.search(r"\d %", outcome.out)
    assert not re.search(r"\d%", outcome.out), "a share is written as the report writes it"


def test_json_is_a_contract_and_the_same_each_time(invoke: Invoke, bundle: Path) -> None:
    first, second = (invoke("explain", bundle, "cart", "--format", "json").out for _ in range(2))
    assert first == second
    document = json.loads(first)
    assert document["schema_version"] == 1
    assert {"service", "rank", "of", "score", "summary", "verdict", "onset", "parts", "taken"} <= document.keys()
    assert {"explained_by", "explains", "comparisons", "ablations", "moments", "evidence"} <= document.keys()
    assert sum(part["counts"] for part in document["parts"]) == pytest.approx(document["score"], rel=1e-3)
    replayed = json.loads(invoke("replay", bundle, "--format", "json").out)
    suspect = next(one for one in replayed["suspects"] if one["service"] == "cart")
    assert (document["rank"], document["score"]) == (suspect["rank"], suspect["score"])
    assert [item["id"] for item in document["evidence"]] == suspect["evidence"]


def test_the_configured_gap_before_the_onset_counts_as_in_a_replay(
    invoke: Invoke, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scores() -> tuple[float, float]:
        document = json.loads(invoke("explain", bundle, "redis", "--format", "json").out)
        suspects = json.loads(invoke("replay", bundle, "--format", "json").out)["suspects"]
        return document["score"], next(one["score"] for one in suspects if one["service"] == "redis")

    usual = scores()
    monkeypatch.setenv("RCA_WINDOW_GUARD_MINUTES", "0")
    explained, replayed = scores()
    assert explained == replayed != usual[0]


def test_markdown_goes_into_a_file(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    assert invoke("explain", bundle, "redis", "-o", tmp_path / "why.md").code == 0
    text = (tmp_path / "why.md").read_text()
    assert text.startswith("# Why redis ranks where it does")
    assert "| evidence | sigmas | weight |" in text


def test_a_service_without_evidence_has_little_to_show(invoke: Invoke, quiet_bundle: Path) -> None:
    outcome = invoke("explain", quiet_bundle, "gateway")
    assert outcome.code == 0
    assert "WITH A SOURCE LESS" in outcome.out


def test_an_unknown_service_is_a_usage_error_with_a_hint(invoke: Invoke, bundle: Path) -> None:
    outcome = invoke("explain", bundle, "chekout")
    assert outcome.code == 2
    assert "nothing of a service 'chekout'" in outcome.err
    assert "checkout" in outcome.err.splitlines()[1]


def test_a_format_that_it_does_not_have_is_refused(invoke: Invoke, bundle: Path, tmp_path: Path) -> None:
    assert invoke("explain", bundle, "cart", "--format", "html").code == 2
    outcome = invoke("explain", bundle, "cart", "-o", tmp_path / "why.html")
    assert outcome.code == 2
    assert "no format for 'why.html'" in outcome.err
