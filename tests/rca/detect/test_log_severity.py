import pytest

from rca.detect.log_severity import CALM, ERROR, severity
from rca.model.tuning.lines import LineTuning

SAYS_FAILURE, WARNING = LineTuning().says_failure, LineTuning().warning


@pytest.mark.parametrize(
    ("level", "text", "how_bad"),
    [
        ("ERROR", "fine", ERROR),
        ("FATAL", "", ERROR),
        ("WARN", "it failed", WARNING),
        ("DEBUG", "it failed", CALM),
        ("INFO", "all is well", CALM),
        ("INFO", "request failed", SAYS_FAILURE),
        ("INFO", "java.lang.IllegalStateException: no", SAYS_FAILURE),
        ("INFO", "upstream timed out", SAYS_FAILURE),
        ("INFO", 'GET / HTTP/1.1" 503 <n>', SAYS_FAILURE),
        ("INFO", "status=500 in <dur>", SAYS_FAILURE),
        ("INFO", "status=200 in <dur>", CALM),
        ("INFO", "no errors found", CALM),
        ("INFO", "done, errors=0", CALM),
        ("INFO", "error: null", CALM),
        ("INFO", "<n> failures", CALM),
        ("INFO", "error handler installed", CALM),
        ("", "2026-01-02 ERROR disk is full", ERROR),
        ("", "2026-01-02 WARNING disk fills", WARNING),
        ("", "level=error msg=x", ERROR),
        ("", '{"level":"warn"}', WARNING),
        ("", "DEBUG it failed", CALM),
        ("", "it failed", SAYS_FAILURE),
        ("ODD", "fine", CALM),
    ],
)
def test_a_line_is_as_bad_as_its_level_or_its_words_say(level: str, text: str, how_bad: float) -> None:
    assert severity(level, text, LineTuning()) == how_bad
