"""Carry out a run: start the system, let it be well, break it, and have `rca` look at it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.elasticsearch import Elasticsearch
from tests.testbed.design import RECORDED, Design, Timing
from tests.testbed.layout import callers_of
from tests.testbed.stand import Stand

PACKS = Path(__file__).parent / "packs"
CERTIFICATE_MARGIN_SECONDS = 45.0  # to start the system in


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a run that was carried out.

    Attributes:
        onset: When the harm began.
        sha: The guilty change's commit; empty without one.
    """

    design: Design
    onset: datetime
    sha: str

    @property
    def label(self) -> dict[str, str]:
        """The row of `labels.csv`."""
        fault, target = self.design.fault, self.design.target
        roots = fault.accepted(target)
        first = "" if fault.is_normal else fault.first.get(target, roots[0])
        hit = [one for one in callers_of(roots[0]) if one not in roots] if roots else []
        return {
            "case": self.design.name,
            "root_cause_service": ";".join(roots),
            "root_cause_type": fault.kind,
            "root_cause_change": self.sha,
            "first_failure": first,
            "blast_radius": ";".join(hit),
            "remediation": fault.remedy,
            "fault": fault.name,
            "seed": str(self.design.seed),
        }


def carry_out(
    design: Design,
    *,
    elasticsearch: Elasticsearch | None,
    look: Callable[[Stand, Outcome], None],
    say: Callable[[str], None],
    timing: Timing = RECORDED,
) -> Outcome:
    """Run a design; `look` is called while the system still fails.

    Raises:
        UnavailableError: A program can't be had or started here.
    """
    lasts = CERTIFICATE_MARGIN_SECONDS + timing.warm_up + timing.before
    expires = design.fault.name == "certificate"
    with Stand(
        f"{design.name}-{design.seed}".lower().replace("_", "-"),
        elasticsearch=elasticsearch,
        seed=f"{design.fault.name}/{design.seed}",
        proxied=design.proxied,
        traced=design.traced,
        certificate_seconds=lasts if expires else 86_400.0,
    ) as stand:
        say(f"{design.name}: the system is up; it fails in {timing.warm_up + timing.before:.0f} s")
        onset = time.time() + timing.warm_up + timing.before
        if expires:
            onset = stand.certificate_ends.timestamp()
        sha = _play(stand, design, onset, onset + timing.after, say)
        try:
            outcome = Outcome(design, datetime.fromtimestamp(_onset(stand, design, onset), UTC), sha)
            look(stand, outcome)
        finally:
            design.fault.heal(stand, design.target)
    return outcome


def _play(stand: Stand, design: Design, onset: float, end: float, say: Callable[[str], None]) -> str:
    """Do what the design says when it says; the guilty commit."""
    sha = ""
    guilty = design.guilty
    steps: list[tuple[float, str]] = [(onset, "begin"), (end, "end")]
    steps += [(onset + at, f"decoy {index}") for index, (at, _) in enumerate(design.decoys)]
    if guilty:
        steps.append((onset - design.fault.lead, "guilty"))
    for at, step in sorted(steps):
        time.sleep(max(0.0, at - time.time()))
        if step == "begin":
            say(f"{design.name}: {design.fault.summary}")
            design.fault.begin(stand, design.target)
        elif step == "guilty" and guilty:
            say(f"{design.name}: {guilty.kind}: {guilty.message}")
            sha = stand.apply(guilty)
        elif step.startswith("decoy"):
            change = design.decoys[int(step.split()[1])][1]
            say(f"{design.name}: innocent {change.kind}: {change.message}")
            stand.apply(change)
    return sha


def _onset(stand: Stand, design: Design, planned: float) -> float:
    """When the harm began: as planned, or, for harm that comes late, just before the first alert."""
    if not design.fault.late:
        return planned
    guilty = planned - design.fault.lead
    query = {"query": "ALERTS", "start": str(guilty), "end": str(time.time()), "step": "1"}
    answer = stand.prometheus.request("GET", "/api/v1/query_range", params=query)
    begins = [float(series["values"][0][0]) for series in answer["data"]["result"]]
    return min(begins, default=planned) - 2.0


def environment(stand: Stand, timing: Timing = RECORDED) -> dict[str, str]:
    """The variables that point `rca` at a run; times are compressed, so its windows are, too."""
    return {
        "RCA_ES_URL": stand.elasticsearch.url,
        "RCA_ES_INDICES": stand.log_index,
        "RCA_ES_EVENT_INDICES": stand.event_index,
        "RCA_ES_SPAN_INDICES": stand.span_index,
        "RCA_ES_SAMPLE_LINES": "3000",
        "RCA_PROMETHEUS_URL": stand.prometheus.url,
        "RCA_PROMETHEUS_PACKS": str(PACKS),
        "RCA_REPO": str(stand.repository.folder),
        "RCA_CONFIG": os.devnull,
        "RCA_DATA_DIR": str(stand.root / "rca"),  # what it keeps goes with the run
        **timing.window,
    }


def rca(stand: Stand, *words: str, timing: Timing = RECORDED) -> subprocess.CompletedProcess[str]:
    """Run the tool against a stand, as a user would."""
    return subprocess.run(  # noqa: S603 - the project's own program, no shell
        [sys.executable, "-m", "rca", *words],
        env=os.environ | environment(stand, timing),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
