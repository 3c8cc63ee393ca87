"""Each kind of reasoning about a diff, with a twin that is innocent; many more are in the pairs."""

from datetime import UTC, datetime
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.changes.findings import Content
from rca.changes.judge import UNKNOWN, judge, judge_diff
from rca.changes.vocabulary import Vocabulary, load
from rca.model.incident import Commit

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


@pytest.mark.parametrize(
    ("path", "old", "new", "kind"),
    [
        ("a.yaml", "timeout: 30s", "timeout: 3s", "timeout_short"),
        ("a.yaml", "timeout: 3s", "timeout: 30s", "timeout_long"),
        ("a.py", "MAX_RETRIES = 5", "MAX_RETRIES = 1", "retries_fewer"),
        ("a.py", "CACHE_TTL = 3600", "CACHE_TTL = 60", "cache_short"),
        ("a.py", "if a > b:", "if a >= b:", "operator"),
        ("a.py", "if a > b:", "if a < b:", "order"),
        ("a.py", "use_tls = True", "use_tls = False", "tls"),
        ("a.py", 'HOST = "db-a.example.com"', 'HOST = "db-b.example.com"', "endpoint"),
        ("a.py", 'row["qty"]', 'row["quantity"]', "key"),
        ("a.go", "limit := 100", "limit := 100000", "limit_loose"),
        ("go.mod", "\tgithub.com/acme/x v1.4.0", "\tgithub.com/acme/x v2.0.0", "dependency"),
        ("Dockerfile", "FROM python:3.11-slim", "FROM python:3.12-alpine", "base_image"),
        ("main.tf", 'instance_type = "m5.4xlarge"', 'instance_type = "m5.large"', "machine"),
        ("main.tf", 'machine_type = "n2-standard-16"', 'machine_type = "n2-standard-2"', "machine"),
        ("a.go", "x := pool.Get(key, true)", "x := pool.Get(key, false)", "toggle"),
    ],
)  # fmt: skip
def test_a_line_in_place_of_another(path: str, old: str, new: str, kind: str, judged: Judged) -> None:
    content = judged(f"@@ -1 +1 @@\n-{old}\n+{new}\n", path)
    assert kind in {finding.kind for finding in content.findings}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "total := a + b", "sum := a + b"),
        ("a.py", "foo(a, b)", "foo(\n+    a,\n+    b,\n+)"),
        ("a.ts", "const x = 'a'", 'const x = "a";'),
        ("a.py", "raise ValueError('no such thing')", "raise ValueError('no thing like it')"),
        ("a.go", 'return errors.New("recieved nothing")', 'return errors.New("received nothing")'),
        ("go.mod", "\tgithub.com/acme/x v1.4.0", "\tgithub.com/acme/x v1.4.1"),
        ("a.yaml", "replicas: 10", "replicas: 11"),
    ],
)
def test_a_line_that_does_little(path: str, old: str, new: str, judged: Judged) -> None:
    assert judged(f"@@ -1 +1 @@\n-{old}\n+{new}\n", path).potency < 0.2


def test_more_room_is_less_potent_than_less_room(judged: Judged) -> None:
    less = judged("@@ -1 +1 @@\n-timeout: 30s\n+timeout: 3s\n", "a.yaml")
    more = judged("@@ -1 +1 @@\n-timeout: 3s\n+timeout: 30s\n", "a.yaml")
    assert less.potency > more.potency
    assert "30 s to 3 s, 10 times less" in less.why


def test_code_moved_into_a_function_is_inert_and_with_more_in_it_isnt(judged: Judged) -> None:
    moved = """@@ -1,4 +1,7 @@
-    total = 0
-    for line in lines:
-        total += line.price * line.count
+    total = sum_up(lines)
+
+def sum_up(lines):
+    total = 0
+    for line in lines:
+        total += line.price * line.count
+    return total
"""
    assert judged(moved, "a.py").inert
    assert not judged(moved.replace("line.count\n+    return", "line.count * 100\n+    return"), "a.py").inert


def test_growth_of_a_global_is_seen_unless_something_empties_it(judged: Judged) -> None:
    grows = "@@ -0,0 +1,4 @@\n+var seen []string\n+func note(id string) {\n+\tseen = append(seen, id)\n+}\n"
    emptied = grows.replace("+}\n", "+\tif len(seen) > 100 {\n+\t\tseen = seen[1:]\n+\t}\n+}\n")
    assert judged(grows).findings[0].kind == "growth"
    assert "growth" not in {finding.kind for finding in judged(emptied).findings}


