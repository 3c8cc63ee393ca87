"""Bundles on disk: read with suspicion, written so that they read back the same."""

from rca.bundle.read import read_bundle
from rca.bundle.write import content_hash

__all__ = ["content_hash", "read_bundle"]
