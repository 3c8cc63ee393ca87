import random
from collections import Counter
from collections.abc import Sequence

import pytest
from drain3 import TemplateMiner as Drain3
from drain3.template_miner_config import TemplateMinerConfig
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.detect.masking import Masker
from rca.detect.templates import MAX_WORDS, Mined, TemplateMiner, mine
from rca.model.tuning.lines import LineTuning

STATEMENTS = [
    "user {name} logged in from {ip}",
    "user {name} failed to log in from {ip}",
    "order {uuid} accepted in {n} ms",
    "order {uuid} rejected in {n} ms",
    "connection to {host} refused",
    "connection to {host} established",
    "GET /api/items/{n} status=200 took {n} ms",
    "GET /api/items/{n} status=500 took {n} ms",
    "cache miss for key {name}",
    "cache hit for key {name}",
    "Starting job {n} on {host}",
    "Stopping job {n} on {host}",
    "read {n} bytes from partition {n} of topic {name}",
    "wrote {n} bytes to partition {n} of topic {name}",
    "leader changed from {host} to {host} in term {n}",
    "payment {uuid} timeout after {n} s",
    "payment {uuid} completed after {n} s",
    "flushed memtable {n} to disk",
    "java.io.IOException: broken pipe on {host}",
    "java.lang.NullPointerException: no value on {host}",
    "scheduled task {name} finished with result ok",
    "scheduled task {name} finished with result error",
    "retrying request {n} of {n} to {host}",
    "session={uuid} user={name} action=view",
    "session={uuid} user={name} action=delete status=denied",
]
NAMES = ["ann", "bob", "carol", "dave", "eve", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj"]


def corpus(seed: int, size: int = 1_500) -> tuple[list[str], list[int]]:
    """Lines of known statements, and which statement each is of."""
    rng = random.Random(seed)  # noqa: S311 - made-up lines, no secret
    lines, truth = [], []
    for _ in range(size):
        which = rng.randrange(len(STATEMENTS))
        text = STATEMENTS[which]
        while "{" in text:
            text = text.replace("{name}", rng.choice(NAMES), 1)
            text = text.replace("{ip}", f"10.{rng.randrange(256)}.{rng.randrange(256)}.7", 1)
            text = text.replace("{n}", str(rng.randrange(100_000)), 1)
            text = text.replace("{host}", f"node-{rng.randrange(90)}.internal", 1)
            text = text.replace(
                "{uuid}", f"{rng.getrandbits(32):08x}-aaaa-bbbb-cccc-{rng.getrandbits(48):012x}", 1
            )
        lines.append(text)
        truth.append(which)
    return lines, truth


def grouping_accuracy(found: Sequence[int], truth: Sequence[int]) -> float:
    """The share of lines whose group holds the lines of their statement, all of them and no others."""
    pairs = Counter(zip(found, truth, strict=True))
    groups, statements = Counter(found), Counter(truth)
    return sum(n for (g, s), n in pairs.items() if n == groups[g] == statements[s]) / len(truth)


def mined(messages: Sequence[str]) -> Mined:
    """The templates of one service's messages."""
    mask = Masker().mask
    return mine([mask(message) for message in messages], [""] * len(messages), LineTuning())


def drain3_groups(lines: Sequence[str]) -> list[int]:
    miner = Drain3(config=TemplateMinerConfig())
    return [int(miner.add_log_message(line)["cluster_id"]) for line in lines]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_statements_are_told_apart_at_least_as_well_as_by_drain3(seed: int) -> None:
    lines, truth = corpus(seed)
    ours = grouping_accuracy(mined(lines).index, truth)
    mask = Masker().mask
    theirs = grouping_accuracy(drain3_groups([mask(line) for line in lines]), truth)
    assert ours >= theirs
    assert ours > 0.95


def test_templates_do_not_depend_on_the_order_of_messages() -> None:
    lines, _ = corpus(4, 600)
    forth, back = mined(lines), mined(lines[::-1])
    assert forth.templates == back.templates
    assert forth.index == back.index[::-1]


def test_a_value_behind_a_key_is_generalised_and_the_key_stays() -> None:
    found = mined(["login user=ann by=form", "login user=bob by=form"])
    assert found.templates == ("login user=<*> by=form",)


def test_success_and_failure_never_share_a_template() -> None:
    found = mined([f"step {name} of import {word}" for name in NAMES for word in ("succeeded", "failed")])
    assert len(found.templates) == 2


def test_groups_never_share_a_template() -> None:
    miner = TemplateMiner(LineTuning())
    assert miner.add("all is well", "a") != miner.add("all is well", "b")
    assert len(miner) == 2


def test_memory_is_bounded_whatever_comes() -> None:
    miner = TemplateMiner(LineTuning(), max_templates=10)
    for i in range(500):
        miner.add(" ".join(f"w{i}x{j}" for j in range(1 + i % 3)))
    assert len(miner) <= 10 + 3
    assert miner.template(len(miner) - 1).split()[0] == "<*>"


def test_more_first_words_than_a_node_holds_share_a_child() -> None:
    miner = TemplateMiner(LineTuning(), max_children=2)
    ids = [miner.add(f"{name} walked into the bar") for name in NAMES]
    assert len(set(ids)) == 3


def test_only_the_beginning_of_a_long_message_counts() -> None:
    start = ["word"] * MAX_WORDS
    assert mined([" ".join([*start, "x"]), " ".join([*start, "y"])]).index == (0, 0)


@given(st.lists(st.text(max_size=80), max_size=20))
@settings(deadline=None)
def test_every_message_has_a_template(messages: list[str]) -> None:
    found = mined(messages)
    assert len(found.index) == len(messages)
    assert all(0 <= i < len(found.templates) for i in found.index)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_a_template_belongs_to_itself(seed: int) -> None:
    lines, _ = corpus(seed, 120)
    miner, mask = TemplateMiner(LineTuning()), Masker().mask
    ids = {miner.add(text) for text in sorted({mask(line) for line in lines})}
    for i in sorted(ids):
        text = miner.template(i)
        assert miner.template(miner.add(text)) == text
