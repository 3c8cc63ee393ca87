"""`rca`: from an incident's time to the service that most likely caused it."""


def __getattr__(name: str) -> str:
    """`__version__`, read when it is asked for: the installed metadata take as long as all else of a start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as above

    try:
        return version("rca-cli")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
