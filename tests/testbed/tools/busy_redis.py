"""A reporting job that keeps Redis busy with heavy scripts: `python -P busy_redis.py PORT SHARE`."""

import sys
import time

import redis

SCRIPT = """
local sum = 0
for i = 1, tonumber(ARGV[1]) do sum = (sum * 31 + i) % 1000003 end
return sum
"""


def main(arguments: list[str]) -> None:
    """Run scripts until killed, so that they fill the share of Redis' time."""
    client, share = redis.Redis(port=int(arguments[0]), socket_timeout=30), float(arguments[1])
    while True:
        began = time.perf_counter()
        client.eval(SCRIPT, 0, 3_000_000)
        took = time.perf_counter() - began
        time.sleep(took * (1 - share) / share)


if __name__ == "__main__":
    main(sys.argv[1:])
