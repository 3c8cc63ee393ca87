"""Redacting a whole bundle."""

from datetime import UTC, datetime, timedelta

from rca.model.incident import Alert, Bundle, Commit, Event, EventKind, Gap, Interval, SourceRecord, Span, Window
from rca.model.logs import LogLine
from rca.redact import redact_bundle

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
MAIL = "joe@example.com"


def bundle_with(text: str) -> Bundle:
    return Bundle(
        id="one",
        window=Window(Interval(AT, AT + timedelta(hours=1))),
        title=text,
        notes=text,
        sha256="0" * 64,
        logs=tuple(LogLine(AT, "cart", "ERROR", text, fields={"user": text}) for _ in range(450)),
        events=(Event(AT, EventKind.DEPLOY, "cart", text, {"actor": text}),),
        alerts=(Alert({"alertname": "Slow", "to": text}, {"summary": text}, AT, generator_url=text),),
        spans=(Span("1", "2", None, "cart", text, AT, 5.0, fields={"error": text}),),
        commits=(
            Commit("a76c469", f"Joe <{text}>", AT, text, ("a.py",), f"+{text}"),
            Commit("b76c469", "Joe", AT, "", (), None),
        ),
        sources=(SourceRecord("elasticsearch", "elasticsearch", queries={"logs": text}, details={"as": text}),),
        gaps=(Gap("elasticsearch", text, text),),
        redactions={"email": 2},
    )


def test_every_free_text_of_a_bundle_is_redacted_and_the_counts_add_up() -> None:
    redacted = redact_bundle(bundle_with(MAIL))
    assert MAIL not in repr(redacted)
    assert redacted.redactions == {"email": 2 + 900 + 2 + 2 + 3 + 2 + 3 + 2 + 2}
    assert redacted.sha256 == ""
    assert redacted.logs[0].message == "[redacted:email]"
    assert redacted.commits[0].author == "Joe <[redacted:email]>"


def test_redacting_a_redacted_bundle_gives_the_very_same_one() -> None:
    redacted = redact_bundle(bundle_with(f"password=hunter2 {MAIL} app:s3cr3t@tcp(db)"))
    assert redact_bundle(redacted) is redacted


def test_a_bundle_without_secrets_is_returned_as_it_is() -> None:
    clean = bundle_with("order 550e8400-e29b-41d4-a716-446655440000 took 31 ms")
    assert redact_bundle(clean) is clean
