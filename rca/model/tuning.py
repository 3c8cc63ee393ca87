"""Every constant of the ranking, in one place: what it means and where it comes from.

They were chosen for structure, on labelled incidents of several systems; docs/ranking.md shows how the accuracy
moves when one of them does. Analysis gets them explicitly, so that a test or a sensitivity table can change one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rca.model.scores import Channel

_WEIGHTS: Mapping[Channel, float] = MappingProxyType(
    {
        # A saturated resource, a failure of its own and a slow edge accuse their service outright.
        Channel.CPU: 1.0,
        Channel.ERRORS: 1.0,
        Channel.AVAILABILITY: 1.0,
        Channel.EDGE: 1.0,
        Channel.LOG_FAILURE: 2.0,  # a count's z grows with its root only; its square compares with a series' z
        Channel.LOG_SLOWNESS: 1.0,
        Channel.TRACE_FAILURE: 2.0,  # the same
        Channel.TRACE_SLOWNESS: 1.0,
        Channel.RESTARTS: 1.0,
        Channel.SATURATION: 0.6,  # calls, and what serves them, pile up behind a slow callee
        Channel.QUEUE: 0.8,
        Channel.MEMORY: 0.8,  # caches and collectors move it without a fault
        Channel.DISK: 0.8,
        Channel.LATENCY: 0.6,  # mostly inherited
        Channel.SILENCE: 1.0,  # all that always reported stops: the service is gone
        Channel.OTHER: 0.4,  # nobody knows its bad direction
        Channel.IO: 0.3,  # the network's bytes follow the calls
        Channel.CLIENT: 0.3,  # what a caller saw is about somebody else
        Channel.CLIENT_ERRORS: 0.5,
        Channel.TRAFFIC: 0.25,  # follows everything
        Channel.HOST: 0.2,  # shared by all that run there
    }
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """The constants of detection and ranking.

    Attributes:
        min_before: Values a series needs before a candidate onset.
        min_after: Values it needs from there on.
        prior_rows: Rows that the relative spread of the same metric elsewhere counts for.
        floor_ratio: Floor of the scale, as a share of the median.
        floor_full_scale: Floor of the scale, as a share of full scale, for availability and failure ratios.
        floor_peers: Floor of the scale, as a share of the same metric's usual level where it is highest: what is
            much to an idle service may be little to the system.
        z_cap: Beyond this a departure isn't a stronger one.
        local_seconds: Span of the recent reference beside the whole baseline.
        local_min_rows: Its least rows.
        local_share: Its largest share of the baseline.
        guard_share: Most of the baseline's rows that the guard gap before the onset takes.
        rest: Share of the other channels that is added to the best one.
        off_alert: Factor on symptoms of the class that the alert isn't about.
        entry: Factor on the symptoms of a service that nobody calls.
        external: Factor on a node outside the system.
        hearsay: Factor on a leaf of which nothing is known but what may be its only caller's view.
        leaf_latency: Weight of the latency of a service that is known to call nobody: it can't be inherited.
        least_traffic: Floor of the factor by which symptoms shrink with a service's traffic.
        explain: Share of an explained symptom that is taken away.
        explain_gain: Factor on the ratio of changes, callee to caller.
        explain_across: Most that evidence of another class explains.
        explain_z: A callee explains others from this z on.
        back_seconds: How far before a given onset candidates reach.
        back_rows: The same, in rows, where that is more.
        forward_seconds: How far after it.
        forward_rows: The same, in rows, where that is more.
        hidden_share: Without an onset, the share of the window, from its end, where candidates lie.
        grid_growth: Growth of the distance between candidates.
        over_told: An incident that was told counts as over where it departs this many times as much as all else
            since; what follows is then left out.
        over_hidden: The same, as much as all else in the window, where no time was told.
        alert_weight: Weight of the alerted series in a candidate's weight.
        pseudo_ends: Windows of the baseline that the same procedure ranks for comparison.
        pseudo_growth: Growth of the distance between their candidates: coarser, for speed.
        corroborate: Share of the strongest symptom on a suspect, or on who calls it, directly or not, that is
            added to its score where the confidence is judged.
        usual_quantile: Quantile of what the first of these windows show that counts as usual.
        usual_elsewhere: What they show elsewhere; all there is where the baseline is too short, or was chosen.
        usual_prior: Windows without overlap that this counts for.
        confidence_offset: Added to what is usual: what a system that is never restless has to show.
        abstain_below: Confidence under which no service is singled out.
        medium_from: Confidence under which it is called low.
        high_from: Confidence from which it is called high.
        high_windows: Windows of the baseline that this takes: fewer leave open what is usual.
        clear_lead: Ratio of the first score to the second under which less confidence than that is called low.
    """

    weights: Mapping[Channel, float] = field(default_factory=lambda: _WEIGHTS)
    min_before: int = 2
    min_after: int = 1
    prior_rows: float = 4.0
    floor_ratio: float = 0.05
    floor_full_scale: float = 0.005
    floor_peers: float = 0.01
    z_cap: float = 100.0
    local_seconds: float = 60.0
    local_min_rows: int = 5
    local_share: float = 0.25
    guard_share: float = 1 / 30
    rest: float = 0.2
    off_alert: float = 0.5
    entry: float = 0.7
    external: float = 0.5
    hearsay: float = 0.35
    leaf_latency: float = 1.0
    least_traffic: float = 0.1
    explain: float = 0.8
    explain_gain: float = 2.0
    explain_across: float = 0.6
    explain_z: float = 3.0
    back_seconds: float = 600.0
    back_rows: int = 2
    forward_seconds: float = 60.0
    forward_rows: int = 1
    hidden_share: float = 0.75
    grid_growth: float = 1.2
    over_told: float = 2.0
    over_hidden: float = 4.0
    alert_weight: float = 2.0
    pseudo_ends: int = 8
    pseudo_growth: float = 2.0
    corroborate: float = 0.5
    usual_quantile: float = 0.5
    usual_elsewhere: float = 3.5
    usual_prior: float = 1.5
    confidence_offset: float = 0.25
    abstain_below: float = 1.15
    medium_from: float = 1.25
    high_from: float = 2.2
    high_windows: int = 6
    clear_lead: float = 1.3
