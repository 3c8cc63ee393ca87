"""Names of services, as different sources write them."""

import re
from functools import lru_cache

UNKNOWN = "unknown"
"""Whom we don't know, where somebody has to be named."""
_NOBODY = frozenset({"", "-", UNKNOWN, "none", "null", "n/a"})

# What Istio calls traffic whose other end it doesn't know: everything outside would become one service.
_MESH_UNKNOWN = re.compile(r"(blackholecluster|(inbound)?passthroughcluster(ipv[46])?)")
_CLUSTER_SUFFIX = re.compile(r"\.svc(\.cluster\.local)?\.?$")
_SEPARATORS = re.compile(r"[-_ ]+")
_SAYS_SERVICE = re.compile(r"(.{2,}?)(?:-?(?:service|svc|server|srv|app|deployment|deploy))+")

# A ReplicaSet's hash and a pod's suffix come from this alphabet: Kubernetes' util/rand (no vowels, no 0, 1, 3).
POD_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
POD_OF_DEPLOYMENT = re.compile(rf"(.+)-{POD_LETTERS}{{6,10}}-{POD_LETTERS}{{5}}")
_POD_FORMS = (
    POD_OF_DEPLOYMENT,
    re.compile(r"(.+)-\d{8,}-[a-z0-9]{5}"),  # of a CronJob's Job
    re.compile(r"(.+)-(?=[a-z]*\d)[a-z0-9]{8,10}-[a-z0-9]{5,6}"),  # the first form, as something else writes it
    re.compile(rf"(.+)-{POD_LETTERS}{{5}}"),  # of a DaemonSet
    re.compile(r"(.+)-\d{1,3}"),  # of a StatefulSet
)


@lru_cache(maxsize=4096)
def is_unknown(name: str) -> bool:
    """Whether a source says by this name that it doesn't know who it was: `unknown`, `-`, nothing."""
    word = name.strip().lower()
    return word in _NOBODY or _MESH_UNKNOWN.fullmatch(word) is not None


def canonical(name: str) -> str:
    """The name without what tells spellings of one service apart: case, `_` or `-`, the cluster's domain."""
    return _SEPARATORS.sub("-", _CLUSTER_SUFFIX.sub("", name.strip().lower())).strip("-")


def base(name: str) -> str:
    """The canonical name without a namespace, written before it (`shop/cart`) or after it (`cart.shop`)."""
    return canonical(name).rsplit("/", 1)[-1].split(".", 1)[0]


@lru_cache(maxsize=8192)
def spellings(name: str) -> tuple[str, ...]:
    """What is left of a name as more is taken off that need not tell services apart.

    Case and separators; then the namespace, too; then what a pod has beyond its workload; then a last word that
    says no more than that it is a service. Of an address nothing but the first.

    >>> spellings("shop/Cart_Service-7d9f8c6b5d-x2x4z")
    ('shop/cartservice7d9f8c6b5dx2x4z', 'cartservice7d9f8c6b5dx2x4z', 'cartservice', 'cart')
    """
    whole = canonical(name)
    own = whole if whole[:1].isdigit() else base(name)
    stem = pod_stem(own)
    return tuple(form.replace("-", "") or name for form in (whole, own, stem, _unsaid(stem)))


def other_spellings(name: str) -> set[str]:
    """How a text may call a service: without its namespace, with or without a word that says it is one.

    >>> sorted(other_spellings("shop/cart"))
    ['cart', 'cart-service', 'cart-svc', 'cart_service', 'cartservice']
    """
    own = base(name)
    plain = _unsaid(own)
    return {own, plain, *(plain + word for word in ("-service", "_service", "service", "-svc"))} - {""}


def _unsaid(name: str) -> str:
    """A canonical name without a last word that says no more than that it is a service."""
    said = _SAYS_SERVICE.fullmatch(name)
    return said[1] if said else name


def without_cluster_domain(host: str) -> str:
    """The service's own name in a cluster-internal address; any other address as it is."""
    return host.split(".", 1)[0] if _CLUSTER_SUFFIX.search(host) else host


def pod_stem(pod: str) -> str:
    """The workload's name by the pattern of a pod's; the pod's own name when it fits none."""
    for form in _POD_FORMS:
        if found := form.fullmatch(pod):
            return found[1]
    return pod


def visible(text: str) -> str:
    r"""The text on one line: what can't be printed is written out (`\n`, `\x1b`), so that no terminal obeys it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
