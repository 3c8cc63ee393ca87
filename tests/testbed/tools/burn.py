"""Somebody else's batch job on the same machine: `python -P burn.py PROCESSES`."""

import multiprocessing
import sys


def burn() -> None:
    """Use a processor until killed."""
    number = 1
    while True:
        number = number * 48271 % 2147483647


if __name__ == "__main__":
    jobs = [multiprocessing.Process(target=burn) for _ in range(int(sys.argv[1]))]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
