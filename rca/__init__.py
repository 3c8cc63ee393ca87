"""`rca`: from an incident's time to the service that most likely caused it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("rca-cli")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
