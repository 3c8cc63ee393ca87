"""The Prometheus source: metric packs, queries, and what their answers become."""

from rca.sources.prom.source import PrometheusSource

__all__ = ["PrometheusSource"]
