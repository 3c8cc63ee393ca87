"""Bundles on disk: read with suspicion, written so that they read back the same."""

from rca.bundle.documents import Sealed, content_hash, seal
from rca.bundle.read import read_bundle
from rca.bundle.write import check_target, write_bundle

__all__ = ["Sealed", "check_target", "content_hash", "read_bundle", "seal", "write_bundle"]
