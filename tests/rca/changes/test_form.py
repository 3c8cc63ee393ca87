"""What hardly changes a word and yet what is done, and what looks like it and changes nothing."""

from typing import Protocol

import pytest

from rca.changes.findings import Content

HARM, NONE = 0.5, 0.42


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "out := int(share * 100)", "out := int(share) * 100"),
        ("a.py", "return (net + tax) * rate", "return net + (tax * rate)"),
        ("a.py", "return total - (fees - credit)", "return (total - fees) - credit"),
        ("a.ts", "return !(open && ready)", "return (!open && ready)"),
        ("a.go", "return copyInto(target, source)", "return copyInto(source, target)"),
        ("a.ts", "return { retries: 2, ...own };", "return { ...own, retries: 2 };"),
        ("a.py", 'return call({"retries": 2, **own})', 'return call({**own, "retries": 2})'),
        ("a.py", "pool.stop(wait=False, cancel=True)", "pool.stop(wait=True)"),
        ("a.yaml", 'zip: "01067"', "zip: 01067"),
        ("a.yaml", "answer: 'no'", "answer: no"),
        ("Dockerfile", 'CMD ["server", "-p", "80"]', "CMD server -p 80"),
        ("m.sql", "CREATE INDEX i ON t (tenant, at);", "CREATE INDEX i ON t (at, tenant);"),
    ],
)
def test_the_same_words_in_another_form_can_do_harm(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(f"@@ -1,3 +1,3 @@\n-  {old}\n+  {new}\n", path).potency >= HARM


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "out := (a * b) + c", "out := a * b + c"),
        ("a.py", "return ((net + tax))", "return net + tax"),
        ("a.py", "return a + (b + c)", "return a + b + c"),
        ("a.ts", "rows.map((row) => row.id + 1)", "rows.map(row => row.id + 1)"),
        ("a.ts", "return !(open) && ready", "return !open && ready"),
        ("a.py", "if (a and b):", "if a and b:"),
        ("a.go", "return max(low, high)", "return max(high, low)"),
        ("a.py", "send(to=user, text=body)", "send(text=body, to=user)"),
        ("a.py", "def send(to, text):", "def send(text, to):"),
        ("a.ts", "return { a: 1, b: 2, ...own };", "return { b: 2, a: 1, ...own };"),
        ("a.yaml", 'name: "cart"', "name: cart"),
        ("a.yaml", "zip: '01067'", 'zip: "01067"'),
        ("Dockerfile", 'CMD ["server", "-p", "80"]', 'CMD ["server","-p","80"]'),
        ("m.sql", "SELECT a FROM t WHERE t.a = o.b AND t.c = 1;", "SELECT a FROM t WHERE t.c = 1 AND t.a = o.b;"),
    ],
)
def test_another_form_that_means_the_same_is_innocent(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(f"@@ -1,3 +1,3 @@\n-  {old}\n+  {new}\n", path).potency < NONE


def test_a_call_whose_brackets_end_elsewhere_is_left_alone(judged: Judged) -> None:
    assert judged("@@ -1 +1 @@\n-  run(a, b,\n+  run(b, a,\n", "a.py").potency < NONE


SHADOWED = (
    "@@ -1,6 +1,6 @@ func (s *Saver) Save(o Order) {header}{{\n \tif o.Changed {{\n-\t\terr = s.db.Put(o)\n"
    "+\t\terr := s.db.Put(o)\n \t\ts.note(err)\n \t}}\n{after}"
)


@pytest.mark.parametrize(("header", "after"), [("(err error) ", ""), ("error ", " \treturn err\n")])
def test_a_variable_that_is_used_after_a_block_is_missed_when_the_block_has_its_own(
    judged: Judged, header: str, after: str
) -> None:
    assert judged(SHADOWED.format(header=header, after=after), "a.go").potency >= HARM


def test_a_variable_that_only_the_block_uses_may_be_its_own(judged: Judged) -> None:
    assert judged(SHADOWED.format(header="error ", after=" \treturn nil\n"), "a.go").potency < NONE


GENERATOR = "@@ -1,4 +1,4 @@\n-rows = [parse(x) for x in source]\n+rows = (parse(x) for x in source)\n"


def test_a_generator_is_gone_through_once(judged: Judged) -> None:
    assert judged(f"{GENERATOR} check(rows)\n store(rows)\n", "a.py").potency >= HARM
    assert judged(f"{GENERATOR} store(rows)\n", "a.py").potency < NONE


def test_a_call_that_moves_into_a_block_does_something_else(judged: Judged) -> None:
    moved = "-    group.join()\n     if job.big:\n+        group.join()\n         run(job)\n"
    assert judged(f"@@ -1,5 +1,5 @@\n for job in jobs:\n{moved}", "a.py").potency >= HARM


def test_a_configuration_s_variable_may_have_another_name(judged: Judged) -> None:
    renamed = "@@ -1,2 +1,2 @@\n-set $a api.internal;\n-pass $a;\n+set $b api.internal;\n+pass $b;\n"
    other = "@@ -1,2 +1,2 @@\n-set $a api.internal;\n-pass $a;\n+set $b web.internal;\n+pass $b;\n"
    assert judged(renamed, "nginx.conf").inert
    assert judged(other, "nginx.conf").potency >= HARM
