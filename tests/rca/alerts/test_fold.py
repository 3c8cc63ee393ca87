from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from rca.alerts.fold import Episode, fold
from rca.model.incident import Alert

Make = Callable[..., Alert]


def test_an_alert_that_is_sent_again_is_one(make: Make) -> None:
    (one,) = fold([make("A", "cart"), make("A", "cart"), make("A", "cart", 0, 300)])
    assert (one.received, one.replicas, len(one.episodes)) == (3, 1, 1)
    assert not one.fires
    assert one.episodes[0].end == one.start + timedelta(seconds=300)


def test_replicas_of_the_monitoring_are_one_sender(make: Make) -> None:
    first, second = (make("A", "cart", at, prometheus_replica=name) for name, at in (("a", 0), ("b", 40)))
    (one,) = fold([second, first])
    assert (one.received, one.replicas, one.start, one.fires) == (2, 2, first.starts_at, True)
    assert len(fold([make("A", "cart", replica_set="a"), make("A", "cart", replica_set="b")])) == 2


def test_other_labels_are_other_alerts(make: Make) -> None:
    assert len(fold([make("A", "cart"), make("A", "cart", instance="b"), make("B", "cart")])) == 3


def test_without_labels_the_fingerprint_tells_them_apart(make: Make) -> None:
    bare = replace(make("A", None), labels={})
    assert len(fold([replace(bare, fingerprint=name) for name in ("a", "b", "b")])) == 2


def test_an_alert_that_fires_anew_has_another_episode(make: Make) -> None:
    (one,) = fold([make("A", "cart", 0), make("A", "cart", 900), make("A", "cart", 7200)])
    assert [episode.fires for episode in one.episodes] == [False, False, True]
    assert not one.flapping


def test_what_overlaps_is_one_episode(make: Make) -> None:
    (one,) = fold([make("A", "cart", 0, 600), make("A", "cart", 300, 900)])
    assert one.episodes == (Episode(one.start, one.start + timedelta(seconds=900)),)


def test_three_firings_within_an_hour_flap_and_three_a_day_do_not(make: Make) -> None:
    (often,) = fold([make("A", "cart", at, at + 300) for at in (0, 1200, 2400)])
    (seldom,) = fold([make("A", "cart", at, at + 300) for at in (0, 3000, 6000)])
    assert often.flapping
    assert not seldom.flapping


def test_an_end_that_nobody_knows_covers_nothing(make: Make) -> None:
    (one,) = fold([replace(make("A", "cart"), state="resolved")])
    assert not one.episodes[0].covers(one.start + timedelta(seconds=1))
    assert not one.fires
