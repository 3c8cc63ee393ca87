"""A certificate authority of the tests' own, and a server certificate for loopback, made by `openssl`."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.fetch import UnavailableError


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of one authority and the certificate it signed.

    Attributes:
        fingerprint: SHA-256 of the server's certificate, hex with colons.
        ca_fingerprint: SHA-256 of the authority's.
    """

    ca: Path
    certificate: Path
    key: Path
    fingerprint: str
    ca_fingerprint: str


def make_certificates(folder: Path) -> Certificates:
    """Make both in a folder, valid for 127.0.0.1 and localhost.

    Raises:
        UnavailableError: There is no `openssl`, or it refused.
    """
    folder.mkdir(exist_ok=True)
    ca, ca_key = folder / "ca.crt", folder / "ca.key"
    certificate, key, request = folder / "server.crt", folder / "server.key", folder / "server.csr"
    extensions = folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    new_key: list[str | Path] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(["req", "-x509", *new_key, "-days", "2", "-subj", "/CN=tests", "-keyout", ca_key, "-out", ca])
    _openssl(["req", *new_key, "-subj", "/CN=localhost", "-keyout", key, "-out", request])
    signing: list[str | Path] = ["-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", extensions]
    _openssl(["x509", "-req", "-in", request, "-days", "2", *signing, "-out", certificate])
    ca_key.unlink()
    return Certificates(ca, certificate, key, _fingerprint(certificate), _fingerprint(ca))


def _fingerprint(certificate: Path) -> str:
    return _openssl(["x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"]).strip().partition("=")[2]


def _openssl(arguments: Sequence[str | Path]) -> str:
    program = shutil.which("openssl")
    if program is None:
        raise UnavailableError("no openssl to make certificates with")
    done = subprocess.run(  # noqa: S603 - a fixed program, no shell, no foreign input
        [program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UnavailableError(f"openssl {arguments[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
