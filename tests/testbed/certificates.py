"""A certificate authority of the run's own, and a certificate that ends when it should."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


def make(folder: Path, *, valid_seconds: float) -> datetime:
    """Write `ca.pem` and `payment.pem` (key and chain), valid for so many seconds; when they end."""
    authority = trustme.CA()
    ends = datetime.now(UTC) + timedelta(seconds=valid_seconds)
    issued = authority.issue_cert("127.0.0.1", "localhost", not_after=ends)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "payment.pem")
    return ends
