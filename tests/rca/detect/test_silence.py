from datetime import timedelta

import numpy as np
import pytest

from rca.detect import onset
from rca.detect.silence import Reporting, silence, stopped
from rca.detect.table import build
from rca.model.signals import Bad, FloatArray, Kind, SignalFrame, SignalKey
from rca.model.tuning import Tuning

TUNING = Tuning()
ROWS, ONSET = 60, 45
NAMES = ("cart", "checkout", "orders", "search")
STEP = timedelta(minutes=1).total_seconds()


def frame(
    kinds: tuple[Kind, ...] = (Kind.CPU, Kind.TRAFFIC), *, gone: dict[tuple[str, Kind], slice]
) -> SignalFrame:
    rng = np.random.default_rng(3)
    keys, columns = [], []
    for name in NAMES:
        for kind in kinds:
            keys.append(SignalKey(name, f"{kind.value}_metric", None, kind, Bad.UP, "", declared=True))
            column = 1 + 0.1 * rng.standard_normal(ROWS)
            column[gone.get((name, kind), slice(0, 0))] = np.nan
            columns.append(column)
    return SignalFrame(STEP * np.arange(ROWS, dtype=np.float64), np.array(columns).T, tuple(keys))


def silent(made: SignalFrame, row: int = ONSET) -> FloatArray:
    table = build(made, TUNING.rows)
    owner = np.array([NAMES.index(key.service) for key in table.keys], dtype=np.intp)
    split = onset.split(table.times, row, None, TUNING)
    z: FloatArray = silence(Reporting.of(table, TUNING.rows), [split], owner, len(NAMES), TUNING)[0]
    return z


def test_a_service_whose_series_all_end_is_silent_and_nobody_else() -> None:
    ends = slice(ONSET, ROWS)
    z = silent(frame(gone={("cart", Kind.CPU): ends, ("cart", Kind.TRAFFIC): ends}))
    assert z[0] > 20
    assert not z[1:].any()


def test_a_hole_in_all_of_the_scraping_accuses_nobody() -> None:
    hole = slice(ONSET + 2, ROWS)
    assert not silent(
        frame(gone={(name, kind): hole for name in NAMES for kind in (Kind.CPU, Kind.TRAFFIC)})
    ).any()


def test_what_was_sporadic_before_may_be_missing() -> None:
    gone = slice(0, ROWS, 2)
    made = frame(gone={("cart", Kind.CPU): gone, ("cart", Kind.TRAFFIC): gone})
    made.values[ONSET:, :2] = np.nan
    assert not silent(made).any()


def test_one_late_row_is_no_silence() -> None:
    assert not silent(frame(gone={("cart", Kind.CPU): slice(ROWS - 1, ROWS)})).any()


def test_the_last_row_may_not_have_come_yet() -> None:
    last, both = slice(ROWS - 1, ROWS), slice(ROWS - 2, ROWS)
    for rows, said in ((last, False), (both, True)):
        made = frame(gone={("cart", Kind.CPU): rows, ("cart", Kind.TRAFFIC): rows})
        assert bool(silent(made, ROWS - 2).any()) is said


def test_a_service_that_comes_back_is_not_silent() -> None:
    short = slice(ONSET, ONSET + 5)
    assert not silent(frame(gone={("cart", Kind.CPU): short, ("cart", Kind.TRAFFIC): short})).any()


def test_what_stops_together_with_others_counts_for_less() -> None:
    ends = slice(ONSET, ROWS)
    alone = silent(frame(gone={("cart", kind): ends for kind in (Kind.CPU, Kind.TRAFFIC)}))
    two = silent(frame(gone={(name, kind): ends for name in NAMES[:2] for kind in (Kind.CPU, Kind.TRAFFIC)}))
    others = 1 / 3  # one of the three others
    assert two[0] == pytest.approx(alone[0] * (1 - TUNING.rows.silence_others * others))


def test_a_service_that_goes_on_reporting_its_processors_is_not_silent() -> None:
    assert not silent(frame(gone={("cart", Kind.TRAFFIC): slice(ONSET, ROWS)})).any()


@pytest.mark.parametrize("kind", [Kind.ERRORS, Kind.LATENCY])
def test_ratios_and_quantiles_that_end_for_want_of_calls_are_no_silence(kind: Kind) -> None:
    assert not silent(frame((kind,), gone={("cart", kind): slice(ONSET, ROWS)})).any()


def test_where_only_requests_are_measured_their_end_counts_for_less() -> None:
    ends = slice(ONSET, ROWS)
    alone = silent(frame((Kind.TRAFFIC,), gone={("cart", Kind.TRAFFIC): ends}))
    both = silent(frame(gone={("cart", Kind.CPU): ends, ("cart", Kind.TRAFFIC): ends}))
    assert 0 < alone[0] < both[0] / 2


def test_half_of_the_system_ending_at_once_is_nobodys_silence() -> None:
    ends = slice(ONSET, ROWS)
    made = frame(gone={(name, kind): ends for name in NAMES[:3] for kind in (Kind.CPU, Kind.TRAFFIC)})
    assert not silent(made).any()


def test_all_stopped_series_are_counted_whatever_they_measure() -> None:
    ends = slice(ONSET, ROWS)
    table = build(
        frame((Kind.CPU, Kind.ERRORS), gone={("cart", Kind.CPU): ends, ("cart", Kind.ERRORS): ends}), TUNING.rows
    )
    assert stopped(table, onset.split(table.times, ONSET, None, TUNING), TUNING).sum() == 2
