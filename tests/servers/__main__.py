"""`python -m tests.servers FOLDER`: keep the servers running between test runs."""

import sys
from pathlib import Path

from tests.servers.shared import serve_until_interrupted
from tests.servers.shop.load import shop_history

if __name__ == "__main__":
    serve_until_interrupted(Path(sys.argv[1]), shop_history)
