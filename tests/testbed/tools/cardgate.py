"""The card company: a process of somebody else, without metrics and logs.

`python -P cardgate.py PORT MOOD_FILE SEED`: the file holds `{"mood": "well|slow|failing|limiting"}`.
"""

import json
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Answer until killed."""
    mood_file, chance = Path(arguments[1]), random.Random(arguments[2])  # noqa: S311 - latencies, no secrets

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            mood = json.loads(mood_file.read_text())["mood"]
            time.sleep(min(0.6, chance.lognormvariate(-2.6, 0.35)))
            if mood == "slow":
                time.sleep(1.2 + chance.random())
            status, body = 200, {"id": f"ch_{chance.getrandbits(40):x}"}
            if mood == "failing" and chance.random() < 0.85:
                status, body = 500, {"error": "internal error at the card company"}
            if mood == "limiting" and chance.random() < 0.8:
                status, body = 429, {"error": "rate limit of the account exceeded"}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: it is somebody else's."""

    ThreadingHTTPServer(("127.0.0.1", int(arguments[0])), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
