"""Local Git repositories as a source of commits. They are only read."""

from rca.sources.git.source import GitSource

__all__ = ["GitSource"]