def test_growth_of_a_member_is_weaker(judged: Judged) -> None:
    grows = "@@ -1,2 +1,3 @@\n def note(self, x):\n+    self.events.append(x)\n     return x\n"
    finding = judged(grows, "a.py").findings[0]
    assert (finding.kind, finding.potency) == ("growth", 0.6)


def test_a_commit_of_tests_and_documents_is_inert(vocabulary: Vocabulary) -> None:
    content = judge(Commit("a", "x", AT, "m", ("docs/a.md", "pkg/a_test.go"), None), vocabulary)
    assert content.inert
    assert content.known


def test_a_commit_without_a_diff_is_unknown(vocabulary: Vocabulary) -> None:
    content = judge(Commit("a", "x", AT, "m", ("pkg/a.go",), None), vocabulary)
    assert (content.potency, content.known, content.inert) == (UNKNOWN, False, False)


def test_a_diff_of_comments_alone_is_inert(judged: Judged) -> None:
    assert judged("@@ -1 +1 @@\n-// one\n+// two: timeout 5s, lock, retry\n").inert


def test_several_harmful_things_weigh_more_than_one(judged: Judged) -> None:
    one = judged("@@ -1 +1 @@\n-timeout: 30s\n+timeout: 10s\n", "a.yaml")
    two = judged("@@ -1,2 +1,2 @@\n-timeout: 30s\n-replicas: 9\n+timeout: 10s\n+replicas: 3\n", "a.yaml")
    assert two.potency > one.potency


def test_a_long_block_is_paired_by_how_its_lines_begin(judged: Judged) -> None:
    old = "".join(f"-setting_{i}: {i}\n" for i in range(60))
    new = "".join(f"+setting_{i}: {i}\n" for i in range(59)) + "+setting_59: 9000\n"
    assert judged(f"@@ -1,60 +1,60 @@\n{old}{new}", "a.yaml").potency > 0.4


@given(st.lists(st.tuples(st.sampled_from("+- "), st.text(max_size=40)), max_size=25), st.sampled_from(
    ["a.go", "a.py", "a.yaml", "a.sql", "Dockerfile", "go.mod", "a.ts", "x"]))  # fmt: skip
def test_any_text_can_be_judged(lines: list[tuple[str, str]], path: str) -> None:
    diff = "@@ -1 +1 @@\n" + "\n".join(sign + text for sign, text in lines)
    content = judge_diff(diff, (path,), load())
    assert 0 <= content.potency <= 1
    assert content == judge_diff(diff, (path,), load())


@given(st.lists(st.text(alphabet="abcdef =()+.:_0123456789", min_size=1, max_size=30), min_size=1, max_size=10))
def test_lines_replaced_by_themselves_are_inert(lines: list[str]) -> None:
    diff = "@@ -1 +1 @@\n" + "".join(f"-{line}\n" for line in lines) + "".join(f"+{line}\n" for line in lines)
    assert judge_diff(diff, ("a.go",), load()).inert


def kinds(content: Content) -> set[str]:
    return {finding.kind for finding in content.findings}


def test_lines_moved_past_others_matter_where_the_order_of_calls_does(judged: Judged) -> None:
    moved = "@@ -1,3 +1,3 @@\n for record in consumer:\n-    handle(record)\n     {past}\n+    handle(record)\n"
    assert kinds(judged(moved.format(past="consumer.commit()"), "a.py")) == {"order"}
    assert judged(moved.format(past="total = 1"), "a.py").potency < 0.2
    assert judged(moved.format(past="pass"), "a.py").inert


def test_the_same_parts_put_together_otherwise_do_little(judged: Judged) -> None:
    old = "-\td := &Decoder{buf: make([]byte, 0, 4096)}\n-\td.strict = {strict}\n-\treturn d\n"
    new = "+\treturn &Decoder{\n+\t\tbuf:    make([]byte, 0, 4096),\n+\t\tstrict: true,\n+\t}\n"
    same, other = (f"@@ -1,3 +1,4 @@\n{old.replace('{strict}', strict)}{new}" for strict in ("true", "false"))
    assert judged(same).why == "written otherwise, of the same parts"
    assert judged(other).potency > 0.3


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("memory_percent: 60", "memory_percent: 98", "memory_small"),
        ("memory_percent: 60", "memory_percent: 62", "room"),
        ('schedule: "0 3 * * *"', 'schedule: "* * * * *"', "schedule"),
        ("acks: all", "acks: 0", "delivery"),
        ("autumn_banner: false", "autumn_banner: true", "toggle"),
    ],
)
def test_settings_that_are_shares_or_words(old: str, new: str, kind: str, judged: Judged) -> None:
    content = judged(f"@@ -1 +1 @@\n-{old}\n+{new}\n", "a.yaml")
    assert kinds(content) == {kind}
    assert (content.potency >= 0.5) is (kind not in {"room", "toggle"})


