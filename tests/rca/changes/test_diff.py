import pytest

from rca.changes.diff import MOST_LINES, bare, language_of, parse, split_words
from rca.changes.vocabulary import Vocabulary


def codes(diff: str, vocabulary: Vocabulary, path: str = "app/main.go") -> list[tuple[str, str]]:
    return [
        (line.sign, line.code) for file in parse(diff, (path,), vocabulary) for line in file.lines if line.code
    ]


def test_files_are_told_apart_by_their_headers(vocabulary: Vocabulary) -> None:
    diff = (
        "diff --git a/one.go b/one.go\n--- a/one.go\n+++ b/one.go\n@@ -1 +1 @@\n-a()\n+b()\n"
        "diff --git a/two.py b/two.py\n--- /dev/null\n+++ b/two.py\n@@ -0,0 +1 @@\n+c()\n"
    )
    files = parse(diff, (), vocabulary)
    assert [(file.path, file.language) for file in files] == [("one.go", "go"), ("two.py", "python")]


def test_a_hunk_may_be_named_by_its_path_alone(vocabulary: Vocabulary) -> None:
    diff = "@@ pkg/a.go @@ func x() {\n-a()\n+b()\n@@ pkg/b.go: func y() {\n+c()\n"
    assert [file.path for file in parse(diff, ("pkg/a.go", "pkg/b.go"), vocabulary)] == ["pkg/a.go", "pkg/b.go"]


def test_a_removed_line_that_looks_like_a_header_stays_a_line(vocabulary: Vocabulary) -> None:
    files = parse("@@ -1,2 +1 @@\n--- a dash list\n keep()\n", ("notes.sql",), vocabulary)
    assert [line.sign for line in files[0].lines] == ["-", " "]


@pytest.mark.parametrize(
    "path",
    [
        "pkg/a_test.go", "tests/test_x.py", "docs/a.md", "web/a.css", ".github/workflows/ci.yml", "go.sum",
        "README.md",
        "src/test/java/FooTest.java", "deploy/staging/app.yaml", "web/Button.test.tsx", ".golangci.yml",
    ],
)  # fmt: skip
def test_files_that_cant_do_harm_are_left_out(path: str, vocabulary: Vocabulary) -> None:
    assert parse("@@ -1 +1 @@\n-a\n+b\n", (path,), vocabulary) == ()


@pytest.mark.parametrize("path", ["pkg/latest.go", "src/contest/run.py", "deploy/production/app.yaml"])
def test_files_that_only_sound_harmless_are_kept(path: str, vocabulary: Vocabulary) -> None:
    assert len(parse("@@ -1 +1 @@\n-a\n+b\n", (path,), vocabulary)) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.go", "// timeout := 5"),
        ("a.go", 'log.Infof("timeout %d", 5)'),
        ("a.go", 'import "timeout"'),
        ("a.py", "# timeout = 5"),
        ("a.py", "from time import sleep"),
        ("a.py", 'logger.warning("timeout")'),
        ("a.py", '"""A timeout."""'),
        ("A.java", " * the timeout"),
        ("a.ts", 'console.log("timeout");'),
        ("a.sql", "-- DROP INDEX x"),
        ("a.yaml", "# timeout: 5"),
    ],
)  # fmt: skip
def test_comments_imports_and_log_lines_are_emptied(path: str, line: str, vocabulary: Vocabulary) -> None:
    assert codes(f"@@ -1 +1 @@\n+{line}\n", vocabulary, path) == []


def test_a_comment_behind_code_goes_and_a_url_in_a_text_stays(vocabulary: Vocabulary) -> None:
    diff = '@@ -1 +1 @@\n+x := get("http://a/b") // not https\n'
    assert codes(diff, vocabulary) == [("+", 'x := get("http://a/b")')]


def test_a_docstring_of_several_lines_is_emptied(vocabulary: Vocabulary) -> None:
    diff = '@@ -1 +1,4 @@\n+"""Say it.\n+\n+timeout = 5\n+"""\n+run()\n'
    assert codes(diff, vocabulary, "a.py") == [("+", "run()")]


def test_lines_know_whether_they_stand_in_a_loop(vocabulary: Vocabulary) -> None:
    diff = "@@ -1 +1,4 @@\n+for x in xs:\n+    call(x)\n+done()\n+ys = [call(y) for y in xs]\n"
    (file,) = parse(diff, ("a.py",), vocabulary)
    assert [line.in_loop for line in file.lines] == [False, True, False, True]


def test_what_is_too_long_is_cut(vocabulary: Vocabulary) -> None:
    diff = "@@ -1 +1 @@\n" + "+call()\n" * (MOST_LINES + 50)
    assert len(codes(diff, vocabulary)) == MOST_LINES


def test_identifiers_are_split_into_words() -> None:
    assert split_words("ctx.WithTimeout(HTTPClient, MAX_WAIT)") == "ctx with timeout http client max wait"


def test_the_language_is_known_by_the_path(vocabulary: Vocabulary) -> None:
    paths = ["a/Dockerfile", "edge/nginx.conf", "go.mod", "a.proto", "b.tf", "c.unknown"]
    assert [language_of(p, vocabulary) for p in paths] == [
        "docker", "nginx", "dependencies", "schema", "terraform", "",
    ]  # fmt: skip


def test_a_name_is_the_same_however_it_is_parted() -> None:
    assert {bare(name) for name in ("order-service", "OrderService", "order_service", "order.service")} == {
        "orderservice"
    }
