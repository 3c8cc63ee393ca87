import pytest

from rca.changes.judge import judge_diff
from rca.changes.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("path", "old", "new", "potency"),
    [
        ("go.mod", "github.com/a/b v1.2.3", "github.com/a/b v1.2.4", 0.1),
        ("go.mod", "github.com/a/b v1.2.3", "github.com/a/b v1.3.0", 0.25),
        ("go.mod", "github.com/a/b v0.2.3", "github.com/a/b v0.3.0", 0.4),
        ("requirements.txt", "flask==2.0.1", "flask==3.0.0", 0.5),
        ("package.json", '"react": "^18.0.0"', '"react": "^17.0.0"', 0.55),
        ("Dockerfile", "FROM python:3.11-slim", "FROM python:3.12-slim", 0.25),
        ("Dockerfile", "FROM acme/base:stable", "FROM acme/base:edge", 0.35),
        ("Dockerfile", "FROM debian:bookworm", "FROM alpine:3.19", 0.68),
        ("main.tf", 'type = "m5.large"', 'type = "m5.2xlarge"', 0.25),
        ("main.tf", 'type = "m5.large"', 'type = "c5.large"', 0.4),
    ],
)
def test_the_size_of_a_step_decides(path: str, old: str, new: str, potency: float, vocabulary: Vocabulary) -> None:
    content = judge_diff(f"@@ -1 +1 @@\n-{old}\n+{new}\n", (path,), vocabulary)
    kinds = {"dependency", "base_image", "machine"}
    assert [f.potency for f in content.findings if f.kind in kinds] == [potency]
