from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from rca.detect.logs import FindingKind, LogIndex
from rca.model.logs import LogLine
from topology import Edge, ServiceGraph

ONSET = 1_000.0


def line(at: float, service: str, message: str, level: str = "INFO", *, trace: str | None = None) -> LogLine:
    return LogLine(datetime.fromtimestamp(at, UTC), service, level, message, trace)


def healthy(services: tuple[str, ...] = ("front", "cart", "stock"), until: float = 1_300.0) -> Iterator[LogLine]:
    for second in range(700, int(until)):
        for i, service in enumerate(services):
            yield line(second + i / 10, service, f"handled request {second} in {second % 7} ms")


def test_a_new_error_accuses_the_service_that_wrote_it() -> None:
    errors = [line(ONSET + i, "cart", f"disk write failed for order {i}", "ERROR") for i in range(20)]
    index = LogIndex.build([*healthy(), *errors])
    evidence = index.evidence(ONSET)
    assert index.services[int(np.argmax(evidence.failing))] == "cart"
    finding = index.findings(ONSET, "cart")[0]
    assert finding.kind is FindingKind.NEW
    assert finding.template == "disk write failed for order <n>"


def test_a_caller_whose_callee_fails_too_has_inherited_its_errors() -> None:
    errors = [line(ONSET + i, "stock", f"cannot open page {i}", "ERROR") for i in range(20)]
    errors += [line(ONSET + i + 0.5, "front", f"request {i} failed", "ERROR") for i in range(20)]
    index = LogIndex.build([*healthy(), *errors], graph=ServiceGraph((), [Edge("front", "stock")]))
    evidence = index.evidence(ONSET)
    front, stock = index.services.index("front"), index.services.index("stock")
    assert evidence.own[front] < 0.5 * evidence.own[stock]
    assert evidence.errors[front] > 0.9 * evidence.errors[stock]
