"""A backfill that locks a table and doesn't let go: `python -P hold_lock.py CONNINFO TABLE`."""

import signal
import sys

import psycopg


def main(arguments: list[str]) -> None:
    """Hold the lock until killed."""
    with psycopg.connect(f"{arguments[0]} application_name=backfill") as connection:
        connection.execute(f"lock table {arguments[1]} in access exclusive mode".encode())
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
