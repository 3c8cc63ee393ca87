"""A random share of the documents, the same one each time."""

from collections.abc import Mapping
from typing import Any

SEED = 20_071
_MAX_PROBABILITY = 0.5
"""The server's random sampler takes nothing between this and 1."""


def sampled(aggregations: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Aggregations over a random share of the documents; over all of them when the share is large.

    The server scales what it counted up to all documents.
    """
    if share > _MAX_PROBABILITY:
        return {"drawn": {"filter": {"match_all": {}}, "aggs": aggregations}}
    return {"drawn": {"random_sampler": {"probability": share, "seed": SEED}, "aggs": aggregations}}
