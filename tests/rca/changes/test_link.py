from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.changes.link import (
    Candidate,
    Owners,
    Reach,
    candidates,
    commit_of,
    compact,
    fewer_replicas,
    flag_of,
)  # fmt: skip
from rca.changes.vocabulary import Vocabulary
from rca.model.incident import Commit, Event, EventKind

AT = datetime(2026, 1, 1, tzinfo=UTC)
SERVICES = ("cart", "ad-service", "productcatalogservice")


def commit(sha: str, minute: int, *files: str) -> Commit:
    return Commit(sha * 40, "x", AT + timedelta(minutes=minute), "m", files or ("pkg/shared/a.go",), None)


def deploy(minute: int, service: str, **details: object) -> Event:
    return Event(AT + timedelta(minutes=minute), EventKind.DEPLOY, service, "deploy", details)


def reaches(made: tuple[Candidate, ...], sha: str) -> set[tuple[str, Reach]]:
    return {(c.service, c.reach) for c in made if c.commit is not None and c.commit.sha == sha * 40}


def test_a_deploy_names_its_commit_whole_or_shortened(vocabulary: Vocabulary) -> None:
    made = candidates([deploy(5, "cart", git_sha="a" * 9)], [commit("a", 1)], SERVICES, vocabulary)
    assert reaches(made, "a") == {("cart", Reach.DIRECT)}


def test_a_shared_commit_is_carried_by_the_next_deploy_of_each_service(vocabulary: Vocabulary) -> None:
    events = [deploy(0, "cart"), deploy(5, "cart"), deploy(9, "cart"), deploy(7, "ad-service")]
    made = candidates(events, [commit("a", 2)], SERVICES, vocabulary)
    assert reaches(made, "a") == {("cart", Reach.SHARED), ("ad-service", Reach.SHARED)}
    assert min(c.at for c in made if c.commit) == (AT + timedelta(minutes=5)).timestamp()


def test_a_commit_of_one_services_path_is_carried_by_that_service_alone(vocabulary: Vocabulary) -> None:
    events = [deploy(5, "cart"), deploy(6, "ad-service")]
    made = candidates(events, [commit("a", 2, "services/cart/store.go")], SERVICES, vocabulary)
    assert reaches(made, "a") == {("cart", Reach.CARRIED)}


def test_what_was_never_deployed_is_said_to_be_so(vocabulary: Vocabulary) -> None:
    made = candidates([deploy(1, "cart")], [commit("a", 2, "services/cart/store.go")], SERVICES, vocabulary)
    assert reaches(made, "a") == {("cart", Reach.UNDEPLOYED)}


def test_where_nobody_records_deploys_what_is_merged_is_live(vocabulary: Vocabulary) -> None:
    made = candidates([], [commit("a", 2, "services/cart/store.go")], SERVICES, vocabulary)
    assert reaches(made, "a") == {("cart", Reach.CARRIED)}


def test_an_event_without_a_commit_stands_for_itself(vocabulary: Vocabulary) -> None:
    flag = Event(AT, EventKind.CONFIG, "cart", "flag on", {"flag": "fast_path"})
    (made,) = candidates([flag], [], SERVICES, vocabulary)
    assert (made.kind, made.reach, flag_of(flag)) == ("config", Reach.EVENT, "fast_path")


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("services/cart/a.go", ("cart",)),
        ("src/main/java/com/acme/ad/A.java", ("ad-service",)),
        ("services/productcatalog/a.go", ("productcatalogservice",)),
        ("services/catalog/a.go", ()),
        ("pkg/codec/a.go", ()),
    ],
)
def test_paths_have_owners(path: str, owner: tuple[str, ...]) -> None:
    found = Owners(SERVICES, ()).of(path)
    assert found == owner or (path.startswith("src") and found in {owner, ()})


