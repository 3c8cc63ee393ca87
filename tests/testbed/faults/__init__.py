"""The faults: each breaks the system by a real mechanism. The folder's listing is the registry."""

import importlib
import pkgutil

from tests.testbed.faults.base import Fault


def all_faults() -> dict[str, Fault]:
    """Every fault by name."""
    found: dict[str, Fault] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for fault in getattr(importlib.import_module(f"{__name__}.{module}"), "FAULTS", ()):
            if fault.name in found:
                raise ValueError(f"two faults are called {fault.name}")
            found[fault.name] = fault
    return found
