"""From labels to a service's name: namespaces, pods and their owners, hosts.

Two stacks may call one service `cart`, `shop/cart` and `cart-7d9f8c6b5-x2x4z`. A namespace is taken off only where
no other namespace has a service of that name; a pod becomes its workload as Kubernetes says, or else by
the pattern of a pod's name. All of it is a function of what is known before the first
query, whatever order answers come in.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from topology.names import POD_LETTERS, POD_OF_DEPLOYMENT, pod_stem

POD_LABELS = ("exported_pod", "pod", "pod_name")
REPLICASET_LABELS = ("exported_replicaset", "replicaset")
NOBODY = frozenset({"", "unknown", "none", "null", "-"})

_REPLICASET = re.compile(rf"(.+)-{POD_LETTERS}{{6,10}}")
# A pod's stem for `label_replace`, where a server is to find it: RE2, anchored, the shortest.
STEM_RE2 = rf"(.+?)(?:(?:-{POD_LETTERS}{{6,10}})?-{POD_LETTERS}{{5}}|-[0-9]{{1,3}})?"
_CLUSTER_HOST = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?(?::\d+)?")
_URL = re.compile(r"[a-z]+://(?:[^@/\s]*@)?(\[[0-9a-f:]+\]|[^:/?#\s]+)(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
_NAMESPACED = re.compile(r"([^/\s]+)/([^/\s]+)")
_PORT = re.compile(r"(.*[^:\d].*):\d{1,5}")


def replicaset_stem(name: str) -> str:
    """The Deployment's name by the pattern of its ReplicaSet's."""
    found = _REPLICASET.fullmatch(name)
    return found[1] if found else name


@dataclass(frozen=True, slots=True)
class Owners:
    """Which workload a pod belongs to.

    Attributes:
        pods: `(namespace, pod)` to the owner's kind and name.
        replicasets: `(namespace, ReplicaSet)` to its owner's name.
    """

    pods: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    replicasets: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def read(cls, pods: Iterable[Mapping[str, str]], replicasets: Iterable[Mapping[str, str]]) -> "Owners":
        """From the labels of `kube_pod_owner` and `kube_replicaset_owner`."""
        of_pods: dict[tuple[str, str], tuple[str, str]] = {}
        of_sets: dict[tuple[str, str], str] = {}
        for row in pods:
            pod, owner = _first(row, POD_LABELS), row.get("owner_name", "")
            if pod and owner not in NOBODY and owner != "<none>":
                of_pods[_namespace(row), pod] = (row.get("owner_kind", ""), owner)
        for row in replicasets:
            name, owner = _first(row, REPLICASET_LABELS), row.get("owner_name", "")
            if name and owner not in NOBODY and owner != "<none>":
                of_sets[_namespace(row), name] = owner
        return cls(of_pods, of_sets)

    def of_pod(self, namespace: str, pod: str) -> str:
        """The workload of a pod: Deployment, StatefulSet, DaemonSet, Job's CronJob."""
        kind, owner = self.pods.get((namespace, pod), ("", ""))
        if not owner:
            replicaset = pod.rpartition("-")[0]
            return self.replicasets.get((namespace, replicaset)) or pod_stem(pod)
        if kind == "ReplicaSet":
            return self.of_replicaset(namespace, owner)
        if kind == "Node":  # a static pod, named after its node
            return pod.removesuffix(f"-{owner}")
        return re.sub(r"-\d{8,}$", "", owner) if kind == "Job" else owner

    def of_replicaset(self, namespace: str, name: str) -> str:
        """The Deployment of a ReplicaSet."""
        return self.replicasets.get((namespace, name)) or replicaset_stem(name)


def _first(row: Mapping[str, str], labels: Sequence[str]) -> str:
    return next((row[label] for label in labels if row.get(label)), "")


def _namespace(row: Mapping[str, str]) -> str:
    return _first(row, ("exported_namespace", "namespace"))


def split(namespace: str, name: str, strip: Sequence[str] = ()) -> tuple[str, str]:
    """Take a namespace, a cluster's host name, an address' host, a port and known endings off a name.

    Returns:
        The namespace, or empty where nobody said, and the bare name.
    """
    if found := _URL.fullmatch(name):
        name = found[1]
    if found := _CLUSTER_HOST.fullmatch(name):
        return namespace or found[2], found[1]
    if found := _NAMESPACED.fullmatch(name):
        namespace, name = namespace or found[1], found[2]
    if found := _PORT.fullmatch(name):
        name = found[1]
    for ending in strip:
        if name.endswith(ending) and name != ending:
            name = name.removesuffix(ending)
            break
    return namespace, name


class Names:
    """The names in the report, decided from all that is known before the first query.

    Args:
        known: Every `(namespace, name)` that was seen; the namespace may be empty.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        spaces: dict[str, set[str]] = defaultdict(set)
        for namespace, name in known:
            spaces[name].add(namespace)
        self._spaces = {name: frozenset(found - {""}) for name, found in spaces.items()}

    def of(self, namespace: str, name: str) -> str:
        """The service's name: bare, unless several namespaces have one of that name."""
        if (found := POD_OF_DEPLOYMENT.fullmatch(name)) and found[1] in self._spaces:
            name = found[1]
        spaces = self._spaces.get(name)
        if not namespace or spaces is None or spaces <= {namespace}:
            return name
        return f"{namespace}/{name}"

    @property
    def ambiguous(self) -> tuple[str, ...]:
        """The names that more than one namespace has, sorted."""
        return tuple(sorted(name for name, spaces in self._spaces.items() if len(spaces) > 1))


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that were found to name a metric's series; empty where there is none.

    Attributes:
        without: Preferred labels that some series have: these are the series that lack them.
    """

    service: str
    namespace: str = ""
    instance: str = ""
    peer: str = ""
    peer_namespace: str = ""
    replica: str = ""
    strip: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def mine(self) -> str:
        """Matchers for the series that these labels name."""
        return ",".join([f'{self.service}!=""', *(f'{label}=""' for label in self.without)])

    @property
    def by(self) -> tuple[str, ...]:
        """What to aggregate by, each label once."""
        wanted = (
            self.namespace, self.service, self.instance, self.peer_namespace, self.peer, self.replica,
        )  # fmt: skip
        return tuple(dict.fromkeys(label for label in wanted if label))

    @property
    def is_pod(self) -> bool:
        """The series are by pod: each is its workload's."""
        return self.service in POD_LABELS

    @property
    def replica_label(self) -> str:
        """The label that tells one service's replicas apart, or empty."""
        return self.service if self.is_pod else self.instance

    def identify(self, row: Mapping[str, Any], owners: Owners) -> tuple[str, str] | None:
        """The `(namespace, name)` of a series, or None when it doesn't say whose it is."""
        name, namespace = row.get(self.service, ""), row.get(self.namespace, "")
        if name.lower() in NOBODY:
            return None
        if self.is_pod:
            return namespace, owners.of_pod(namespace, name)
        if self.service in REPLICASET_LABELS:
            return namespace, owners.of_replicaset(namespace, name)
        return split(namespace, name, self.strip)

    def identity(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The values of these labels, the one left out that tells two servers apart which scraped alike."""
        return tuple(str(row.get(label, "")) for label in self.by if label != self.replica)

    def identify_peer(self, row: Mapping[str, Any]) -> tuple[str, str] | None:
        """The same for the callee."""
        name = row.get(self.peer, "")
        return None if name.lower() in NOBODY else split(row.get(self.peer_namespace, ""), name)
