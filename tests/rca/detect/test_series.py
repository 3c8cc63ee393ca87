import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.detect import onset, table
from rca.detect.series import Scorer, Split
from rca.model.scores import CHANNELS, Channel, SeriesTable
from rca.model.signals import FloatArray, SignalFrame, SignalKey
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning
from tests.rca.detect.conftest import MakeFrame

TUNING = Tuning()
_NOISE = np.random.default_rng(3).standard_normal(40)


def z_of(make_frame: MakeFrame, column: FloatArray, metric: str = "latency_ms", row: int = 30) -> float:
    made = table.build(make_frame({f"a|{metric}": column}), RowTuning())
    return float(Scorer.of(made, TUNING).score([onset.split(made.times, row, None, TUNING)]).z[0, 0])


def test_a_step_departs_and_noise_does_not(make_frame: MakeFrame) -> None:
    step = 100 + _NOISE + np.where(np.arange(40) >= 30, 100, 0)
    assert z_of(make_frame, step) > 10
    assert z_of(make_frame, 100 + _NOISE) < 1


def test_one_peak_is_not_a_departure(make_frame: MakeFrame) -> None:
    peak = 100 + _NOISE
    peak[35] = 1e4
    assert z_of(make_frame, peak) < 1


def test_errors_that_were_zero_are_the_best_evidence(make_frame: MakeFrame) -> None:
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 0.2, 0.0), "error_ratio") > 50
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 1000.0, 0.0), "errors") == TUNING.z_cap


def test_a_stray_error_is_hardly_evidence(make_frame: MakeFrame) -> None:
    stray = np.where(np.arange(40) == 33, 1.0, 0.0)
    assert z_of(make_frame, stray, "errors") < 2
    assert z_of(make_frame, 0.001 * stray, "error_ratio") < 3


def test_stray_errors_before_hide_no_flood_of_them(make_frame: MakeFrame) -> None:
    rows = np.arange(40)
    stray = np.isin(rows, [4, 21]).astype(np.float64)  # some in each half of the baseline, and in few of its rows
    assert z_of(make_frame, np.where(rows >= 30, 50.0, stray), "errors") > 10
    assert z_of(make_frame, np.where(rows == 33, 1.0, stray), "errors") < 1


def test_a_burst_of_a_resource_that_bursts_now_and_then_is_no_departure(make_frame: MakeFrame) -> None:
    bursts = np.zeros(40)
    bursts[[3, 11, 12, 27, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]] = 1e6
    assert 0 < z_of(make_frame, bursts, "diskio") < 5
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 1e6, 0.0), "diskio") == TUNING.z_cap


def test_what_is_much_to_an_idle_service_may_be_little_to_the_system(make_frame: MakeFrame) -> None:
    late = np.where(np.arange(40) >= 30, 1.0, 0.0)
    idle = 1e3 + 10 * _NOISE + 2e3 * late
    busy = 1e9 + 1e6 * _NOISE[::-1]
    assert z_of(make_frame, idle, "memory_bytes") > 10
    made = table.build(make_frame({"a|memory_bytes": idle, "b|memory_bytes": busy}), RowTuning())
    z = Scorer.of(made, TUNING).score([onset.split(made.times, 30, None, TUNING)]).z[0]
    assert z[0] < 0.1


def test_what_never_was_there_is_measured_by_what_others_do(make_frame: MakeFrame) -> None:
    late, bursts = np.where(np.arange(40) >= 38, 1e6, 0.0), np.where(np.arange(40) % 7 == 0, 1e6, 0.0)
    made = table.build(make_frame({"a|diskio": late, "b|diskio": bursts, "c|diskio": bursts[::-1]}), RowTuning())
    assert Scorer.of(made, TUNING).score([onset.split(made.times, 38, None, TUNING)]).z[0, 0] < 5
    assert z_of(make_frame, late, "diskio", 38) == TUNING.z_cap


def test_failures_in_some_minutes_count(make_frame: MakeFrame) -> None:
    some = np.where((np.arange(40) >= 30) & (np.arange(40) % 3 == 0), 0.3, 0.0)
    assert z_of(make_frame, some, "error_ratio") > 10
    assert z_of(make_frame, some, "latency_ms") == 0


def test_a_good_change_is_no_evidence(make_frame: MakeFrame) -> None:
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 10.0, 100.0)) == 0
    assert z_of(make_frame, np.where(np.arange(40) >= 30, 100.0, 90.0), "availability") == 0


def test_what_the_baseline_did_before_counts_less(make_frame: MakeFrame) -> None:
    once = 100 + _NOISE + np.where(np.arange(40) >= 30, 50, 0)
    twice = once + np.where((np.arange(40) >= 2) & (np.arange(40) < 14), 60, 0)
    assert z_of(make_frame, twice) < min(4, z_of(make_frame, once))


