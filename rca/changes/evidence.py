"""Direct evidence: what the errors say in the words of the diff."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rca.changes.diff import bare, split_words
from rca.changes.facts import Facts
from rca.changes.findings import Content

_NAMED, _VALUE, _GONE, _FILE = 1.3, 1.0, 1.4, 1.2
_MOST_DIRECT, _MOST_WORDS = 2.2, 0.9
_TOKEN = re.compile(r"(?<!\w)[A-Za-z_]\w{3,}")
_LITERAL = re.compile(
    r"[\w./:-]*\d[\w./:-]*|[\w-]+(?:\.[\w-]+)+(?::\d+)?|/[\w/.-]{3,}|(?<=['\"`])[\w.:-]{2,}(?=['\"`])"
)
_TELLING_NAME = re.compile(r"[a-z]+[A-Z]\w*|\w+_\w+|[A-Z][a-z]+[A-Z]\w*|[A-Z]{2,}_\w+")
_COMMON_NUMBERS = re.compile(r"[0-9]|[1-5]\d\d|10|100|1000|[\d.]+%?|[0-9]+s")
_USUAL_IDF = 2.0
_OF_A_NAME = 4  # a shorter word is in a name by chance
_LONG, _SPELLED = 6, re.compile(r"[A-Za-z]{3}")
_PER_WORD = 0.12


@dataclass(frozen=True, slots=True)
class Speech:
    """What the incident says, prepared once.

    Attributes:
        texts: New lines that tell of trouble, and failing spans, with a weight.
        words: Their words, less those of the baseline and of services' names.
        tokens: Identifiers in them as written, to the lower case.
        literals: Numbers, hosts, paths and quoted names in them.
    """

    texts: tuple[str, ...]
    words: frozenset[str]
    tokens: Mapping[str, str]
    literals: frozenset[str]


def listen(facts: Facts, stop: frozenset[str]) -> Speech:
    """Collect what the incident says, without words that tell nothing."""
    texts = [line.text for line in facts.lines] + [span.text for span in facts.spans]
    known = {word for name in (*facts.services, facts.first_failing) for word in split_words(name).split()}
    metrics = " ".join(anomaly.metric for anomaly in facts.anomalies)
    words = set(split_words(" ".join([*texts, metrics])).split()) - facts.baseline_words - known - stop
    words = {word for word in words if len(word) < _OF_A_NAME or not any(word in name for name in known)}
    return Speech(
        tuple(texts),
        frozenset(word for word in words if len(word) > 2 and not word.isdigit()),  # noqa: PLR2004 - shorter ones tell nothing
        {token.lower(): token for text in texts for token in _TOKEN.findall(text) if token.lower() not in stop},
        frozenset({token.strip(".:,") for text in texts for token in _LITERAL.findall(text)} - stop),
    )


def document_counts(contents: Iterable[Content]) -> dict[str, int]:
    """In how many changes each word occurs."""
    counts: dict[str, int] = {}
    for content in contents:
        for word in content.text:
            counts[word] = counts.get(word, 0) + 1
    return counts


@dataclass(frozen=True, slots=True)
class Direct:
    """Evidence that the errors speak of this very change.

    Attributes:
        value: They hold a text or a number that it brought or took away, or a name that it brought: whatever it
            does, that is what fails.
    """

    score: float
    reasons: tuple[str, ...]
    value: bool


def direct(content: Content, speech: Speech, facts: Facts) -> Direct:
    """Look for what a change touches in what the errors say."""
    found: list[tuple[float, str]] = []
    names, brought = ({name.replace("_", "") for name in side} for side in (content.names, content.new_names))
    named = sorted(
        token
        for low, token in speech.tokens.items()
        if low.replace("_", "") in names
        and low not in facts.baseline_words
        and _TELLING_NAME.fullmatch(token)
        and _more_than_a_service(low, facts)
    )
    if named:
        found.append((_NAMED, f"the errors name `{named[0]}`, which it changes"))
    gone = sorted(value for value in content.gone_values & speech.literals if _tells(value))
    if gone:
        found.append((_GONE, f"the errors name `{gone[0]}`, which it took away"))
    set_to = content.settings & speech.words
    new = sorted({value for value in content.values & speech.literals if _tells(value)} | set_to)
    if new:
        found.append((_VALUE, f"the errors hold `{new[0]}`, which it brought"))
    whole = "\n".join(speech.texts)
    for path in content.paths:
        base = path.rsplit("/", 1)[-1]
        if "." in base and len(base) > 5 and re.search(rf"(?<![\w.-]){re.escape(base)}(?:[:\")]|\b)", whole):  # noqa: PLR2004 - `a.go` is anybody's
            found.append((_FILE, f"the stack names {base}, which it touches"))
            break
    told = [
        value for value in (*gone, *new) if _SPELLED.search(value) and (len(value) >= _LONG or value in set_to)
    ]
    new_name = any(token.lower().replace("_", "") in brought for token in named)
    score = min(_MOST_DIRECT, sum(score for score, _ in found))
    return Direct(score, tuple(why for _, why in found), bool(told) or new_name)


def _more_than_a_service(token: str, facts: Facts) -> bool:
    """Whether a token is more than a service's name."""
    return bare(token) not in map(bare, facts.services)


def _tells(value: str) -> bool:
    return len(value) > 2 and not _COMMON_NUMBERS.fullmatch(value)  # noqa: PLR2004 - shorter ones are anywhere


def words_in_common(
    mine: str | frozenset[str], speech: Speech, counts: Mapping[str, int], total: int
) -> tuple[float, tuple[str, ...]]:
    """Words that a change and the new lines have in common, rare ones counting for more: a score and the words.

    Args:
        mine: The change's words, or a text of it.
        speech: What the incident says.
        counts: In how many changes each word occurs.
        total: How many changes there are.
    """
    words = frozenset(split_words(mine).split()) if isinstance(mine, str) else mine
    weights = {
        word: math.log((1 + total) / (1 + counts.get(word, 0))) + 0.5 for word in sorted(words & speech.words)
    }
    score = _PER_WORD * sum(min(weight / _USUAL_IDF, 1.5) for weight in weights.values())
    telling = sorted(weights, key=lambda word: (-weights[word], word))[:3]
    return min(_MOST_WORDS, score), tuple(telling)
