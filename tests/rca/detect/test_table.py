import numpy as np
import pytest

from rca.detect import table
from rca.model.scores import CHANNELS, Channel, SeriesTable, Side
from rca.model.tuning.rows import RowTuning
from tests.frames import columns
from tests.rca.detect.conftest import MakeFrame

_WALK = np.cumsum(np.random.default_rng(1).standard_normal(20)) + 50


def channels(made: SeriesTable) -> dict[str, Channel]:
    return {key.column: CHANNELS[c] for key, c in zip(made.keys, made.channels, strict=True)}


def test_series_without_a_value_are_left_out(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"a|cpu": _WALK, "b|cpu": np.full(20, np.nan)}), RowTuning())
    assert [key.service for key in made.keys] == ["a"]


def test_a_metric_that_services_share_to_the_digit_is_their_hosts(make_frame: MakeFrame) -> None:
    made = table.build(
        make_frame({"a|cpu": _WALK, "b|cpu": _WALK, "c|cpu": _WALK[::-1], "a|memory": _WALK}), RowTuning()
    )
    assert made.sides == (Side.HOST, Side.HOST, Side.HOST, Side.OWN)


def test_a_machine_that_is_ranked_itself_owns_its_hosts_metrics(make_frame: MakeFrame) -> None:
    made = table.build(
        make_frame({"m1|node_cpu": _WALK, "m1|node_load1": _WALK, "a|node_cpu": _WALK[::-1], "a|latency": _WALK}),
        RowTuning(),
    )
    assert made.sides == (Side.OWN, Side.OWN, Side.HOST, Side.OWN)
    assert channels(made)["m1|node_cpu"] is Channel.CPU


def test_a_hosts_metrics_that_stand_under_several_names_are_nobodys_own(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"a|node_cpu": _WALK, "b|node_cpu": _WALK, "c|cpu": _WALK}), RowTuning())
    assert made.sides == (Side.HOST, Side.HOST, Side.OWN)


def test_a_metric_that_few_services_share_is_no_hosts(make_frame: MakeFrame) -> None:
    others = {f"{name}|cpu": _WALK + i for i, name in enumerate("cde", start=1)}
    made = table.build(make_frame({"a|cpu": _WALK, "b|cpu": _WALK, **others}), RowTuning())
    assert set(made.sides) == {Side.OWN}


def test_constant_series_that_agree_are_no_host(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"a|errors": np.zeros(20), "b|errors": np.zeros(20)}), RowTuning())
    assert set(made.sides) == {Side.OWN}


def test_what_a_call_takes_beyond_the_callee_accuses_the_callees_side(make_frame: MakeFrame) -> None:
    frame = make_frame({"web|call_latency_p50_ms_to:db": _WALK + 30, "db|latency_p50_seconds": _WALK / 1e3})
    made = table.build(frame, RowTuning())
    edge = int(np.flatnonzero(made.derived)[0])
    assert (made.keys[edge].service, made.keys[edge].peer) == ("db", "web")
    assert CHANNELS[made.channels[edge]] is Channel.EDGE
    assert made.values[edge] == pytest.approx(30.0)
    assert made.reference[edge] == pytest.approx(np.median(_WALK) + 30)


def test_without_the_callees_own_measurement_the_callers_stands(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"web|call_latency_p50_ms_to:db": _WALK, "db|cpu": _WALK[::-1]}), RowTuning())
    assert made.values[np.flatnonzero(made.derived)[0]] == pytest.approx(_WALK)


def test_calls_to_a_name_that_cannot_be_resolved_say_nothing_of_the_callee(make_frame: MakeFrame) -> None:
    frame = make_frame({"web|call_latency_p50_ms_to:db": _WALK, "db|cpu": _WALK[::-1]})
    made = table.build(frame, RowTuning(), unresolved=[("web", "db")])
    assert not made.derived.any()


def test_failures_seen_by_a_caller_accuse_both_ends(make_frame: MakeFrame) -> None:
    made = table.build(make_frame({"web|call_errors_to:db": _WALK, "db|cpu": _WALK[::-1]}), RowTuning())
    assert {(key.service, CHANNELS[c]) for key, c in zip(made.keys, made.channels, strict=True)} == {
        ("web", Channel.CLIENT_ERRORS),
        ("db", Channel.ERRORS),
        ("db", Channel.CPU),
    }


@pytest.mark.parametrize(("top", "scale"), [(100.0, 100.0), (1.0, 1.0)])
def test_full_scale_of_availability_is_told_by_its_values(make_frame: MakeFrame, top: float, scale: float) -> None:
    made = table.build(make_frame({"a|availability": np.full(20, top), "a|cpu": _WALK}), RowTuning())
    assert made.full_scale.tolist() == [scale, 0.0]


@pytest.mark.parametrize(
    ("metric", "top", "scale"),
    [
        ("error_ratio", 0.4, 1.0),
        ("error_rate", 0.4, 1.0),
        ("error_rate", 4.5, 0.0),
        ("error_percent", 40.0, 100.0),
        ("errors", 0.4, 0.0),
        ("error_rate", 1.0, 0.0),
    ],
)
def test_ratios_of_failures_are_told_from_counts_and_rates(
    make_frame: MakeFrame, metric: str, top: float, scale: float
) -> None:
    failing = np.where(np.arange(20) >= 15, top, 0.0)
    assert table.build(make_frame({f"a|{metric}": failing}), RowTuning()).full_scale.tolist() == [scale]
    both = table.build(make_frame({f"a|{metric}": np.zeros(20), f"b|{metric}": failing}), RowTuning())
    assert both.full_scale.tolist() == [scale, scale]


def test_a_frame_without_series_makes_an_empty_table(make_frame: MakeFrame) -> None:
    frame = columns(make_frame({"a|cpu": _WALK}), [])
    assert len(table.build(frame, RowTuning())) == 0
