"""Lines that stand under the name of what collected them, or where: a shipper, a host, a namespace, the cluster.

Such a name can't be told by what it is called, but by what else is known: it has lines and does no work, while the
services that are known to work have none of their own. Then whose its lines are is only known where their pod,
their span or the form of their text tells; the others are lines of nobody, which accuse whom they name.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rca.analyze.memo import Memo
from rca.analyze.prepare import Prepared
from rca.analyze.spellings import counts_under
from rca.detect.kinds import measures
from rca.model.incident import Bundle, Gap
from rca.model.logs import STORED_AS, LogLine
from rca.model.signals import Kind
from rca.model.trace_ids import trace_ids
from rca.model.tuning.collected import CollectedTuning
from rca.rank.structure import NO_SERVICES
from rca.report.present.text import listed
from topology import NodeKind
from topology.merge import LOG_ORDER, is_declared
from topology.names import UNKNOWN, is_unknown, pod_stem

_WORK = frozenset({Kind.LATENCY, Kind.ERRORS, Kind.TRAFFIC, Kind.QUEUE})
_LISTED = 4
_WORD = re.compile(r"\w+(?:[-./]\w+)*")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of names beside their lines.

    Attributes:
        named: Everything that is measured or in the graph.
        working: Who serves or calls others, by edges, spans, series of requests, a declaration or the alert.
        silent_kinds: What mostly logs elsewhere or not at all: hosts, stores, third parties.
    """

    named: frozenset[str]
    working: frozenset[str]
    silent_kinds: frozenset[str]


def told_apart(bundle: Bundle, prepared: Prepared, tuning: CollectedTuning, memo: Memo) -> Bundle:
    """The bundle with the lines under collectors' names given to whom they are known to be of, or to nobody.

    Args:
        bundle: As it was recorded.
        prepared: The usable part of it.
        tuning: The constants.
        memo: What was worked out of its variants.

    Returns:
        The same bundle where no name is a collector's; else another one, with a gap that says so.
    """
    speaking = {name for name in _speaking(bundle) if not is_unknown(name)}
    known = _known(bundle, prepared)
    collectors, silent = _collectors(speaking, known, tuning)
    if not collectors:
        return bundle
    names = known.named - collectors
    lines, counts = memo.once(
        "told apart",
        (bundle.logs, bundle.log_counts, prepared.spans),
        lambda: (
            _given(bundle, prepared, names, collectors, tuning),
            counts_under(bundle.log_counts, dict.fromkeys(collectors, UNKNOWN)),
        ),
        values=(names, collectors),
    )
    gap = _gap(bundle.logs, lines, collectors, silent)
    return replace(bundle, logs=lines, log_counts=counts, gaps=(*bundle.gaps, gap))


def _speaking(bundle: Bundle) -> set[str]:
    counted = bundle.log_counts.services if bundle.log_counts is not None else ()
    return {line.service for line in bundle.logs} | set(counted)


def _known(bundle: Bundle, prepared: Prepared) -> _Known:
    graph, keys = prepared.graph, prepared.frame.keys
    kinds = {node.name: node.kind for node in graph.nodes()}
    working = {key.service for key in keys if measures(key)[0] in _WORK}
    working |= {span.service for span in prepared.spans}
    working |= {node.name for node in graph.nodes() if is_declared(node) or node.kind in NO_SERVICES}
    for edge in graph.edges():
        # What the order of lines told is no other source than the lines.
        if not edge.provenance or any(told.source != LOG_ORDER for told in edge.provenance):
            working |= {edge.caller, edge.callee}
    if bundle.symptom is not None:
        working.add(bundle.symptom.service)
    working -= {name for name, kind in kinds.items() if kind is NodeKind.HOST}
    learnt = {node.name for node in graph.nodes() if any(told.source != LOG_ORDER for told in node.provenance)}
    return _Known(
        frozenset(working | learnt | set(prepared.frame.services)),
        frozenset(working),
        frozenset(name for name, kind in kinds.items() if kind in NO_SERVICES),
    )


