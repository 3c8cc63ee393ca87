"""Stay until asked to stop, and then until the run's other processes are gone: the run's folder goes last.

`python -P janitor.py FOLDER`: each process of the run has a folder in it, which its guard removes with it.
"""

import os
import signal
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 40.0


def main(arguments: list[str]) -> None:
    """Wait for SIGTERM, then for the others."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    Path("ready").touch()
    signal.sigwait({signal.SIGTERM})
    end = time.monotonic() + PATIENCE_SECONDS
    while os.listdir(arguments[0]) and time.monotonic() < end:  # noqa: PTH208 - a list, not an iterator
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1:])
