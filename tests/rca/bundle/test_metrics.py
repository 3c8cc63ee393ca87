import io

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rca.bundle.metrics import read_metrics
from rca.model.incident import Gap

cells = st.sampled_from(["", "0", "1", "-2.5", "1e3", "nan", "NaN", " 4 ", "inf"])
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


@given(tables)
def test_a_table_is_read_as_pandas_reads_it(rows: list[list[str]]) -> None:
    names = [f"cart|m{place}" for place in range(len(rows[0]))]
    lines = [",".join(["timestamp", *names])]
    lines += [",".join([str(60 * place), *row]) for place, row in enumerate(rows)]
    text = "\n".join(lines) + "\n"
    frame = read_metrics(text, "metrics.csv", None, gaps := list[Gap]())
    oracle = pd.read_csv(io.StringIO(text), index_col=0, skipinitialspace=True)
    oracle = oracle.apply(pd.to_numeric).astype(float)
    infinite = oracle.isin([float("inf")])
    assert frame is not None
    assert [key.column for key in frame.keys] == names
    pd.testing.assert_frame_equal(
        pd.DataFrame(frame.values, index=frame.times, columns=names),
        oracle.mask(infinite),
        check_index_type=False,
        check_names=False,
    )
    assert bool(infinite.to_numpy().any()) == any("infinit" in gap.what + gap.why for gap in gaps)
