"""What the analysis itself could not see, or had to work around."""

from difflib import get_close_matches

import numpy as np

from rca.analyze.confidence import Standing
from rca.analyze.prepare import Prepared
from rca.analyze.ranking import Ranked
from rca.model.incident import Bundle, Gap
from rca.model.logs import STORED_AS
from rca.model.scores import CHANNELS, Channel, SeriesTable
from rca.model.tuning import Tuning
from rca.model.words import percent
from rca.report.present.text import listed
from topology import NodeKind
from topology.names import is_unknown

_SHORT = 10  # rows; below that a spread is a guess
_LISTED = 8
_SKEW = 3600.0  # seconds
_TORN = 3.0  # usual steps
_JUMP = 0.2  # of the traces, that begin to fail
_FAR = 3.0  # times what the metrics say


def gaps(
    bundle: Bundle, prepared: Prepared, ranked: Ranked | None, standing: Standing | None, tuning: Tuning
) -> tuple[Gap, ...]:
    """Everything worth telling, sorted by source and subject.

    Args:
        bundle: What the sources answered.
        prepared: The usable part of it.
        ranked: The ranking; None without any.
        standing: What the baseline's own windows show; None without a ranking.
        tuning: The constants: how many points a series needs.
    """
    found = [*bundle.gaps, *prepared.gaps]
    if bundle.window.onset is None:
        found.append(_gap("onset", "Nobody gave one; it was sought in the data."))
    if not len(prepared.graph):
        found.append(
            _gap("topology", "No dependency is known: nothing could be explained by a callee. Declare a graph.")
        )
    found += _reported(bundle, prepared)
    found += _logs(bundle, prepared)
    if ranked is not None:
        found += _baseline(bundle, ranked, standing)
        found += _series(ranked.table, tuning)
        found += _traces(prepared, ranked)
    return tuple(sorted(set(found)))


def _gap(what: str, why: str) -> Gap:
    return Gap("analysis", what, why)


