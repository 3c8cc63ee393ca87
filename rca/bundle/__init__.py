"""Bundles on disk: read with suspicion, written so that they read back the same."""

from rca.bundle.documents import content_hash
from rca.bundle.read import read_bundle
from rca.bundle.write import write_bundle

__all__ = ["content_hash", "read_bundle", "write_bundle"]
