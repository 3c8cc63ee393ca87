"""Two faults at once, in parts of the system that have only the way in in common."""

from tests.testbed.faults.base import Fault
from tests.testbed.faults.configuration import switched_on
from tests.testbed.stand import Stand


def _company_fails(stand: Stand, _target: str) -> None:
    stand.control("cardgate", mood="failing")


FAULTS = (
    Fault(
        name="two-at-once",
        kind="two_causes",
        summary="a slow feature is switched on in the recommendations while the card company fails",
        remedy="switch the flag off; and tell the card company",
        targets=("recommendation",),
        begin=_company_fails,
        changes={"recommendation": switched_on("recommendation", "neighbour_scoring")},
        roots={"recommendation": ("recommendation", "cardgate", "payment")},
    ),
)