def _reported(bundle: Bundle, prepared: Prepared) -> list[Gap]:
    """A service where the symptom was seen of which nothing is known: mostly a typing error, or another's name."""
    if bundle.symptom is None or not bundle.symptom.service:
        return []
    known = {*prepared.frame.services, *(node.name for node in prepared.graph.nodes())}
    known |= {line.service for line in bundle.logs} | {span.service for span in prepared.spans}
    if bundle.symptom.service in known:
        return []
    near = get_close_matches(bundle.symptom.service, sorted(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else "Check its name; here it changed nothing."
    return [_gap("where the symptom was seen", f"Nothing is known of {bundle.symptom.service}. {hint}")]


def _logs(bundle: Bundle, prepared: Prepared) -> list[Gap]:
    if not bundle.logs:
        return [_gap("logs", "The bundle holds no log lines: failures that only show in logs are invisible.")]
    found = []
    # Those that a collector's name was taken from have a gap of their own.
    nobody = sum(is_unknown(line.service) and STORED_AS not in line.fields for line in bundle.logs)
    if nobody:
        many = f"{nobody} of {len(bundle.logs)} lines name no service: they accuse only whom their text names."
        found.append(_gap("lines of nobody", many))
    speaking = {line.service for line in bundle.logs if not is_unknown(line.service)}
    silent = sorted(set(prepared.frame.services) - speaking)
    known = {node.name for node in prepared.graph.nodes() if node.kind is not NodeKind.HOST} or set(silent)
    if missed := [name for name in silent if name in known]:
        found.append(_gap("services without logs", listed(missed, most=_LISTED)))
    if others := [name for name in silent if name not in known]:
        found.append(_gap("series of what isn't in the graph", listed(others, most=_LISTED)))
    unmeasured = sorted(speaking - set(prepared.frame.services))
    if unmeasured and prepared.frame.keys:
        found.append(_gap("services without metrics", listed(unmeasured, most=_LISTED)))
    middle = sorted(line.at.timestamp() for line in bundle.logs)[len(bundle.logs) // 2]
    span, times = bundle.window.span, prepared.frame.times
    start = min(span.start.timestamp(), times[0]) if len(times) else span.start.timestamp()
    off = max(start - middle, middle - span.end.timestamp())
    if off > 0:
        hint = " by whole hours: a time zone?" if off > _SKEW else "."
        found.append(_gap("clock", f"Most log lines lie outside the window{hint}"))
    return found


def _baseline(bundle: Bundle, ranked: Ranked, standing: Standing | None) -> list[Gap]:
    found = []
    split = ranked.splits[ranked.best]
    rows = len(split.before)
    times = ranked.table.times[split.before]
    if rows < _SHORT:
        found.append(_gap("baseline", f"It has only {rows} rows: what is usual is a guess. Take a longer one."))
    steps = np.diff(times)
    if len(steps) and steps.max() > _TORN * np.median(steps):
        holes = int((steps > _TORN * np.median(steps)).sum())
        found.append(_gap("baseline", f"It is torn in {holes} place{'s' if holes > 1 else ''}: rows are missing."))
    if bundle.window.baseline is not None and bundle.window.baseline.start >= bundle.window.span.end:
        found.append(
            _gap("baseline", "It lies after the incident, as asked: what recovered late counts as normal.")
        )
    if standing is not None and standing.most > standing.level > 0:
        found.append(
            _gap("baseline", "It departs from itself as far as the incident does: contaminated, or restless.")
        )
    return found


def _traces(prepared: Prepared, ranked: Ranked) -> list[Gap]:
    """Traces that are too few, or chosen by how their requests ended."""
    whole: dict[str, tuple[float, bool]] = {}
    for span in prepared.spans:
        began, failed = whole.get(span.trace_id, (np.inf, False))
        whole[span.trace_id] = min(began, span.start.timestamp()), failed or span.error
    if not whole:
        return []
    before = [failed for began, failed in whole.values() if began < ranked.baseline_end]
    after = [failed for began, failed in whole.values() if began >= ranked.at]
    if min(len(before), len(after)) < _SHORT:
        why = f"Only {len(before)} before and {len(after)} from the onset on: what spans show may be chance."
        return [_gap("traces", why)]
    usual, share = float(np.mean(before)), float(np.mean(after))
    measured = _measured(ranked)
    if measured is None or share - usual < _JUMP or share < _FAR * max(measured, usual):
        return []
    failing = f"{percent(share)} of them hold an error"
    told = f"{failing}, though no service fails in over {100 * measured:.2g} % of its calls"
    why = f"{told}: they are kept by how they end (tail sampling), so shares of spans are no shares of requests."
    return [_gap("traces", why)]


def _measured(ranked: Ranked) -> float | None:
    """The largest ratio of failed calls of any service by its metrics, 0 to 1; None where none is measured."""
    table = ranked.table
    chosen = (table.channels == CHANNELS.index(Channel.ERRORS)) & (table.full_scale > 0)
    rows = np.flatnonzero(chosen & np.isfinite(ranked.series.after[ranked.best]))
    return float(np.max(ranked.series.after[ranked.best, rows] / table.full_scale[rows])) if len(rows) else None


def _series(table: SeriesTable, tuning: Tuning) -> list[Gap]:
    values = table.values
    with np.errstate(invalid="ignore"):
        constant = (
            int((np.fmax.reduce(values, axis=1) == np.fmin.reduce(values, axis=1)).sum()) if values.size else 0
        )
    found = []
    if constant:
        found.append(_gap("constant series", f"{constant} of {len(table)} never change: they can show nothing."))
    single = (
        int((np.sum(~np.isnan(values), axis=1) < tuning.min_before + tuning.min_after).sum()) if values.size else 0
    )
    if single:
        found.append(_gap("short series", f"{single} of {len(table)} have too few points to be judged."))
    return found
