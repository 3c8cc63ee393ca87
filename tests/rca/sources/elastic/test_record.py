"""What the source says of the fields it chose."""

import pytest

from rca.sources.elastic.fields import Cohort
from rca.sources.elastic.layers import Census, Layer
from rca.sources.elastic.record import chosen
from rca.sources.elastic.schema import Role


@pytest.mark.parametrize(
    ("mapped", "documents", "told"),
    [
        ((), 0, "(no field: from the message, where it names one)"),
        (("trace.id",), 0, "(trace.id, which hardly any line has: else from the message, where it names one)"),
        (("trace.id", "traceId"), 7, "trace.id, traceId"),
    ],
)
def test_where_the_ids_of_traces_are_read_is_told_as_it_is(
    mapped: tuple[str, ...], documents: int, told: str
) -> None:
    fields: dict[Role, tuple[str, ...]] = {**dict.fromkeys(Role, ()), Role.TRACE: mapped}
    cohort = Cohort(("logs-*",), fields | {Role.TIMESTAMP: ("@timestamp", "time")})
    layer = Layer(cohort, "@timestamp", "service.name", None, services={"web": 10})
    traced = tuple(((cohort, name), documents) for name in mapped)
    picked = chosen(layer, Census((layer,), ((cohort, 10),), traced, ()), {"trace": "trace.id"})
    assert picked["trace"] == told
    assert picked["span"] == "(no field: from the message, where it names one)"
    assert (picked["timestamp"], picked["instance"]) == ("@timestamp", "(none)")
    assert picked["level"] == "(from the message)"
    assert picked["configured"] == ["trace"]
