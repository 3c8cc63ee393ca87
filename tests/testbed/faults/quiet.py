"""Runs in which nothing breaks."""

from tests.testbed.faults.base import Fault, nothing
from tests.testbed.stand import Stand


def _crowd(stand: Stand, _target: str) -> None:
    stand.control("users", factor=1.9)


def _quiet(name: str, summary: str, **more: object) -> Fault:
    begin = _crowd if more else nothing
    return Fault(name=name, kind="normal", summary=summary, remedy="", targets=("",), begin=begin)


FAULTS = (
    _quiet("quiet", "an ordinary stretch of the day"),
    _quiet("quiet-deploy", "an innocent deploy"),
    _quiet("quiet-flag", "innocent flags and settings"),
    _quiet("quiet-surge", "more users, that the shop bears", crowd=True),
)
