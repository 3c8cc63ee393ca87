import pytest

from rca.sources.prom.lookup import interval_of


@pytest.mark.parametrize(
    ("samples", "interval"), [(40, 15), (41, 15), (10, 60), (0, 0), (1, 0), (600, 1), (14, 43), (5, 120)]
)
def test_a_scrape_interval_is_rounded_to_a_usual_one(samples: float, interval: int) -> None:
    assert interval_of(600, samples) == interval
