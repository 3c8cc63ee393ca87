"""Ship the log files of a folder to Elasticsearch in bulk, as an agent on the node would.

`python -P shipper.py FOLDER ELASTICSEARCH_URL INDEX`: files `SERVICE.jsonl` hold ECS documents, files
`SERVICE.log` plain lines of servers and of processes that died.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

LEVELS = (
    ("fatal", re.compile(r"\b(FATAL|PANIC)\b")),
    ("error", re.compile(r"\b(ERROR|Traceback|\w+Error)\b")),
    ("warning", re.compile(r"\bWARNING\b|^\d+:\w .* # ")),
)
# A line that begins with blanks, or the frame of a traceback, goes on with the line before.
CONTINUED = re.compile(r"^[ \t]")
POSTGRES_PREFIX = re.compile(r"^\S+ \S+ \S+ \[\d+\] (?:\S+ )?")
MOST_LINES = 2000


def main(arguments: list[str]) -> None:
    """Ship until killed."""
    folder, url, index = Path(arguments[0]), arguments[1], arguments[2]
    session = requests.Session()
    session.trust_env = False
    offsets: dict[Path, int] = {}
    while True:
        documents = [document for path in sorted(folder.glob("*.*")) for document in read(path, offsets)]
        for begin in range(0, len(documents), MOST_LINES):
            send(session, f"{url}/{index}/_bulk", documents[begin : begin + MOST_LINES])
        time.sleep(0.7)


def read(path: Path, offsets: dict[Path, int]) -> Iterator[str]:
    """The documents of the whole lines that were added to a file."""
    with path.open("rb") as file:
        file.seek(offsets.get(path, 0))
        added = file.read()
    whole = added[: added.rfind(b"\n") + 1]
    offsets[path] = offsets.get(path, 0) + len(whole)
    lines = whole.decode(errors="replace").splitlines()
    if path.suffix == ".jsonl":
        yield from lines
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for text in joined(lines):
        yield json.dumps(plain(path.stem, text, now))


def joined(lines: list[str]) -> Iterator[str]:
    """Lines, each with those that go on with it."""
    held: list[str] = []
    for line in lines:
        if held and not CONTINUED.match(line) and not held[0].startswith("Traceback"):
            yield "\n".join(held)
            held = []
        held.append(line)
    if held:
        yield "\n".join(held)


def plain(service: str, text: str, now: str) -> dict[str, Any]:
    """A document about a line that isn't JSON."""
    level = next((name for name, pattern in LEVELS if pattern.search(text)), "info")
    return {
        "@timestamp": now,
        "service": {"name": service},
        "log": {"level": level},
        "message": POSTGRES_PREFIX.sub("", text)[:4000],
    }


def send(session: requests.Session, url: str, documents: list[str]) -> None:
    """One bulk request; tried again until the server takes it."""
    body = "".join(f'{{"create":{{}}}}\n{document}\n' for document in documents).encode()
    for _ in range(20):
        try:
            answer = session.post(url, data=body, headers={"Content-Type": "application/x-ndjson"}, timeout=20)
        except requests.RequestException:
            time.sleep(1)
            continue
        if answer.ok:
            return
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1:])
