"""The sample reports, and what looks at what became of them."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from rca.model.report import Report
from tests import reports


@pytest.fixture
def incident() -> Report:
    return reports.incident()


@pytest.fixture
def abstained() -> Report:
    return reports.abstained()


@pytest.fixture
def minimal() -> Report:
    return reports.minimal()


@pytest.fixture(scope="session")
def hostile() -> Callable[[str], Report]:
    """Makes the rich incident with a text wherever text can come from outside."""
    return reports.hostile


@pytest.fixture
def crowd() -> Report:
    return reports.crowd()


@pytest.fixture(params=["incident", "abstained", "minimal", "hostile", "crowd"])
def any_report(request: pytest.FixtureRequest) -> Report:
    """Each of the sample reports in turn."""
    made: Report = getattr(reports, request.param)()
    return made


@pytest.fixture
def hostile_text() -> str:
    return reports.HOSTILE


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with the file of that name in tests/golden; RCA_UPDATE_GOLDEN=1 writes the file instead."""
    folder = Path(__file__).parents[2] / "golden" / "report"

    def check(name: str, text: str) -> None:
        path = folder / name
        if os.environ.get("RCA_UPDATE_GOLDEN"):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert text == path.read_text(encoding="utf-8"), f"{path} differs; RCA_UPDATE_GOLDEN=1 rewrites it"

    return check


@pytest.fixture(scope="session")
def unseen() -> Callable[[str], list[str]]:
    """Finds what a reader could not see, or what would act on a screen; line feeds are fine."""

    def find(text: str) -> list[str]:
        bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        return [char for char in text if char != "\n" and unicodedata.category(char) in bad]

    return find
