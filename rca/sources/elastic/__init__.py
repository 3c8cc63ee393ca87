"""Elasticsearch as a source: logs, spans and change events, in whatever shape they were shipped."""

from rca.sources.elastic.source import ElasticsearchSource

__all__ = ["ElasticsearchSource"]
