"""A bundle as the ranker wants it: the table of its series, and the structure of its graph, before any onset."""

from rca.analyze.memo import Memo
from rca.detect import table as tables
from rca.detect.kinds import infer
from rca.detect.log_resolving import unresolved
from rca.model.incident import Bundle
from rca.model.scores import Channel, SeriesTable, Side
from rca.model.signals import SignalFrame
from rca.model.tuning import Tuning
from rca.rank import structure as structures
from rca.rank.structure import STORES, Structure
from topology import Node, ServiceGraph
from topology.names import is_unknown


def symptom_channel(bundle: Bundle) -> Channel | None:
    """The kind of evidence that the reported metric is; None when no metric was reported."""
    symptom = bundle.symptom
    if symptom is None or not symptom.metric:
        return None
    stated = [
        key.kind
        for key in (bundle.metrics.keys if bundle.metrics else ())
        if key.declared and key.metric == symptom.metric and key.service == symptom.service
    ]
    return tables.channel(stated[0] if stated else infer(symptom.metric, symptom.service)[0], Side.OWN)


def arrange(
    bundle: Bundle, frame: SignalFrame, graph: ServiceGraph, tuning: Tuning, memo: Memo
) -> tuple[SeriesTable, Structure, frozenset[tuple[str, str]]]:
    """The table and the structure of a bundle, before any onset is considered.

    Returns:
        And who could not resolve whose name, by its log lines: callers and callees.
    """
    others = {line.service for line in bundle.logs} | {span.service for span in bundle.spans}
    if bundle.log_counts is not None:
        others |= set(bundle.log_counts.services)
    others |= {node.name for node in graph.nodes() if node.kind in STORES and _from_spans(node)}
    # "unknown" is no answer; where that is all there is, it at least says that something is wrong.
    named = {name for name in others if not is_unknown(name)}
    others = named if named or frame.keys else others
    names = frozenset({node.name for node in graph.nodes()} | others | set(frame.services))
    rows, lines = tuning.rows, tuning.lines
    lost = memo.once(
        "unresolved",
        (bundle.logs,),
        lambda: unresolved(bundle.logs, sorted(names), lines),
        values=(names, lines),
    )
    table = memo.once(
        "table", (frame,), lambda: tables.build(frame, rows, names, lost), values=(names, lost, rows)
    )
    channel = symptom_channel(bundle)
    structure = structures.build(
        table, graph, others=others, symptom=bundle.symptom, symptom_channel=channel, tuning=tuning
    )
    return table, structure, lost


def _from_spans(node: Node) -> bool:
    """Whether calls to it were traced: its callers' spans speak for what writes none itself."""
    return any(provenance.source == "spans" for provenance in node.provenance)
