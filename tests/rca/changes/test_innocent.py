"""Rewritings of every day that do what was done; docs/changes.md has the figures."""

import tomllib
from pathlib import Path
from typing import Any, Protocol

import pytest

from rca.changes.findings import Content

ROWS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "innocent.toml").read_text("utf-8"))[
    "innocent"
]
POSSIBLE = 0.27
"""A potency from which a change may be named as possible."""
AT_MOST = 10
"""Rewritings that are; docs/changes.md has how many are."""


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS])
def test_a_rewriting_is_not_thought_able_to_do_harm(row: dict[str, Any], judged: Judged) -> None:
    assert judged(row["diff"], row["path"]).potency < 0.42


def test_few_rewritings_do_something_else_as_far_as_anyone_can_tell(judged: Judged) -> None:
    seen = [row["name"] for row in ROWS if judged(row["diff"], row["path"]).potency >= POSSIBLE]
    assert len(seen) <= AT_MOST, seen


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "if n < limit {\nreturn n\n}\nreturn limit", "return max(n, limit)"),
        ("a.go", "if n > limit {\nreturn n\n}\nreturn limit", "return min(n, limit)"),
        ("a.py", 'return "usage:{}:{}".format(user, day)', 'return f"usage:{day}:{user}"'),
        (
            "a.go",
            "for _, r := range roles {\nif r == role {\nreturn true\n}\n}\nreturn false",
            "return deny(roles)",
        ),
    ],
)
def test_what_only_looks_like_one_does_something_else(judged: Judged, path: str, old: str, new: str) -> None:
    rows = [*(f"-  {row}" for row in old.split("\n")), *(f"+  {row}" for row in new.split("\n"))]
    assert judged("@@ -1,9 +1,9 @@\n" + "\n".join(rows) + "\n", path).potency >= POSSIBLE
