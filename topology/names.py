"""Names of services, as different sources write them."""

import re
from functools import lru_cache

_NOBODY = frozenset({"", "-", "unknown", "none", "null", "n/a"})

# What Istio calls traffic whose other end it doesn't know: everything outside would become one service.
_MESH_UNKNOWN = re.compile(r"(blackholecluster|(inbound)?passthroughcluster(ipv[46])?)")
_CLUSTER_SUFFIX = re.compile(r"\.svc(\.cluster\.local)?\.?$")
_SEPARATORS = re.compile(r"[-_ ]+")


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


def without_cluster_domain(host: str) -> str:
    """The service's own name in a cluster-internal address; any other address as it is."""
    return host.split(".", 1)[0] if _CLUSTER_SUFFIX.search(host) else host


def visible(text: str) -> str:
    r"""The text on one line: what can't be printed is written out (`\n`, `\x1b`), so that no terminal obeys it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