@pytest.mark.parametrize("factor", [1e-3, 1e3, 7.0])
def test_the_unit_does_not_matter(make_frame: MakeFrame, factor: float) -> None:
    step = 100 + 3 * _NOISE + np.where(np.arange(40) >= 30, 20, 0)
    assert z_of(make_frame, step * factor) == pytest.approx(z_of(make_frame, step), rel=1e-9)


def test_too_few_values_tell_nothing(make_frame: MakeFrame) -> None:
    lonely = np.full(40, np.nan)
    lonely[[5, 35]] = 1.0, 99.0
    assert z_of(make_frame, lonely) == 0


def test_an_idle_service_is_measured_by_the_system(make_frame: MakeFrame) -> None:
    idle = 0.01 + np.where(np.arange(40) >= 30, 0.5, 0.0)
    made = table.build(make_frame({"idle|cpu_usage": idle, "busy|cpu_usage": 50 + _NOISE}), RowTuning())
    z = Scorer.of(made, TUNING).score([onset.split(made.times, 30, None, TUNING)]).z[0]
    assert z[0] < 2 < z_of(make_frame, idle, "cpu_usage")


class Definition:
    """What docs/ranking.md says of a series' departure, one series after the other."""

    def __init__(self, made: SeriesTable, split: Split) -> None:
        self.made, self.rows = made, split
        self.before, self.after, self.recent = (
            [row[rows][~np.isnan(row[rows])] for row in made.values]
            for rows in (split.before, split.after, split.recent)
        )
        width = min(len(split.after), max(1, len(split.before) // 2))
        starts = range(0, len(split.before) - width + 1, max(1, width // 2))
        self.windows = [split.before[start : start + width] for start in starts]
        self.level = [self._level(i) for i in range(len(made))]

    def z(self, i: int) -> float:
        before, after, recent = self.before[i], self.after[i], self.recent[i]
        if len(before) < 2 or not len(after):
            return 0.0
        scale = self._scale(i)
        z = self._beyond(i, self._typical(i, after), np.median(before), recent, scale)
        values = [self.made.values[i, rows] for rows in self.windows]
        usual = [self._typical(i, x[~np.isnan(x)]) for x in values if not np.isnan(x).all()]
        past = [self._beyond(i, x, np.median(before), recent[:0], scale) for x in usual]
        seen = sum(x >= z > 0 for x in past) / max(1, len(self.windows))
        if self.made.proportional[i]:
            x, near, observed = (self._logs(i, some) for some in (before, recent, self._typical(i, after)))
            z = np.sqrt(z * self._beyond(i, float(observed), np.median(x), near, self._scale_of_logs(i)))
        chance = np.sqrt(-2 * np.log(seen)) if seen and z >= TUNING.rows.recurrence_from else np.inf
        return float(min(z, chance, self._most(i), TUNING.z_cap))

    def _most(self, i: int) -> float:
        """The surprise at so many failures, where they can be counted."""
        made, kind = self.made, CHANNELS[self.made.channels[i]]
        if kind not in {Channel.ERRORS, Channel.AVAILABILITY}:
            return np.inf
        values, full, step = made.values[i], made.full_scale[i], float(made.times[1] - made.times[0])
        counts = step * values
        if full:
            mine = [
                row
                for row in range(len(made))
                if CHANNELS[made.channels[row]] is Channel.TRAFFIC
                and made.keys[row].service == made.keys[i].service
            ]
            if not mine:
                return np.inf
            share = 1 - values / full if kind is Channel.AVAILABILITY else values / full
            counts = step * share * made.values[mine[0]]
        old, new = (counts[rows][~np.isnan(counts[rows])] for rows in (self.rows.before, self.rows.after))
        if not len(new):
            return np.inf
        longer, observed = len(new) / max(1, len(old)), max(0.0, new.sum())
        expected = (max(0.0, old.sum()) + 0.5) * longer
        return float(max(0.0, (observed - expected) / np.sqrt((1 + longer) * expected + observed / 4 + 0.5)))

    def _typical(self, i: int, x: FloatArray) -> float:
        counted = {Channel.ERRORS, Channel.AVAILABILITY, Channel.RESTARTS}
        return float(np.mean(x) if CHANNELS[self.made.channels[i]] in counted else np.median(x))

    def _level(self, i: int) -> float:
        middle = np.median(self.before[i]) if len(self.before[i]) else 0.0
        observed = self._typical(i, self.after[i]) if len(self.after[i]) else 0.0
        least = 0.05 * self.made.reference[i], 0.005 * self.made.full_scale[i]
        return float(max(0.05 * abs(middle), 0.01 * abs(observed), *least)) or 1.0

    def _logs(self, i: int, x: FloatArray | float) -> FloatArray:
        return np.asarray(np.log(np.maximum(x, 0.0) + self.level[i]))

    def _scale(self, i: int) -> float:
        made, middle = self.made, abs(float(np.median(self.before[i])))
        resource = CHANNELS[made.channels[i]] in {
            Channel.CPU, Channel.MEMORY, Channel.DISK, Channel.IO, Channel.TRAFFIC, Channel.OTHER
        }  # fmt: skip
        of = spread_of_moves if resource else spread
        relative = [of(x) / abs(float(np.median(x))) for x in self._peers(i) if np.median(x)]
        floor = 0.05 * max(middle, made.reference[i])
        if made.full_scale[i]:
            floor = 0.005 * made.full_scale[i]
        if resource:
            floor = max([floor, *(0.01 * abs(np.median(x)) for x in self._peers(i) if of(x) > 0)])
            if middle == of(self.before[i]) == 0:
                floor = max(floor, middle_of([of(x) for x in self._peers(i)]))
        return self._leaning(len(self.before[i]), of(self.before[i]), middle * middle_of(relative), floor)

    def _scale_of_logs(self, i: int) -> float:
        rows = np.flatnonzero(self.made.groups == self.made.groups[i])
        spreads = [spread(self._logs(j, self.before[j])) for j in rows.tolist() if len(self.before[j])]
        own = spread(self._logs(i, self.before[i]))
        return self._leaning(len(self.before[i]), own, middle_of(spreads), 0.05)

    def _leaning(self, count: int, own: float, prior: float, floor: float) -> float:
        return float(np.sqrt((4 * prior**2 + count * own**2) / (4 + count) + floor**2))

    def _peers(self, i: int) -> list[FloatArray]:
        rows = np.flatnonzero(self.made.groups == self.made.groups[i])
        return [self.before[j] for j in rows.tolist() if len(self.before[j])]

    def _beyond(self, i: int, observed: float, middle: float, recent: FloatArray, scale: float) -> float:
        lower, upper = np.quantile(recent, [0.25, 0.75]) if len(recent) else (middle, middle)
        up, down = observed - max(middle, upper), min(middle, lower) - observed
        direction = self.made.direction[i]
        change = up if direction > 0 else down if direction < 0 else max(up, down)
        return float(change / scale) if change > 0 else 0.0


def spread(x: FloatArray) -> float:
    low, quarter, three, high = np.quantile(x, [0.05, 0.25, 0.75, 0.95]).tolist()
    iqr, tail = (three - quarter) / 1.349, (high - low) / 3.29
    return float(np.sqrt(iqr * max(tail, iqr)) if iqr > 0 else tail / 2)


def spread_of_moves(x: FloatArray) -> float:
    quarter, three = np.quantile(x, [0.25, 0.75]).tolist()
    return max(spread(x), float(np.std(x))) if quarter == three and np.ptp(x) > 0 else spread(x)


def middle_of(values: list[float]) -> float:
    positive = [value for value in values if value > 0]
    return float(np.median(positive)) if positive else 0.0


METRICS = ("latency_ms", "error_ratio", "availability", "cpu_usage", "requests_per_second", "queue_depth", "thing")


@settings(max_examples=15)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(6, 40),
    st.sampled_from([0.0, 0.2, 0.7]),
    st.sampled_from([None, (0.0, 0.3), (0.7, 1.0)]),
)
def test_all_series_at_once_score_what_each_one_does(
    seed: int, size: int, missing: float, baseline: tuple[float, float] | None
) -> None:
    random = np.random.default_rng(seed)
    names = [f"{service}|{metric}" for service in "abc" for metric in METRICS]
    values = random.gamma(3.0, 1.0, (size, len(names))) * random.choice(
        [0.0, 1.0, 50.0], len(names), p=[0.2, 0.5, 0.3]
    )
    values[size * 2 // 3 :] *= random.choice([0.2, 1.0, 1.0, 6.0], len(names))
    values[random.random(values.shape) < missing] = np.nan
    keys = tuple(SignalKey(name[0], name[2:]) for name in names)
    made = table.build(SignalFrame(np.arange(0.0, 30.0 * size, 30.0), values, keys), RowTuning())
    chosen = (baseline[0] * 30.0 * size, baseline[1] * 30.0 * size) if baseline else None
    rows = onset.candidates(made.times, None, chosen, TUNING)
    splits = [onset.split(made.times, int(row), chosen, TUNING) for row in rows]
    splits = [split for split in splits if len(split.before) and len(split.after)]
    found = Scorer.of(made, TUNING).score(splits)
    for at, split in enumerate(splits):
        definition = Definition(made, split)
        expected = [definition.z(i) for i in range(len(made))]
        np.testing.assert_allclose(found.z[at], expected, rtol=1e-7, atol=1e-9)
