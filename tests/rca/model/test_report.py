"""What the report's own values can tell."""

from rca.model.report import Trigger


def test_a_recorded_change_is_told_from_what_is_none() -> None:
    assert Trigger(1, "deploy", "a", None, 1.0, "").is_change
    assert Trigger(1, "rollout", "a", None, 1.0, "", commit="c0ffee").is_change
    assert not Trigger(1, "external", "a", None, 1.0, "").is_change
