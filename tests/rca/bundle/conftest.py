"""Small bundles on disk, made by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEADER: dict[str, Any] = {
    "format_version": 1,
    "id": "one",
    "window": {"start": "2026-01-31T09:00:00Z", "end": "2026-01-31T10:00:00Z"},
    "onset": "2026-01-31T09:30:00+00:00",
    "resolution_seconds": 60,
}

MakeFolder = Callable[..., Path]


@pytest.fixture
def header() -> dict[str, Any]:
    return json.loads(json.dumps(HEADER))  # type: ignore[no-any-return]  # a deep copy of a dict


@pytest.fixture
def folder(tmp_path: Path) -> MakeFolder:
    """Write a folder with `bundle.json` (changed by `header`) and these other files."""

    def make(files: dict[str, str | bytes] | None = None, header: dict[str, Any] | None = None) -> Path:
        path = tmp_path / "made"
        path.mkdir()
        (path / "bundle.json").write_text(json.dumps(HEADER | (header or {})))
        for name, content in (files or {}).items():
            (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make
