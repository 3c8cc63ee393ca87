from ipaddress import IPv4Address
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.detect.masking import MAX_CHARS, Masker, headline


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("took 12.5ms at 10.2.3.4:8080 for user 1234", "took <dur> at <ip> for user <n>"),
        ("order 015fd636-861e-4714-9347-2efbb1a98f37 saved", "order <uuid> saved"),
        ("pod checkout-7d9f8b6c5-x2x4z restarted", "pod checkout-<id> restarted"),
        ("at 2026-01-02T03:04:05.678Z and 03:04:05,123", "at <time> and <time>"),
        ("commit 0xdeadBEEF0 of 7f3a9c2b11", "commit <id> of <id>"),
        ("peer fe80::1ff:fe23:4567:890a is gone", "peer <ip> is gone"),
        ("sent 512KB in 1m2.5s", "sent <size> in <dur>"),
        ('GET /api/v1/users/42?x=1&y=2 HTTP/1.1" 503 1234', 'GET /api/v1/users/<n>?<q> HTTP/1.1" 503 <n>'),
        ("failed with code=500 and status=503", "failed with code=500 and status=503"),
        ("upstream returned 502 after 3 tries", "upstream returned 502 after <n> tries"),
        ('no user "Ann Lee" here', 'no user "<s>" here'),
        ("user 'bob' is gone", "user '<s>' is gone"),
        ('call failed: error "no route"', 'call failed: error "no route"'),
        ("s3 and http2 stay", "s3 and http2 stay"),
        ("2026-01-02 03:04:05 ERROR disk full", "disk full"),
        ("[INFO] 03:04:05 - ready", "ready"),
        ("INFO TraceID: e50d96f51a4c7beccb5c58ad573090de SpanID: a73ac803dd58423f done", "done"),
        ("ids [1, 2, 3] and [4, 5]", "ids [<n>, <n>, <n>] and [<n>, <n>]"),
        ("ids 1, 2, 3 gone", "ids <n>, gone"),
        ("12345", "<n>"),
        ("", ""),
    ],
)
def test_what_varies_becomes_a_placeholder(message: str, masked: str) -> None:
    assert Masker().mask(message) == masked


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('{"msg":"boom","error":"no route","n":3}', "boom error=no route"),
        ('{"message":"boom","error":{"type":"IOError"}}', "boom error=IOError"),
        ('{"level":"info","n":3}', '{"level":"info","n":3}'),
        ("{not json}", "{not json}"),
        ("[1]", "[1]"),
        ('level=info msg="hello world" err="x y" dur=3ms', "hello world err=x y"),
        ('{"msg": "' + "x" * 20_000 + '"}', ('{"msg": "' + "x" * 20_000)[:MAX_CHARS]),
        ("\x1b[31mred\x1b[0m alert", "red alert"),
        ("a\x00b\u202ec", "a b c"),
        (
            'Traceback (most recent call last):\n  File "/a/b.py", line 3, in run\n    x()\nValueError: bad\n',
            "ValueError: bad at b.py:run",
        ),
        (
            "failed\na.b.StateException: x\n\tat a.B(B.java:3)\nCaused by: io.IOException: y\n\tat d.E.f(E.java)",
            "failed io.IOException: y at d.E.f",
        ),
        ("panic: oh no\n\ngoroutine 1 [running]:\nmain.run(0x1)\n\t/x.go:3", "panic: oh no at main.run"),
        ("TypeError: no x\n    at Object.run (/app/a.js:3:4)\n", "TypeError: no x at Object.run"),
        ("first\nsecond", "first"),
        ("[" * 5_000, "[" * MAX_CHARS),
    ],
)
def test_a_headline_says_what_happened(message: str, said: str) -> None:
    assert headline(message) == said


def test_a_deeply_nested_document_is_kept_as_text() -> None:
    assert headline('{"a":' * 3_000).startswith('{"a":')


def test_the_memory_of_words_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rca.detect.masking._CACHE", 2)
    masker = Masker()
    texts = [f"word{i} number {i} of {i * 7}" for i in range(9)]
    assert [masker.mask(text) for text in texts] == [Masker().mask(text) for text in texts]


@given(st.text(max_size=400))
def test_masking_never_fails_and_leaves_one_printable_line(text: str) -> None:
    masked = Masker().mask(text)
    assert masked.isprintable()


_PLAIN = st.lists(
    st.one_of(st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.integers(0, 10**9).map(str), st.uuids().map(str)),
    max_size=12,
).map(" ".join)


@given(_PLAIN)
def test_masking_twice_changes_nothing(text: str) -> None:
    masked = Masker().mask(text)
    assert Masker().mask(masked) == masked


_IPV4 = st.integers(0, 2**32 - 1).map(IPv4Address)
_COUNT = st.integers(0, 10**12)


@given(st.uuids(), st.uuids(), _COUNT, _COUNT, _IPV4, _IPV4)
def test_other_ids_give_the_same_masked_text(
    a: UUID, b: UUID, m: int, n: int, p: IPv4Address, q: IPv4Address
) -> None:
    mask = Masker().mask
    assert mask(f"order {a} of {m} from {p} done") == mask(f"order {b} of {n} from {q} done")
