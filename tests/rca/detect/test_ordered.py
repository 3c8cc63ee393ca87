import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.ordered import Ordered

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=30)


@given(VALUES, st.floats(0, 1), st.integers(0, 30), st.integers(0, 30))
def test_quantiles_of_any_stretch_agree_with_numpy(values: list[float], q: float, start: int, width: int) -> None:
    rows = slice(min(start, len(values)), min(start + width, len(values)))
    both = np.array([values, values[::-1]])
    found = Ordered.of(both).quantiles([rows], (q, 0.5)).values[0]
    for i, row in enumerate(both):
        known = row[rows][~np.isnan(row[rows])]
        if len(known):
            assert found[:, i] == pytest.approx(np.quantile(known, [q, 0.5]), rel=1e-9, abs=1e-6)
        else:
            assert np.isnan(found[:, i]).all()


def test_of_no_series_there_are_no_quantiles() -> None:
    assert Ordered.of(np.empty((0, 4))).quantiles([slice(0, 4)], (0.5,)).values.shape == (1, 1, 0)


def test_quantiles_of_logarithms_are_interpolated_between_logarithms() -> None:
    values = np.array([[1.0, 4.0, 0.0], [9.0, 2.0, 2.0]])
    plain = Ordered.of(values).quantiles([slice(0, 3)], (0.2, 0.9))
    found = plain.of_logs(np.array([1]), np.array([[0.5]])).values
    assert found[0, :, 0] == pytest.approx(np.quantile(np.log(values[1] + 0.5), [0.2, 0.9]))


@pytest.mark.parametrize("rows", [254, 255, 256, 300])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("way", ["_PICK", "_HALVE", "_SORT"])
def test_quantiles_are_exact_whichever_way_they_are_found(
    monkeypatch: pytest.MonkeyPatch, rows: int, missing: float, way: str
) -> None:
    monkeypatch.setattr(f"rca.detect.ordered.{way}", -(10**12))
    random = np.random.default_rng(rows)
    values = random.normal(size=(5, rows))
    values[random.random(values.shape) < missing] = np.nan
    values[4, 10:] = np.nan
    ordered = Ordered.of(values)
    for stretch in (slice(0, rows), slice(0, 120), slice(20, 60), slice(rows - 5, rows), slice(7, 8)):
        found = ordered.quantiles([stretch], (0.25, 0.5)).values[0]
        for i, row in enumerate(values[:, stretch]):
            known = row[~np.isnan(row)]
            expected = np.quantile(known, [0.25, 0.5]) if len(known) else np.full(2, np.nan)
            np.testing.assert_allclose(found[:, i], expected, rtol=1e-12)


def test_many_series_are_sorted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(9, 20))
    whole = Ordered.of(values).quantiles([slice(2, 18)], (0.1, 0.9)).values
    monkeypatch.setattr("rca.model.chunks.CELLS", 40)
    assert Ordered.of(values).quantiles([slice(2, 18)], (0.1, 0.9)).values.tolist() == whole.tolist()


def test_equal_stretches_are_looked_at_once_and_told_for_each() -> None:
    ordered = Ordered.of(np.random.default_rng(2).normal(size=(3, 12)))
    stretches = [slice(4, 9), slice(0, 5), slice(4, 9)]
    found = ordered.quantiles(stretches, (0.25, 0.75)).values
    alone = [ordered.quantiles([rows], (0.25, 0.75)).values[0].tolist() for rows in stretches]
    assert found.tolist() == alone


def test_what_repeats_a_value_is_told_from_what_lacks_several() -> None:
    gap = float("nan")
    values = np.array([[1.0, 3.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0], [1.0, gap, gap, 4.0]])
    assert Ordered.of(values).repeats().tolist() == [True, False, False]
