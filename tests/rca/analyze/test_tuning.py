"""Every constant of the readers reaches them from the options of the analysis, whatever was kept of a variant."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from rca.analyze import AnalysisOptions, analyze
from rca.analyze.assess import assess
from rca.analyze.compose import report_of
from rca.analyze.memo import Memo
from rca.bundle import read_bundle
from rca.model.incident import Bundle
from rca.model.logs import LogLine
from rca.model.report import ToolInfo
from rca.model.signals import FloatArray
from rca.model.tuning import Tuning
from rca.model.tuning.lines import BurstTuning, LineTuning
from rca.model.tuning.rows import RowTuning
from rca.model.tuning.spans import SpanTuning
from tests.rca.analyze.conftest import ONSET_ROW, MakeBundle

FIXTURES = Path(__file__).parents[3] / "fixtures"
Bundles: TypeAlias = dict[str, Bundle]


@pytest.fixture(scope="module")
def recorded() -> Bundles:
    """Recordings of a store that hangs and of a service that stops."""
    hang = read_bundle(FIXTURES / "testbed" / "redis-hang.tar.gz")
    down = read_bundle(FIXTURES / "shop" / "orders-down.tar.gz")
    return {"hang": hang, "hang without metrics": replace(hang, metrics=None), "down": down}


@pytest.fixture
def bundles(
    recorded: Bundles,
    past: Bundle,
    checkout: Bundle,
    make_bundle: MakeBundle,
    quiet: Callable[[int, float, float], FloatArray],
) -> Bundles:
    """These, one that is over, a counter with a reset, and a name that can't be resolved: all readers are used."""
    growing = np.cumsum(np.maximum(quiet(1, 5.0, 1.0), 0.0))
    growing[30:] -= growing[30] - 1.0
    counter = make_bundle({"web|http_requests_total": growing, "db|cpu": quiet(2, 1.0, 0.1)})
    said = {False: "order is placed", True: "dial tcp: lookup orders: no such host"}
    start, middle = checkout.window.span.start, ONSET_ROW * 60
    lines = (
        LogLine(start + timedelta(seconds=at), "web", "INFO", said[at >= middle]) for at in range(0, 3600, 20)
    )
    lost = replace(checkout, logs=tuple(lines))
    return {**recorded, "past": past, "counter": counter, "lost": lost}


def watched(group: Tuning | RowTuning | SpanTuning | LineTuning) -> tuple[Any, set[str]]:
    """Constants as they ship, and the names of those that were read."""
    kind, read = type(group), set[str]()
    names = {declared.name for declared in fields(group)}

    class Watched(kind):  # type: ignore[misc, valid-type] # a group of any kind
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            if name in names:
                read.add(name)
            return super().__getattribute__(name)

    return Watched(), read


@pytest.mark.parametrize("name", ["rows", "spans", "lines"])
def test_the_analysis_reads_every_constant_from_its_options(bundles: Bundles, tool: ToolInfo, name: str) -> None:
    group = getattr(Tuning(), name)
    constants, read = watched(group)
    options = AnalysisOptions(tuning=replace(Tuning(), **{name: constants}))
    for bundle in bundles.values():
        analyze(bundle, tool=tool, options=options)
    assert {declared.name for declared in fields(group)} - read == set()


def test_the_ranking_and_the_confidence_read_every_constant_from_the_options(
    bundles: Bundles, tool: ToolInfo
) -> None:
    constants, read = watched(Tuning())
    for bundle in bundles.values():
        analyze(bundle, tool=tool, options=AnalysisOptions(tuning=constants))
    assert {declared.name for declared in fields(Tuning)} - read == set()


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("hang", "explain_told_z", 1.0),
        ("hang", "arrived", 0.0),
        ("hang", "edge_star", 1),
        ("hang", "onset_fits", 1.0),
        ("down", "pseudo_rows", 1000),
        ("down", "pseudo_from", 0.9),
        ("down", "pseudo_share", 0.05),
        ("hang without metrics", "rows.clock_seconds", 60.0),
        ("counter", "rows.counter_rising", 1.0),
        ("hang", "rows.host_distinct", 1),
        ("hang", "rows.recent_quantile", 1.0),
        ("hang", "rows.recurrence_from", 1e6),
        ("hang", "rows.recurrence_longest", 0.1),
        ("past", "rows.recovery_after_rows", 50),
        ("down", "rows.silence_present", 1.0),
        ("down", "rows.silence_missing", 0.0),
        ("hang", "spans.unseen", 25.0),
        ("hang", "spans.own_floor", 1.0),
        ("hang", "spans.path_slow", 0.5),
        ("hang", "lines.alike", 1.0),
        ("lost", "lines.says_failure", 0.0),
        ("down", "lines.unseen", 25.0),
        ("hang without metrics", "lines.bursts", BurstTuning(more=1e6)),
    ],
)
def test_another_value_changes_what_is_found_and_nothing_stale_is_kept(
    bundles: Bundles, tool: ToolInfo, where: str, name: str, value: Any
) -> None:
    bundle, plain = bundles[where], AnalysisOptions()
    group, _, field = name.rpartition(".")
    changed = {group: replace(getattr(plain.tuning, group), **{field: value})} if group else {field: value}
    other = AnalysisOptions(tuning=replace(plain.tuning, **changed))
    alone, memo = analyze(bundle, tool=tool, options=other), Memo()
    assert report_of(assess(bundle, plain, memo), plain, tool=tool) != alone
    assert report_of(assess(bundle, other, memo), other, tool=tool) == alone
