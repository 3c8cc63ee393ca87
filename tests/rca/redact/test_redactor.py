"""What is cut out of text, and what must stay."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.redact import Redactor

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----"
GITHUB = "ghp_" + "a1B2c3D4" * 5
STRIPE = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
BASIC = base64.b64encode(b"user:hunter22").decode()

SECRETS = [
    ("Authorization: Bearer {}", "abcdef123456.xyz", "authorization"),
    ('{{"authorization": "Basic {}"}}', BASIC, "authorization"),
    ("sent basic {} to proxy", BASIC, "authorization"),
    ("bearer {} was refused", "8f2c1d9e7b3a4f60", "authorization"),
    ("logged in with {}.", JWT, "jwt"),
    ("key:\n{}\nend", PEM, "private_key"),
    ("key {}", PEM[:60], "private_key"),
    ("uploaded by {}", "AKIAIOSFODNN7EXAMPLE", "aws_key"),
    ("AKIAIOSFODNN7EXAMPLE / {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_key"),
    ("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "token"),
    ("push with {} failed", GITHUB, "github_token"),
    ("push with {} failed", "github_pat_" + "1A" * 20, "github_token"),
    ("runner {}", "glpat-abcdefghij0123456789", "gitlab_token"),
    ("slack {}", "xoxb-123456789012-abcdefABCDEF", "slack_token"),
    ("post https://hooks.slack.com/services/{}", "T00000000/B00000000/XXXXXXXX", "slack_token"),
    ("charge with {}", STRIPE, "stripe_key"),
    ("maps {}", "AIza" + "Sy0123456789abcdefghijklmnopqrstuvw"[:35], "google_key"),
    ("model {}", "sk-proj-abcdefghij0123456789", "api_key"),
    ("npm {}", "npm_" + "a1B2c3" * 6, "api_key"),
    ("vault {}", "hvs.abcdefghij0123456789", "api_key"),
    ("password={}", "hunter2", "password"),
    ("password={}", "123456", "password"),
    ("dbPassword={} host=x", "correcthorse", "password"),
    ('{{"password": "{}", "user": "joe"}}', "a b,c", "password"),
    ('{{\\"password\\":\\"{}\\"}}', "nested in text", "password"),
    ("passwd: '{}'", "it is long", "password"),
    ("mysql --password {} -h db", "hunter2", "password"),
    ("curl --token {} x", "abc123", "token"),
    ("postgres://app:{}@db:5432/orders", "s3cr3t!", "password"),
    ("redis://:{}@cache:6379", "s3cr3t", "password"),
    ("app:{}@tcp(db:3306)/orders", "s3cr3t", "password"),
    ("Server=db;Password={};Timeout=5", "p4ss", "password"),
    ("GET /x?api_key={}&page=2", "abcd1234", "token"),
    ("client_secret={}", "zzz-yyy", "token"),
    ("token={}", "550e8400-e29b-41d4-a716-446655440000", "token"),
    ("GET /blob?sv=1&sig={}", "abcdefghijklmnopqrstuv%3D", "token"),
    ("Cookie: {}", "sid=31d4d96e407aad42; theme=dark", "cookie"),
    ("JSESSIONID={}; Path=/", "0AAB6C8DE415E2E5F", "session"),
    ("session_id={}", "9f8e7d6c5b", "session"),
    ("mail to {} bounced", "jane.doe+x@example.co.uk", "email"),
    ("card {} declined", "4111111111111111", "card"),
    ("card {} declined", "4111 1111 1111 1111", "card"),
    ("card {} declined", "3782-822463-10005", "card"),
    ("card {} declined", "4222222222222", "card"),
    ("to {} today", "DE89370400440532013000", "iban"),
    ("to {} TODAY", "GB29 NWBK 6016 1331 9268 19", "iban"),
    ("call {} now", "+14155552671", "phone"),
    ("call {} now", "+49 151 1234 5678", "phone"),
    ("call {}", "+1 (415) 555-2671", "phone"),
    ("ssn {}", "078-05-1120", "ssn"),
]

STAYS = [
    "2026-11-22T03:10:00.123456Z took 1674981669123 ms",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "SpanID: 3311259761098557 [getOrderById]",
    "[cart,4bf92f3577b34da6a3ce929d0e0e4736,3311259761098557]",
    "traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-3311259761098557-01",
    "order 550e8400-e29b-41d4-a716-446655440000",
    "order 12345678-1234-1234-1234-123456789012",
    "commit a76c469dd48b89f07c7337f13c9237deee14a474",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "10.0.12.7:8080 -> 192.168.1.1, fe80::1",
    "at com.acme.Foo@1f2e3d4c (Foo.java:214)",
    "started getty@tty1.service",
    "Unexpected token: } in JSON at position 4",
    "Unexpected token < in JSON",
    "token: 17, tokens=512, max_tokens: 1000",
    "Cassandra token=-9223372036854775808",
    "password: incorrect",
    "password must not be empty",
    "password=**** token=null secret=<nil>",
    "PWD=/srv/app",
    "bearer token expired",
    "Basic authentication failed",
    "basic health-check passed",
    "primary_key=5 keyspace=orders key=abc",
    "cookie expired",
    "p99=4111111.25 rate=+12.5% delta=+1234",
    "value 0.4111111111111111",
    "offset=4111111111111111",
    "shifted by +02:00 at 12:00:00+0000",
    "4 8 15 16 23 42 108 4532",
    "https://example.com/a:b/c@d",
    "user@host refused",
    "image repo/app@sha256:abc",
    "xoxo, sk-learn, task-42",
    "0000000000000000 4444444444444444",
    "123-45-678 000-12-3456 900-12-3456",
    "GB00NWBK60161331926819 AB12CDEFGHIJKLMNOP",
    "eyJust a word",
]


@pytest.mark.parametrize(("frame", "secret", "kind"), SECRETS)
def test_a_secret_is_cut_out_and_counted_by_its_kind(frame: str, secret: str, kind: str) -> None:
    redactor = Redactor()
    redacted = redactor.text(frame.format(secret))
    assert secret not in redacted
    assert f"[redacted:{kind}]" in redacted
    assert set(redactor.counts) == {kind}


@pytest.mark.parametrize(("frame", "secret", "kind"), SECRETS)
def test_what_stands_around_a_secret_stays(frame: str, secret: str, kind: str) -> None:
    text = f"2026-01-01 WARN request 17 failed | {frame.format(secret)}\nnext line"
    assert Redactor().text(text).startswith("2026-01-01 WARN request 17 failed | ")
    assert Redactor().text(text).endswith("\nnext line") or PEM.startswith(secret)
    assert kind in Redactor().text(text)


@pytest.mark.parametrize("text", STAYS)
def test_what_only_resembles_a_secret_stays(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    assert not redactor.counts


@given(st.lists(st.sampled_from([frame.format(s) for frame, s, _ in SECRETS] + STAYS) | st.text(max_size=30)))
def test_redacting_twice_changes_and_counts_nothing_more(parts: list[str]) -> None:
    redactor = Redactor()
    once = redactor.text(" ".join(parts))
    counts = dict(redactor.counts)
    assert redactor.text(once) == once
    assert redactor.counts == counts


@given(st.sampled_from(SECRETS), st.text(max_size=20), st.text(max_size=20))
def test_a_planted_secret_never_survives(entry: tuple[str, str, str], before: str, after: str) -> None:
    frame, secret, _ = entry
    assert secret not in Redactor().text(f"{before}\t{frame.format(secret)} {after}")


@given(st.uuids(), st.datetimes(), st.ip_addresses(), st.binary(min_size=16, max_size=32), st.integers(0, 10**11))
def test_ids_times_addresses_hashes_and_numbers_stay(
    uuid: object, at: object, address: object, digest: bytes, number: int
) -> None:
    text = f"{uuid} {at} {address} {digest.hex()} n={number}"
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"http": {"headers": {"Authorization": "opaque"}}},
            {"http": {"headers": {"Authorization": "[redacted:authorization]"}}},
        ),
        ({"db.password": 12345, "rows": 12345}, {"db.password": "[redacted:password]", "rows": 12345}),
        ({"tokens": 12345, "tags": ["a", "joe@x.org"]}, {"tokens": 12345, "tags": ["a", "[redacted:email]"]}),
        ({"cookies": ["a=b"], "ok": True, "no": None}, {"cookies": ["[redacted:cookie]"], "ok": True, "no": None}),
        ({"password": "[redacted:password]"}, {"password": "[redacted:password]"}),
        ({"span_id": "3311259761098557"}, {"span_id": "3311259761098557"}),
        ({"span_id": 3311259761098557}, {"span_id": 3311259761098557}),
        ({"card": 4111111111111111}, {"card": "[redacted:card]"}),
        ({}, {}),
    ],
)
def test_fields_are_redacted_by_name_and_by_content(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    redactor = Redactor()
    assert redactor.mapping(fields) == expected
    assert (redactor.mapping(fields) is fields) == (fields == expected)


def test_what_is_nested_absurdly_deep_is_cut_out_unseen() -> None:
    value: Any = "joe@example.com"
    for _ in range(200):
        value = [value]
    assert "joe@example.com" not in repr(Redactor().value(value))


def test_a_narrowed_redactor_finds_the_same_and_shares_the_counts() -> None:
    texts = [frame.format(secret) for frame, secret, _ in SECRETS] + STAYS
    whole, base = Redactor(), Redactor()
    narrowed = base.likely(texts)
    assert [narrowed.text(text) for text in texts] == [whole.text(text) for text in texts]
    assert base.counts == whole.counts
