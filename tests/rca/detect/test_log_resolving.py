from datetime import UTC, datetime

import pytest

from rca.detect.log_resolving import is_unresolved, unresolved
from rca.model.logs import LogLine
from rca.model.tuning.lines import LineTuning

AT = datetime(2026, 3, 1, tzinfo=UTC)
SERVICES = ("checkout", "inventory")


def line(message: str) -> LogLine:
    return LogLine(AT, "checkout", "ERROR", message)


@pytest.mark.parametrize(
    "text",
    [
        "dial tcp: lookup inventory on 10.0.0.2:53: no such host",
        "Failed to resolve 'inventory-2' ([Errno -2] Name or service not known)",
        "java.net.UnknownHostException: inventory",
        "getaddrinfo ENOTFOUND inventory",
        "curl: (6) Could not resolve host: inventory",
    ],
)
def test_a_host_that_is_not_found_is_recognised_in_many_tongues(text: str) -> None:
    assert is_unresolved(text)


@pytest.mark.parametrize("text", ["connection refused", "inventory timed out", "certificate has expired"])
def test_an_address_that_was_found_and_does_not_answer_is_another_matter(text: str) -> None:
    assert not is_unresolved(text)


def test_most_of_the_errors_about_a_callee_decide() -> None:
    lost, refused = line("calling inventory: no such host"), line("calling inventory: connection refused")
    assert unresolved([lost, lost, refused], SERVICES, LineTuning()) == {("checkout", "inventory")}
    assert not unresolved([lost, refused, refused], SERVICES, LineTuning())


def test_unknown_names_decide_nothing() -> None:
    assert not unresolved([line("calling elsewhere: no such host")], SERVICES, LineTuning())
    assert not unresolved([], SERVICES, LineTuning())
