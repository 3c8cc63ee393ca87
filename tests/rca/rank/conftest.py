"""Small systems, scored at one candidate onset."""

from collections.abc import Mapping, Sequence

import numpy as np

from rca.detect import onset, series, table
from rca.model.incident import Symptom
from rca.model.scores import CHANNELS, Channel
from rca.model.signals import FloatArray, SignalFrame, SignalKey
from rca.model.tuning import Tuning
from rca.model.tuning.rows import RowTuning
from rca.rank import structure
from rca.rank.score import ServiceScores, score
from topology import Edge, Node, ServiceGraph

TUNING = Tuning()
ROWS, ROW = 40, 30
STEP = np.where(np.arange(ROWS) >= ROW, 1.0, 0.0)


def noise(seed: int) -> FloatArray:
    made: FloatArray = np.random.default_rng(seed).standard_normal(ROWS)
    return made


def scored(
    columns: Mapping[str, FloatArray],
    edges: Sequence[tuple[str, str]] = (),
    *,
    nodes: Sequence[Node] = (),
    symptom: Symptom | None = None,
    channel: Channel | None = None,
    extra: FloatArray | None = None,
) -> tuple[dict[str, float], ServiceScores, structure.Structure]:
    keys = tuple(SignalKey(name.split("|")[0], name.split("|")[1]) for name in columns)
    times = np.arange(0.0, 60.0 * ROWS, 60.0, dtype=np.float64)
    made = table.build(SignalFrame(times, np.array(list(columns.values())).T, keys), RowTuning())
    graph = ServiceGraph(nodes, [Edge(a, b) for a, b in edges])
    arrays = structure.build(made, graph, others=(), symptom=symptom, symptom_channel=channel, tuning=TUNING)
    z = series.Scorer.of(made, TUNING).score([onset.split(times, ROW, None, TUNING)])
    services = score(made, z, arrays, extra, TUNING)
    return dict(zip(arrays.services, services.score[0].tolist(), strict=True)), services, arrays


def shown(services: ServiceScores, made: structure.Structure, name: str, channel: Channel) -> float:
    """How far a service departed in one kind of evidence, `ln(1 + z)`."""
    return float(services.strength[0, made.services.index(name), CHANNELS.index(channel)])
