from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository import Repository


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], Repository]:
    return lambda name: Repository(tmp_path / name)


@pytest.fixture
def repo(make_repo: Callable[[str], Repository]) -> Repository:
    return make_repo("shop")
