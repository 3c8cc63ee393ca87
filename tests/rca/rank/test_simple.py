import numpy as np

from rca.detect import table
from rca.model.signals import SignalFrame, SignalKey
from rca.model.tuning.rows import RowTuning
from rca.rank import simple
from tests.rca.rank.conftest import ROW, ROWS, STEP, noise


def test_the_simple_ranker_takes_the_largest_z() -> None:
    keys = (SignalKey("a", "x"), SignalKey("b", "x"), SignalKey("c", "x"), SignalKey("d", "x"))
    values = np.array([noise(1), noise(2) + 50 * STEP, np.zeros(ROWS), np.r_[np.full(ROW, np.nan), np.ones(10)]]).T
    times = np.arange(0.0, 60.0 * ROWS, 60.0, dtype=np.float64)
    made = table.build(SignalFrame(times, values, keys), RowTuning())
    assert simple.rank(made, ROW) == ("b", "a", "c", "d")


def test_the_simple_ranker_leaves_missing_values_out() -> None:
    random = np.random.default_rng(3)
    values = random.gamma(2.0, 1.0, (ROWS, 9))
    values[random.random(values.shape) < 0.3] = np.nan
    keys = tuple(SignalKey(name, "x") for name in "abcdefghi")
    made = table.build(SignalFrame(np.arange(0.0, 60.0 * ROWS, 60.0), values, keys), RowTuning())
    middle = np.nanmedian(values[:ROW], axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(values[:ROW] - middle), axis=0)
    peak = np.nanmax(np.abs(values[ROW:] - middle), axis=0) / spread
    assert simple.rank(made, ROW) == tuple("abcdefghi"[i] for i in np.argsort(-peak))
