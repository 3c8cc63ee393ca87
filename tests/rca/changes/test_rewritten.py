"""The same written otherwise."""

from typing import Protocol

import pytest

from rca.changes.findings import Content
from rca.changes.rewritten import evaluated


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


@pytest.mark.parametrize(
    ("code", "done"),
    [
        ("send ( encode ( x ) )", ["encode", "send"]),
        ("y = encode ( x ) send ( y )", ["encode", "send"]),
        ("[ f ( x ) for x in g ( ) ]", ["g", "f"]),
        ("h ( [ f ( x ) for x in g ( k ( ) ) ] )", ["k", "g", "f", "h"]),
        ("for x in g ( ) : f ( x )", ["g", "f"]),
        (") f ( x", []),
    ],
)
def test_what_a_call_is_given_is_done_before_it(code: str, done: list[str]) -> None:
    assert evaluated(code.split()) == done


def diff_of(old: str, new: str) -> str:
    rows = [*(f"-    {row}" for row in old.split("\n")), *(f"+    {row}" for row in new.split("\n"))]
    return "@@ -1,9 +1,9 @@\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.py", "rows = store.all(k)\nout = [r.view() for r in rows]\nreturn reply(out)",
         "return reply([r.view() for r in store.all(k)])"),
        ("a.py", "check_size(b)\ncheck_time(b)\ncheck_name(b)",
         "for check in (check_size, check_time, check_name):\n    check(b)"),
        ("a.py", "for check in (check_size, check_time):\n    check(b)", "check_size(b)\ncheck_time(b)"),
        ("a.py", "return a.rate if a.rate is not None else BASE", "return BASE if a.rate is None else a.rate"),
        ("a.ts", "return x !== null ? x : base;", "return x === null ? base : x;"),
        ("a.go", "var c Config\nread(b, &c)\nreturn &c", "c := new(Config)\nread(b, c)\nreturn c"),
        ("a.ts", "for (const row of rows) {\n  await store(row);\n}",
         "for (let i = 0; i < rows.length; i++) {\n  await store(rows[i]);\n}"),
        ("a.kt", "ids.forEach { id -> warm(id) }", "for (id in ids) {\n  warm(id)\n}"),
        ("a.py", "kept = [x for x in rows]\nreturn first(kept)", "return first([x for x in rows])"),
        ("a.ts", "const all = rows.map((r) => view(r));\nreturn all;", "return rows.map(view);"),
        ("a.java", "Map<String, X> all = new HashMap<>();", "HashMap<String, X> all = new HashMap<>();"),
        ("a.ts", "let total = sum(rows);", "const total = sum(rows);"),
    ],
)  # fmt: skip
def test_a_rewriting_is_innocent(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(diff_of(old, new), path).potency < 0.3


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (
            "a.py",
            "check_size(b)\ncheck_time(b)\ncheck_name(b)",
            "for check in (check_size, check_name):\n    check(b)",
        ),
        ("a.py", "return a.rate if a.rate is not None else BASE", "return a.rate if a.rate is None else BASE"),
        ("a.py", "return a.rate if a.rate is not None else BASE", "return a.rate or BASE"),
        ("a.ts", "return x !== null ? x : base;", "return x ? x : base;"),
        ("a.ts", "for (const row of rows) {\n  await store(row);\n}",
         "rows.forEach(async (row) => {\n  await store(row);\n});"),
        ("a.py", "kept = [x for x in rows if x.on]\nreturn first(kept)", "return first([x for x in rows])"),
        ("a.go", "for i := range rows {\n\tkeep(&rows[i])\n}", "for _, row := range rows {\n\tkeep(&row)\n}"),
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_not(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(diff_of(old, new), path).potency >= 0.35
