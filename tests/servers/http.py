"""Plain HTTP to the test servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is and how to be let in.

    Attributes:
        ca_certs: The authority that signed its certificate; None without TLS.
        fingerprint: SHA-256 of its certificate, hex with colons; empty without TLS.
        ca_fingerprint: SHA-256 of the authority's certificate.
    """

    url: str
    username: str = ""
    password: str = ""
    ca_certs: Path | None = None
    fingerprint: str = ""
    ca_fingerprint: str = ""

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: bytes | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> Any:
        """Ask, and read the JSON (or the text) of the answer.

        Raises:
            requests.HTTPError: The server refused; the message carries its own text.
        """
        with requests.Session() as session:
            session.trust_env = False  # loopback needs no proxy
            answer = session.request(
                method,
                self.url + path,
                json=json,
                data=data,
                params=params,
                headers={"Content-Type": "application/x-ndjson"} if data is not None else {},
                auth=(self.username, self.password) if self.username else None,
                verify=str(self.ca_certs) if self.ca_certs else True,
                timeout=timeout,
            )
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}", response=answer)
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def answers(self, path: str) -> bool:
        """Whether a GET comes back well; a server still starting says no."""
        try:
            self.request("GET", path, timeout=5.0)
        except requests.RequestException:
            return False
        return True
