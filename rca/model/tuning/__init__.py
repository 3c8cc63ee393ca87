"""Every constant of the ranking, in one place: what it means and where it comes from.

docs/constants.md lists them; docs/sensitivity.md shows how the accuracy moves when one of them does. Analysis gets
them explicitly, so that a test or the sensitivity table can change one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rca.model.scores import Channel
from rca.model.tuning.causes import CauseTuning
from rca.model.tuning.collected import CollectedTuning
from rca.model.tuning.constant import Origin, constant
from rca.model.tuning.lines import LineTuning
from rca.model.tuning.rows import RowTuning
from rca.model.tuning.spans import SpanTuning

# What a kind of evidence counts for, and why; chosen on labelled cases for the order of magnitude.
REASONED_WEIGHTS: Mapping[Channel, tuple[float, str]] = MappingProxyType(
    {
        Channel.CPU: (1.0, "a saturated resource accuses its service outright"),
        Channel.ERRORS: (1.0, "so does a failure of its own"),
        Channel.AVAILABILITY: (1.0, "the same"),
        Channel.EDGE: (1.0, "so does a slow way to it"),
        Channel.LOG_FAILURE: (2.0, "a count's z grows with its root only; its square compares with a series' z"),
        Channel.LOG_SLOWNESS: (1.0, "measured time, as of an edge"),
        Channel.TRACE_FAILURE: (2.0, "a count, as in logs"),
        Channel.TRACE_SLOWNESS: (1.0, "a service's own time, not what it waited for"),
        Channel.RESTARTS: (1.0, "a service that starts again was down"),
        Channel.SATURATION: (0.6, "calls, and what serves them, pile up behind a slow callee"),
        Channel.QUEUE: (0.8, "fills before a slow consumer"),
        Channel.MEMORY: (0.8, "caches and collectors move it without a fault"),
        Channel.DISK: (0.8, "fills without a fault"),
        Channel.LATENCY: (0.6, "mostly inherited"),
        Channel.SILENCE: (1.0, "all that always reported stops: the service is gone"),
        Channel.OTHER: (0.4, "nobody knows its bad direction"),
        Channel.IO: (0.3, "the network's bytes follow the calls"),
        Channel.CLIENT: (0.3, "what a caller saw is about somebody else"),
        Channel.CLIENT_ERRORS: (0.5, "the same, and who fails can be told better than who is slow"),
        Channel.TRAFFIC: (0.25, "follows everything"),
        Channel.HOST: (0.2, "shared by all that run there"),
    }
)
_WEIGHTS = MappingProxyType({kind: weight for kind, (weight, _) in REASONED_WEIGHTS.items()})


@dataclass(frozen=True, slots=True)
class Tuning:
    """The constants of detection and ranking, each with its meaning and origin.

    Attributes:
        weights: What a kind of evidence counts for.
        rows: The constants of what is read from metrics.
        spans: Of what is read from spans.
        collected: Of what tells a name that only collects lines from a service.
        lines: Of what is read from log lines.
        causes: Of what is said of several causes.
    """

    weights: Mapping[Channel, float] = field(default_factory=lambda: _WEIGHTS)
    min_before: int = constant(2, "Values a series needs before a candidate onset.", Origin.PROTOTYPE)
    min_after: int = constant(1, "Values it needs from there on.", Origin.PROTOTYPE)
    prior_rows: float = constant(
        4.0,
        "Rows that the relative spread of the same metric elsewhere counts for.",
        Origin.PROTOTYPE,
    )
    floor_ratio: float = constant(0.05, "Floor of the scale, as a share of the median.", Origin.PROTOTYPE)
    floor_full_scale: float = constant(
        0.005,
        "Floor of the scale, as a share of full scale, for availability and failure ratios.",
        Origin.PROTOTYPE,
    )
    floor_peers: float = constant(
        0.01,
        "Floor of the scale, as a share of the same metric's usual level where it is highest: what is "
        "much to an idle service may be little to the system.",
        Origin.STRUCTURE,
    )
    z_cap: float = constant(100.0, "Beyond this a departure isn't a stronger one.", Origin.PROTOTYPE)
    local_seconds: float = constant(
        60.0,
        "Span of the recent reference beside the whole baseline.",
        Origin.PROTOTYPE,
    )
    local_min_rows: int = constant(5, "Its least rows.", Origin.PROTOTYPE)
    local_share: float = constant(0.25, "Its largest share of the baseline.", Origin.PROTOTYPE)
    guard_share: float = constant(
        1 / 30,
        "Most of the baseline's rows that the guard gap before the onset takes.",
        Origin.STRUCTURE,
    )
    rest: float = constant(0.2, "Share of the other channels that is added to the best one.", Origin.PROTOTYPE)
    off_alert: float = constant(
        0.5,
        "Factor on symptoms of the class that the alert isn't about.",
        Origin.PROTOTYPE,
    )
    entry: float = constant(0.7, "Factor on the symptoms of a service that nobody calls.", Origin.PROTOTYPE)
    external: float = constant(0.5, "Factor on a node outside the system.", Origin.PROTOTYPE)
    hearsay: float = constant(
        0.35,
        "Factor on a leaf of which nothing is known but what may be its only caller's view.",
        Origin.STRUCTURE,
    )
    leaf_latency: float = constant(
        1.0,
        "Weight of the latency of a service that is known to call nobody: it can't be inherited.",
        Origin.STRUCTURE,
    )
    least_traffic: float = constant(
        0.1,
        "Floor of the factor by which symptoms shrink with a service's traffic.",
        Origin.STRUCTURE,
    )
    explain: float = constant(0.8, "Share of an explained symptom that is taken away.", Origin.PROTOTYPE)
    explain_gain: float = constant(2.0, "Factor on the ratio of changes, callee to caller.", Origin.PROTOTYPE)
    explain_across: float = constant(0.6, "Most that evidence of another class explains.", Origin.STRUCTURE)
    explain_z: float = constant(3.0, "A callee explains others from this z on.", Origin.STRUCTURE)
    explain_told_z: float = constant(
        50.0,
        "From this z on a callee explains failures that others tell of, too: nothing subtle breaks others.",
        Origin.STRUCTURE,
    )
    arrived: float = constant(
        0.5,
        "Share of its usual calls below which a callee can't know what its callers see.",
        Origin.STRUCTURE,
    )
    edge_star: int = constant(
        3,
        "Callees with measured calls that a caller needs for their slowness to be its own: two may be a "
        "coincidence.",
        Origin.STRUCTURE,
    )
    back_seconds: float = constant(600.0, "How far before a given onset candidates reach.", Origin.PROTOTYPE)
    back_rows: int = constant(2, "The same, in rows, where that is more.", Origin.PROTOTYPE)
    forward_seconds: float = constant(
        300.0, "How far after it: a time is also told too early, and a leak shows late.", Origin.CASES
    )
    forward_rows: int = constant(1, "The same, in rows, where that is more.", Origin.PROTOTYPE)
    told_share: float = constant(
        0.75, "The largest share of what lies before a given onset that they reach back over.", Origin.PROTOTYPE
    )
    hidden_share: float = constant(
        0.85,
        "Without an onset, the share of the window, from its end, where candidates lie.",
        Origin.STRUCTURE,
    )
    grid_growth: float = constant(1.2, "Growth of the distance between candidates.", Origin.PROTOTYPE)
    candidate_seconds: float = constant(
        60.0,
        "A candidate weighs by the time it stands for, up to this: a finer step makes none of them likelier.",
        Origin.STRUCTURE,
    )
    over_told: float = constant(
        2.0,
        "An incident that was told counts as over where it departs this many times as much as all else "
        "since; what follows is then left out.",
        Origin.STRUCTURE,
    )
    over_hidden: float = constant(
        4.0,
        "The same, as much as all else in the window, where no time was told.",
        Origin.STRUCTURE,
    )
    onset_fits: float = constant(
        0.05,
        "Share of the heaviest candidate's weight from which one may be the onset that is told: of these it is "
        "the one nearest to where the first suspect departed.",
        Origin.STRUCTURE,
    )
    alert_weight: float = constant(2.0, "Weight of the alerted series in a candidate's weight.", Origin.PROTOTYPE)
    pseudo_ends: int = constant(
        8,
        "Windows of the baseline that the same procedure ranks for comparison. (12 abstain as well and "
        "take half as long again)",
        Origin.CASES,
    )
    pseudo_rows: int = constant(4, "Rows that the shortest of them needs.", Origin.STRUCTURE)
    pseudo_from: float = constant(
        0.5,
        "Share of the baseline after which the first of them ends.",
        Origin.STRUCTURE,
    )
    pseudo_share: float = constant(
        1 / 3,
        "Largest share of what lies before its end that counts as the incident of one of them.",
        Origin.STRUCTURE,
    )
    pseudo_growth: float = constant(
        2.0,
        "Growth of the distance between their candidates: coarser, for speed.",
        Origin.STRUCTURE,
    )
    corroborate: float = constant(
        0.5,
        "Share of the strongest symptom on a suspect, or on who calls it, directly or not, that is added "
        "to its score where the confidence is judged.",
        Origin.CASES,
    )
    usual_quantile: float = constant(
        0.5,
        "Quantile of what the first of these windows show that counts as usual.",
        Origin.STRUCTURE,
    )
    usual_elsewhere: float = constant(
        3.5,
        "What they show elsewhere; all there is where the baseline is too short, or was chosen.",
        Origin.CASES,
    )
    usual_prior: float = constant(1.5, "Windows without overlap that this counts for.", Origin.CASES)
    confidence_offset: float = constant(
        0.25,
        "Added to what is usual: what a system that is never restless has to show.",
        Origin.CASES,
    )
    abstain_below: float = constant(1.15, "Confidence under which no service is singled out.", Origin.CASES)
    medium_from: float = constant(1.25, "Confidence under which it is called low.", Origin.CASES)
    high_from: float = constant(2.2, "Confidence from which it is called high.", Origin.CASES)
    high_windows: int = constant(
        6,
        "Windows of the baseline that this takes: fewer leave open what is usual.",
        Origin.STRUCTURE,
    )
    clear_lead: float = constant(
        1.3,
        "Ratio of the first score to the second under which less confidence than that is called low.",
        Origin.STRUCTURE,
    )
    rows: RowTuning = field(default_factory=RowTuning)
    spans: SpanTuning = field(default_factory=SpanTuning)
    collected: CollectedTuning = field(default_factory=CollectedTuning)
    lines: LineTuning = field(default_factory=LineTuning)
    causes: CauseTuning = field(default_factory=CauseTuning)
