"""A script that opens connections to PostgreSQL and keeps them: `python -P hoard.py CONNINFO`."""

import contextlib
import sys
import time

import psycopg


def main(arguments: list[str]) -> None:
    """Take every connection that can be had, again and again."""
    held: list[object] = []
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.append(psycopg.connect(f"{arguments[0]} application_name=export"))
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1:])
