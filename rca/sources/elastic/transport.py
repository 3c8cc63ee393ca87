"""`elastic-transport`, loaded with the one HTTP library that it is used with here.

It imports every HTTP library it can speak through, if it is installed: with requests or aiohttp that takes as long
as all the rest before the first question to the server. What is used is urllib3.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = ("requests", "aiohttp", "httpx")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Have imports of these modules fail meanwhile; those that are loaded already stay."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # what the import system documents for this
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _hidden(_UNUSED):
    import elastic_transport as et
    from elastic_transport import client_utils

__all__ = ["client_utils", "et"]