def test_owners_are_learnt_from_what_was_deployed_by_itself() -> None:
    owners = Owners(SERVICES, [(commit("a", 1, "pkg/pricing/rate.go"), ["cart"])])
    assert owners.of("pkg/pricing/other.go") == ("cart",)


def test_names_are_compared_without_what_names_no_service() -> None:
    assert [compact(n) for n in ("ai-memory-svc", "cartservice", "api")] == ["aimemory", "cart", "api"]


@pytest.mark.parametrize(
    ("title", "details", "fewer"),
    [
        ("scaled 6 -> 2", {}, True),
        ("scaled from 2 to 6", {}, False),
        ("scaled", {"from": 4, "to": 1}, True),
        ("scaled", {}, None),
    ],
)
def test_a_scaling_says_which_way_it_went(title: str, details: dict[str, object], fewer: bool | None) -> None:  # noqa: FBT001 - a table's column
    assert fewer_replicas(Event(AT, EventKind.SCALE, "cart", title, details)) is fewer


def test_a_commit_is_read_from_whatever_key_holds_it() -> None:
    assert commit_of(deploy(0, "cart", revision="abc")) == "abc"
    assert commit_of(deploy(0, "cart", commit=7)) == ""


@pytest.mark.parametrize(
    ("path", "repository", "owners", "expected"),
    [
        ("libs/billing/a.go", "shop", (("libs/billing", "cart"),), ("cart",)),
        ("libs/billing/a.go", "shop", (("", "search"), ("libs/billing", "cart")), ("cart",)),
        ("libs/billings/a.go", "shop", (("libs/billing", "cart"),), ()),
        ("libs/billing", "shop", (("libs/billing", "cart"),), ("cart",)),
        ("src/search/a.go", "cart-service", (), ("cart",)),
        ("src/search/a.go", "cart", (("", "search"),), ("search",)),
        ("src/search/a.go", "shop", (), ("search",)),
    ],
)
def test_what_people_wrote_down_comes_before_the_repository_and_that_before_the_path(
    path: str, repository: str, owners: tuple[tuple[str, str], ...], expected: tuple[str, ...]
) -> None:
    made = replace(commit("a", 1, path), repository=repository, owners=owners)
    assert Owners(("cart", "search"), ()).of_file(path, made) == expected


def test_folders_that_a_deploy_taught_are_those_of_its_repository() -> None:
    taught = replace(commit("a", 1, "src/main/a.go"), repository="one")
    owners = Owners(("cart",), [(taught, ["cart"])])
    assert owners.of("src/main/b.go", "one") == ("cart",)
    assert owners.of("src/main/b.go", "two") == ()


@pytest.mark.parametrize(
    ("title", "details", "named"),
    [
        ("image registry/cart:1.9 became registry/cart:main-aaaaaaaaa", {}, True),
        ("image cart:aaaaaaaaa became cart:bbbbbbbbb", {}, False),
        ("image cart:bbbbbbbbb became cart:aaaaaaaaa", {"to": "cart:aaaaaaaaa"}, True),
        ("rollout", {"image": "registry:5000/cart:v1.4.2"}, True),
        ("rollout", {"service.version": "1.4.2"}, True),
        ("rollout", {"git.commit.id": "aaaaaaaaaa"}, True),
        ("rollout", {"image": "cart@sha256:" + "a" * 64}, False),
        ("rollout", {"version": "1.4.3", "note": "aaaaaaaaa"}, False),
    ],
)
def test_a_deploy_finds_its_commit_by_hash_image_or_tag(
    vocabulary: Vocabulary, title: str, details: dict[str, str], *, named: bool
) -> None:
    known = replace(commit("a", 5), tags=("v1.4.2",))
    event = Event(known.at + timedelta(minutes=2), EventKind.DEPLOY, "cart", title, details)
    other = commit("c", 9, "services/search/b.go")
    found = candidates([event], [known, other], ("cart", "search"), vocabulary)
    assert [one.commit for one in found if one.event is event and one.reach is Reach.DIRECT] == [known] * named
