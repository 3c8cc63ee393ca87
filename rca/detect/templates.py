"""Log templates: a small Drain-like miner over masked messages.

The tree and the similarity are Drain's (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing Approach with Fixed
Depth Tree", ICWS 2017): messages meet by their number of words, then by their first words, then by the share of
equal words. Three things differ, each because the templates are evidence here:

- Words that tell success from failure, or a beginning from an end (`failed`, `status=503`, an exception's class,
  `begins`), are never merged away.
- `key=value` words with the same key are alike, and merge to `key=<*>`.
- `mine` sees all messages at once, and goes through the distinct ones in a fixed order: the same messages give
  the same templates in whatever order they came.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import eq
from typing import Final

from rca.model.tuning.lines import LineTuning

ANY: Final = "<*>"
_MAX_ALIKE: Final = 100
MAX_WORDS: Final = 48
"""Words of a message that count; what follows is the same to the miner."""

_TELLING_WORD = re.compile(
    r"[^\s]*(?:fail|error|exception|succe|timeout|timed|refus|denied|reject|unavailab|invalid|abort|panic|fatal"
    r"|unreachable|broken|missing|exhaust|exceed|retr(?:y|ied|ies)|killed|crash)[^\s]*"
    r"|\W*(?:not|no|null|none|ok|true|false|up|down|start(?:ed|ing)?|stop(?:ped|ping)?|open(?:ed)?|closed?|reset|lost"
    r"|slow|hit|miss|begins?|began|ends?|ended|finish(?:ed|es)?|completed?|done|enter(?:ing|ed)?|exit(?:ing|ed)?"
    r"|before|after|sent|sending|received|receiving|request|response|created?|deleted?|updated?|read|wrote"
    r"|enabled|disabled|healthy|unhealthy|[1-5]\d\d)\W*"
    r"|[^\s]*(?:status(?:_?code)?|code)[\"']?[=:][\"']?\d+[^\s]*",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Cluster:
    id: int
    words: list[str]


@dataclass(slots=True)
class _Leaf:
    clusters: list[_Cluster] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mined:
    """What the miner made of a list of messages.

    Attributes:
        templates: The templates' texts, sorted.
        index: For each message, in the given order, the position of its template in `templates`.
    """

    templates: tuple[str, ...]
    index: tuple[int, ...]


class TemplateMiner:
    """A streaming miner: each masked message is put into a template, which becomes more general where need be.

    Args:
        tuning: The constants: from which likeness on a message joins a template.
        max_children: Distinct first words under one node; further ones share a child.
        max_templates: Bound on memory; when it, or a hundred under one node, is reached a new message joins the
            catch-all of its length.
    """

    def __init__(self, tuning: LineTuning, *, max_children: int = 128, max_templates: int = 5_000) -> None:
        self._tuning = tuning
        self._max_children = max_children
        self._max_templates = max_templates
        self._leaves: dict[tuple[object, ...], _Leaf] = {}
        self._children: dict[int, set[str]] = {}
        self._clusters: list[_Cluster] = []
        self._catch_all: dict[int, _Cluster] = {}

    def add(self, masked: str, group: str = "") -> int:
        """The id of the template that this masked message belongs to; ids count from 0 in the order of creation.

        Messages of different groups (services, say) never share a template.
        """
        words = masked.split()[:MAX_WORDS]
        leaf = self._leaf(words, group)
        best, score = None, 0.0
        keyed = any("=" in word for word in words)
        for cluster in leaf.clusters:
            likeness = _likeness(cluster.words, words, keyed=keyed)
            if likeness > score:
                best, score = cluster, likeness
        if best is not None and score >= self._tuning.alike:
            best.words = [a if a == b else _general(a, b) for a, b in zip(best.words, words, strict=True)]
            return best.id
        return self._new(leaf, words).id

    def template(self, template_id: int) -> str:
        """The text of a template as it is now."""
        return " ".join(self._clusters[template_id].words)

    def __len__(self) -> int:
        return len(self._clusters)

    def _leaf(self, words: Sequence[str], group: str) -> _Leaf:
        size = len(words)
        first = words[0] if words else ""
        children = self._children.setdefault(size, set())
        if first in children or len(children) < self._max_children:
            children.add(first)
        else:
            first = ANY
        telling = tuple(word for word in words if _TELLING_WORD.fullmatch(word))
        return self._leaves.setdefault((group, size, first, telling), _Leaf())

    def _new(self, leaf: _Leaf, words: Sequence[str]) -> _Cluster:
        if len(self._clusters) < self._max_templates and len(leaf.clusters) < _MAX_ALIKE:
            cluster = _Cluster(len(self._clusters), list(words))
            leaf.clusters.append(cluster)
        elif (known := self._catch_all.get(len(words))) is not None:
            return known
        else:  # one more for each length, which MAX_WORDS bounds
            cluster = self._catch_all[len(words)] = _Cluster(len(self._clusters), [ANY] * len(words))
        self._clusters.append(cluster)
        return cluster


def _key(word: str) -> str:
    key, found, _ = word.partition("=")
    return key if found else ""


def _likeness(template: Sequence[str], words: Sequence[str], *, keyed: bool) -> float:
    """The share of words that are equal or have the same key; two empty messages are alike."""
    if not words:
        return 1.0
    alike = sum(map(eq, template, words))
    if keyed and alike < len(words):
        alike += sum(
            a != b and "=" in a and _key(a) == _key(b) != "" for a, b in zip(template, words, strict=True)
        )
    return float(alike / len(words))


def _general(a: str, b: str) -> str:
    key = _key(a)
    return f"{key}={ANY}" if key and key == _key(b) else ANY


def mine(masked: Sequence[str], groups: Sequence[str], tuning: LineTuning) -> Mined:
    """Mine masked messages; the result doesn't depend on their order, only on which messages there are.

    Args:
        masked: The messages.
        groups: Of each, its group (service, say); those of different groups never share a template.
        tuning: The constants.
    """
    miner = TemplateMiner(tuning)
    pairs = list(zip(groups, masked, strict=True))
    distinct = sorted(set(pairs), key=lambda pair: (pair[0], pair[1].count(" "), pair[1]))
    found = {pair: miner.add(pair[1], pair[0]) for pair in distinct}
    texts = tuple(sorted({miner.template(i) for i in found.values()}))
    position = {text: i for i, text in enumerate(texts)}
    final = {pair: position[miner.template(i)] for pair, i in found.items()}
    return Mined(texts, tuple(final[pair] for pair in pairs))
