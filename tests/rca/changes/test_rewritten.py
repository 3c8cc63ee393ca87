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


CLASS = """public final class P {
private final String id;
private final Money sum;
public P(String id, Money sum) { this.id = id; this.sum = sum; }
public String id() { return id; }
}"""
IFS = """if (a.kind === "open") return { ...s, open: a.id };
if (a.kind === "shut") return { ...s, open: 0 };
return s;"""
SWITCH = """switch (a.kind) {
case "open":
return { ...s, open: a.id };
case "shut":
return { ...s, open: 0 };
default:
return s;
}"""


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
        ("A.java", "Request r = new Request();\nr.setIban(p.iban());\nr.setSum(p.sum());\nreturn http.post(r);",
         "return http.post(Request.builder().iban(p.iban()).sum(p.sum()).build());"),
        ("A.java", "View v = new View();\nv.setSku(s.sku());\nv.setCount(s.count());\nreturn v;",
         "return new View(s.sku(), s.count());"),
        ("a.tsx", "export function Card(props: Props) {\nreturn <P title={props.title} sum={props.sum} />;",
         "export function Card({ title, sum }: Props) {\nreturn <P title={title} sum={sum} />;"),
        ("a.py", "found = store.get(k)\nif found:\n    return found\nelse:\n    return none(k)",
         "if found := store.get(k):\n    return found\nreturn none(k)"),
        ("a.py", "class E:\n    def __init__(self, id, sum):\n        self.id = id\n        self.sum = sum",
         "@dataclass\nclass E:\n    id: int\n    sum: Decimal"),
        ("A.java", CLASS, "public record P(String id, Money sum) {}"),
        ("a.ts", IFS, SWITCH),
        ("a.kt", "if (!hash.matches(p)) return failure(name)\nreturn success(open(user))",
         "return if (hash.matches(p)) success(open(user))\nelse failure(name)"),
        ("a.go", "counts := make(map[string]int, len(rows))", "counts := make(map[string]int)"),
        ("A.java", "return rows.stream().map(client::load).toList();",
         "return rows.stream().map(row -> client.load(row)).toList();"),
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
        ("A.java", "View v = new View();\nv.setSku(s.sku());\nv.setCount(s.count());\nreturn v;",
         "return new View(s.sku(), s.held());"),
        ("a.go", "for _, r := range all {\n\tif !r.Ready() {\n\t\treturn false\n\t}\n}\nreturn true",
         "for _, r := range all {\n\tif r.Ready() {\n\t\treturn true\n\t}\n}\nreturn false"),
        ("a.py", "class E:\n    def __init__(self, id, sum):\n        self.id = id\n        self.sum = sum",
         "@dataclass\nclass E:\n    id: int"),
        ("A.java", "@EnableScheduling\npublic class Jobs {", "@Configured\npublic class Jobs {"),
        ("a.ts", "limits = {\n  max: 1000,\n};", "limits = {\n  max: 10,\n};"),
        ("a.py", "@login_required\n@cache_page(60)", "@cache_page(60)\n@login_required"),
        ("a.ts", "return x !== null ? x : base;", "return x ? x : base;"),
        ("a.ts", "for (const row of rows) {\n  await store(row);\n}",
         "rows.forEach(async (row) => {\n  await store(row);\n});"),
        ("a.py", "kept = [x for x in rows if x.on]\nreturn first(kept)", "return first([x for x in rows])"),
        ("a.go", "for i := range rows {\n\tkeep(&rows[i])\n}", "for _, row := range rows {\n\tkeep(&row)\n}"),
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_not(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(diff_of(old, new), path).potency >= 0.35
