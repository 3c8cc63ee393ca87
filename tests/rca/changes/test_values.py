import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.changes.diff import parse, split_words
from rca.changes.tokens import tokenize
from rca.changes.values import Value, canonical, quantity_of, unit_in, value_of
from rca.changes.vocabulary import Vocabulary


def values(code: str, path: str, vocabulary: Vocabulary) -> list[Value]:
    (file,) = parse(f"@@ -1 +1 @@\n+{code}\n", (path,), vocabulary)
    tokens = [token for line in tokenize(file, vocabulary) for token in line.tokens]
    return [value for token in tokens if (value := value_of(token)) is not None]


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.go", "Timeout: 5 * time.Second", "Timeout: 5000 * time.Millisecond"),
        ("a.go", "wait := time.Second * 2", "wait := 2 * time.Second"),
        ("A.java", "timeout(10, TimeUnit.MINUTES)", "timeout(Duration.ofMinutes(10))"),
        ("a.rs", "timeout(Duration::from_secs(3))", "timeout(Duration::from_millis(3000))"),
        ("a.py", "timeout=timedelta(seconds=90)", "timeout=timedelta(minutes=1.5)"),
        ("a.ts", "timeoutMs: 60 * 1000", "timeoutMs: 60_000"),
        ("a.yaml", "timeout: 1m", "timeout: 60s"),
        ("a.yaml", "timeout_ms: 1500", "timeout_seconds: 1.5"),
        ("a.yaml", "memory: 512Mi", "memory: 0.5Gi"),
        ("a.yaml", "cpu: 2", "cpu: 2000m"),
        ("nginx.conf", "client_max_body_size 50m;", "client_max_body_size 51200k;"),
        ("Dockerfile", 'ENV OPTS="-Xmx2g"', 'ENV OPTS="-Xmx2048m"'),
        ("a.py", "max_items = 1 << 10", "max_items = 1024"),
    ],
)
def test_the_same_value_is_the_same_however_it_is_written(
    path: str, one: str, other: str, vocabulary: Vocabulary
) -> None:
    assert values(one, path, vocabulary) == values(other, path, vocabulary) != []


@pytest.mark.parametrize("code", ["server 10.2.0.15:8080;", "image: acme/app:1.2.3", "x = sha1(abc123)"])
def test_addresses_versions_and_names_are_no_quantities(code: str, vocabulary: Vocabulary) -> None:
    assert values(code, "a.yaml", vocabulary) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value("time", 0.3), "300 ms"), (Value("time", 5), "5 s"), (Value("time", 600), "10 min"),
        (Value("time", 1e-6), "1e-06 s"), (Value("size", 2**29), "512 MiB"), (Value("size", 12), "12 B"),
        (Value("cpu", 0.2), "0.2 cores"), (Value("count", 50_000), "50,000"), (Value("count", 2.5), "2.5"),
    ],
)  # fmt: skip
def test_values_read_as_a_person_would_write_them(value: Value, text: str) -> None:
    assert value.text() == text


def test_what_a_number_is_shows_in_the_words_of_its_line(vocabulary: Vocabulary) -> None:
    lines = ["httpReadTimeout", "maxPoolSize", "cacheTtlSeconds", "retryAttempts", "replicas", "targetPort"]
    found = [quantity_of(split_words(line), vocabulary) for line in lines]
    assert [quantity.name if quantity else "" for quantity in found] == [
        "timeout", "pool size", "cache lifetime", "retry count", "replica count", "port",
    ]  # fmt: skip


def test_the_unit_is_read_from_the_name() -> None:
    assert (unit_in("timeout ms"), unit_in("wait seconds"), unit_in("wait")) == ("ms", "seconds", "")


@given(st.text(max_size=80), st.sampled_from(["time", "size", "cpu", "count"]))
def test_any_line_has_a_canonical_form(code: str, family: str) -> None:
    assert canonical(code, family, "") == canonical(code, family, "")


@given(st.integers(1, 10**6))
def test_a_plain_number_keeps_its_value(number: int) -> None:
    token = canonical(str(number), "count", "")
    value = value_of(token)
    assert value is not None
    assert value.number == number
