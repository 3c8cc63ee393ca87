"""Numbers held against those beside them."""

from typing import Protocol

import pytest

from rca.changes.findings import Content


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


def yaml(*rows: str) -> str:
    return "@@ -1,5 +1,5 @@ route:\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "rows",
    [
        (" timeout: 3s", "-per_try_timeout: 2s", "+per_try_timeout: 3s"),
        (" idle_timeout: 60s", "-upstream_idle_timeout: 65s", "+upstream_idle_timeout: 55s"),
    ],
)
def test_a_limit_that_reaches_its_neighbour_turns_their_order_round(judged: Judged, rows: tuple[str, ...]) -> None:
    found = judged(yaml(*rows), "route.yaml")
    assert found.potency >= 0.5
    assert "beside it" in found.why


@pytest.mark.parametrize(
    "rows",
    [
        (" timeout: 3s", "-per_try_timeout: 2s", "+per_try_timeout: 2500ms"),
        (" retries: 3", "-per_try_timeout: 2s", "+per_try_timeout: 2500ms"),
        (" timeout: 3", "-timeout: 2s", "+timeout: 2500ms"),
        (" timeout: 3s", "-timeout: 2s # and 4s", "+timeout: 2s"),
    ],
)
def test_a_limit_that_stays_on_its_side_does_not(judged: Judged, rows: tuple[str, ...]) -> None:
    assert judged(yaml(*rows), "route.yaml").potency < 0.5


@pytest.mark.parametrize(("new", "harmful"), [("66%", False), ("100", True)])
def test_a_number_and_a_share_are_not_compared(judged: Judged, new: str, harmful: bool) -> None:  # noqa: FBT001 - a parameter of the test
    found = judged(f"@@ -1 +1 @@\n-  minAvailable: 2\n+  minAvailable: {new}\n", "pdb.yaml")
    assert (found.potency >= 0.5) is harmful


@pytest.mark.parametrize(("old", "new"), [("25%", "90%"), ("0", "100%")])
def test_shares_are(judged: Judged, old: str, new: str) -> None:
    found = judged(f"@@ -1 +1 @@\n-  maxUnavailable: {old}\n+  maxUnavailable: {new}\n", "deploy.yaml")
    assert found.potency >= 0.5


CONTEXT = "@@ -1,3 +1,4 @@ server := &http.Server{{\n \tAddr: addr,\n+\t{line}\n"


def test_a_limit_where_none_was_leaves_less_room(judged: Judged) -> None:
    found = judged(CONTEXT.format(line="WriteTimeout: 10 * time.Second,"), "main.go")
    assert found.findings[0].kind == "timeout_short"
    assert found.potency >= 0.5


@pytest.mark.parametrize(
    "diff",
    [
        CONTEXT.format(line="WriteTimeout: 0,"),
        CONTEXT.format(line="Handler: mux,"),
        CONTEXT.format(line="MaxIdleConns: 100,"),
        CONTEXT.format(line="if time.Since(began) > 10 * time.Second {"),
        "@@ -0,0 +1,2 @@\n+\tAddr: addr,\n+\tWriteTimeout: 10 * time.Second,\n",
    ],
)
def test_what_sets_no_limit_to_what_was_there_does_not(judged: Judged, diff: str) -> None:
    assert judged(diff, "main.go").potency < 0.5


def test_a_time_that_is_no_longer_given_is_a_wait_without_end(judged: Judged) -> None:
    diff = "@@ -1 +1 @@\n-  return asked.get(800, TimeUnit.MILLISECONDS);\n+  return asked.get();\n"
    assert judged(diff, "A.java").findings[0].kind in {"timeout_gone", "blocking"}
    assert judged(diff, "A.java").potency >= 0.5