def test_what_a_number_is_may_stand_far_above_it(judged: Judged) -> None:
    above = "".join(f"   other{i}: {i}\n" for i in range(6))
    diff = f"@@ -1,9 +1,9 @@\n retry_policy:\n{above}-  first: 2\n+  first: 20\n"
    assert kinds(judged(diff, "a.yaml")) == {"retries_more"}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("  await save(order);", "  save(order);", "flush_gone"),
        ("  total: String(order.total),", "  total: order.total,", "type"),
        ("  return month + 1;", "  return month;", "operator"),
        ("  state = States.OPEN_NOW;", "  state = States.SHUT_NOW;", "constant"),
    ],
)
def test_what_one_line_no_longer_does(old: str, new: str, kind: str, judged: Judged) -> None:
    assert kind in kinds(judged(f"@@ -1,2 +1,2 @@\n-{old}\n+{new}\n   await done(2);\n", "a.ts"))


def test_a_text_filled_in_otherwise_is_the_same_text(judged: Judged) -> None:
    old, new = 'key = f"listing:{category}:{page}"', 'key = "listing:{}:{}".format(category, page)'
    assert judged(f"@@ -1 +1 @@\n-{old}\n+{new}\n", "a.py").potency < 0.42
    other = 'key = f"listing:{category}"'
    assert "key" in kinds(judged(f"@@ -1 +1 @@\n-{old}\n+{other}\n", "a.py"))


def test_log_lines_count_when_they_write_whole_bodies(judged: Judged) -> None:
    old, new = 'log.info("served")', 'log.info("served", body=request.body())'
    assert "logging" in kinds(judged(f"@@ -1 +1 @@\n-{old}\n+{new}\n", "a.py"))
    assert judged(f'@@ -1 +1 @@\n-{old}\n+log.info("request served")\n', "a.py").inert


def test_a_field_or_a_member_that_others_send_is_missed(judged: Judged) -> None:
    assert "schema" in kinds(judged("@@ -1,2 +1 @@\n string id = 1;\n-string unit = 3;\n", "a.proto"))
    assert "key" in kinds(judged("@@ -1,2 +1 @@\n PACKED,\n-ON_HOLD,\n", "State.java"))


def test_a_call_to_another_side_matters_more_while_something_is_held(judged: Judged) -> None:
    call = "@@ -1,3 +1,4 @@\n {held}\n user = users.save(form)\n+mail_client.send(user)\n return user\n"
    assert "held_long" in kinds(judged(call.replace("{held}", "with transaction.atomic():"), "a.py"))
    assert "held_long" not in kinds(judged(call.replace("{held}", "if form.valid:"), "a.py"))


def test_a_nested_loop_that_was_there_is_no_new_one(judged: Judged) -> None:
    diff = (
        "@@ -1,3 +1,4 @@\n-for page in pages():\n-    for row in page:\n-        write(row)\n"
        "+every = pages()\n+for page in every:\n+    for row in page:\n+        write(row)\n"
    )
    assert "cpu_more" not in kinds(judged(diff, "a.py"))


def test_statements_inside_of_another_block_are_not_the_same(judged: Judged) -> None:
    braces = "@@ -1,4 +1,4 @@\n lock (this) {\n     put(a);\n-}\n-tell(a);\n+    tell(a);\n+}\n"
    dedent = "@@ -1,3 +1,3 @@\n for row in rows:\n     put(row)\n-    tell(rows)\n+tell(rows)\n"
    assert kinds(judged(braces, "A.java")) == kinds(judged(dedent, "a.py")) == {"order"}
    reformatted = "@@ -1,2 +1,2 @@\n-if a:\n-  put(a)\n+if a:\n+    put(a)\n"
    assert judged(reformatted, "a.py").inert
    argument = "@@ -1,3 +1,3 @@\n call(\n-  a,\n+    a,\n )\n"
    assert judged(argument, "a.py").inert