def _collectors(speaking: Collection[str], known: _Known, tuning: CollectedTuning) -> tuple[frozenset[str], int]:
    """The names among those with lines that are no service's, and how many services without lines say so.

    Names of which nothing else is known, beside those that are measured; or else those that are known but to run,
    as a shipper in a pod or a host is, beside those that are known to work.
    """
    for below, above in ((known.named, known.named), (known.working, known.working)):
        candidates = frozenset(speaking) - below
        others = above - known.silent_kinds
        heard = others & set(speaking)
        silent = len(others - heard)
        enough = silent >= tuning.services * len(candidates)
        if candidates and enough and len(heard) <= tuning.heard * len(others):
            return candidates, silent
    return frozenset(), 0


def _given(
    bundle: Bundle, prepared: Prepared, names: frozenset[str], collectors: frozenset[str], tuning: CollectedTuning
) -> tuple[LogLine, ...]:
    """The lines, each collector's given to one of these services, or to nobody."""
    spans: dict[str, str] = {}
    for span in prepared.spans:
        # Both sides of a call may share an id; then it tells nothing.
        spans[span.span_id] = span.service if spans.get(span.span_id, span.service) == span.service else ""
    places = {
        name: _place([line.message for line in bundle.logs if line.service == name], names, tuning)
        for name in sorted(collectors)
    }
    return tuple(
        replace(
            line,
            service=_owner(line, names, spans) or _at(line.message, places[line.service], names) or UNKNOWN,
            fields={**line.fields, STORED_AS: line.fields.get(STORED_AS, line.service)},
        )
        if line.service in collectors
        else line
        for line in bundle.logs
    )


def _owner(line: LogLine, names: Collection[str], spans: Mapping[str, str]) -> str:
    """Whose a line is, by its pod or its span; empty where neither tells."""
    if found := _service(line.instance or "", names):
        return found
    span = trace_ids(line).span if spans else None
    return spans.get(span, "") if span else ""


def _service(name: str, names: Collection[str]) -> str:
    """The service of this name, or with a pod of it; empty for none."""
    if name in names:
        return name
    stem = pod_stem(name) if "-" in name else ""  # most words are no pod's
    return stem if stem in names else ""


def _place(texts: Sequence[str], names: Collection[str], tuning: CollectedTuning) -> int:
    """Which word of these lines says whose each is, as `cart | …` or `INFO [cart,…]` do; -1 where none does.

    At the same place in nearly all of them, and of several services: a sentence may begin with a name, too.
    """
    found: Counter[tuple[int, str]] = Counter()
    for text in texts:
        for place, word in enumerate(_words(text, tuning.first_words)):
            if name := _service(word, names):
                found[place, name] += 1
    for place in range(tuning.first_words):
        counts = [count for (at, _), count in found.items() if at == place]
        if len(counts) >= tuning.services and sum(counts) >= tuning.same_place * len(texts):
            return place
    return -1


def _at(text: str, place: int, names: Collection[str]) -> str:
    """The service that the word at this place names; empty for none."""
    words = _words(text, place + 1)
    return _service(words[place], names) if 0 <= place < len(words) else ""


def _words(text: str, most: int) -> list[str]:
    return [found.group() for found in islice(_WORD.finditer(text), most)]


def _gap(lines: Sequence[LogLine], given_to: Sequence[LogLine], collectors: frozenset[str], silent: int) -> Gap:
    many = Counter(new.service for old, new in zip(lines, given_to, strict=True) if old.service in collectors)
    total, given = many.total(), many.total() - many[UNKNOWN]
    shown = listed(sorted(collectors), most=_LISTED)
    under = f"one name, {shown}," if len(collectors) == 1 else f"{len(collectors)} names, {shown},"
    of = "Lines" if not lines else "All lines" if total == len(lines) else f"{total:,} of {len(lines):,} lines"
    read = (
        f"{given:,} as of the services that their pods, spans or texts tell, the others"
        if given
        else "they are read"
    )
    why = (
        f"{of} stand under {under} known as no service, while {silent} services that are known have none: {read} "
        "as lines of nobody, which accuse only whom their text names. To tell them apart, set "
        "elasticsearch.fields.service (docs/packs.md)."
    )
    return Gap("analysis", "lines of nobody", why)
