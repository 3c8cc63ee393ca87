"""What cAdvisor and kube-state-metrics say of the shop's pods."""

from collections.abc import Iterator

import numpy as np

from tests.servers.shop.logs import pod_of
from tests.servers.shop.series import Series, cumulative
from tests.servers.shop.system import Behaviour, Fault, Floats, Shop

NODES = ("node-a", "node-b", "node-c")
CPU_LIMIT, MEMORY_LIMIT = 0.5, 512e6
DAYS = 86400.0


def kubernetes_series(shop: Shop, behaviour: Behaviour, rng: np.random.Generator) -> Iterator[Series]:
    """Two pods a service, and two more for a service that is rolled out anew."""
    every = np.ones(len(behaviour.times), dtype=np.bool_)
    for number, service in enumerate(shop.services):
        age = (3.0 + number % 5) * DAYS
        if shop.deployed_at is not None and service == shop.faulty:
            rolled = behaviour.times >= shop.deployed_at.timestamp()
            generations = [
                (shop.start.timestamp() - age, ~rolled, "2.7.4"),
                (shop.deployed_at.timestamp(), rolled, "2.8.0"),
            ]
        else:
            generations = [(shop.start.timestamp() - age, every, "2.7.4")]
        for created, present, version in generations:
            for replica in range(2):
                node = NODES[(number + replica) % len(NODES)]
                for series in _pod(shop, behaviour, rng, service, replica, node, version, created):
                    yield series.only(present)
            yield from (one.only(present) for one in _replicaset(shop, service, created, len(behaviour.times)))
        generation = np.full(len(behaviour.times), 4.0)
        if len(generations) > 1:
            generation += generations[1][1]
        names = {"namespace": "shop", "deployment": service}
        yield Series("kube_deployment_status_observed_generation", names, generation)
        yield Series("kube_deployment_spec_replicas", names, np.full_like(generation, 2.0))


def _pod(
    shop: Shop,
    behaviour: Behaviour,
    rng: np.random.Generator,
    service: str,
    replica: int,
    node: str,
    version: str,
    created: float,
) -> Iterator[Series]:
    at = shop.start if created < shop.start.timestamp() else shop.onset
    pod = pod_of(shop, service, replica, at=at)
    ones: Floats = np.ones_like(behaviour.times)
    step, up = shop.step_seconds, behaviour.up[service]
    cpu = behaviour.cpu[service]
    names = {"namespace": "shop", "pod": pod, "container": service}
    seen = {**names, "node": node, "image": f"registry.internal/shop/{service}:{version}"}
    memory = 180e6 + 20e6 * cpu + rng.normal(0, 1e6, len(ones))
    throttled = np.round(step * 10 * np.clip((cpu - 0.8) * 4, 0, 0.8))
    by_container = (
        Series("container_cpu_usage_seconds_total", seen, cumulative(cpu * CPU_LIMIT * step)),
        Series("container_cpu_cfs_periods_total", seen, cumulative(ones * step * 10)),
        Series("container_cpu_cfs_throttled_periods_total", seen, cumulative(throttled)),
        Series("container_memory_working_set_bytes", seen, np.round(memory)),
    )
    yield from (series.only(up) for series in by_container)
    gone = np.cumsum(~up)
    down = shop.fault is Fault.DOWN and service == shop.faulty
    restarts = np.minimum(np.ceil(gone * step / 120), 5.0)
    yield Series("kube_pod_container_status_restarts_total", names, restarts)
    if down:
        reason = {**names, "reason": "CrashLoopBackOff"}
        yield Series("kube_pod_container_status_waiting_reason", reason, (~up).astype(float))
        killed = {**names, "reason": "OOMKilled"}
        yield Series("kube_pod_container_status_last_terminated_reason", killed, ones).only(~up)
    for resource, limit, unit in (("cpu", CPU_LIMIT, "core"), ("memory", MEMORY_LIMIT, "byte")):
        limited = {**names, "node": node, "resource": resource, "unit": unit}
        yield Series("kube_pod_container_resource_limits", limited, ones * limit)
    owner = {"owner_kind": "ReplicaSet", "owner_name": pod.rsplit("-", 1)[0], "owner_is_controller": "true"}
    yield Series("kube_pod_owner", {"namespace": "shop", "pod": pod, **owner}, ones)
    yield Series(
        "kube_pod_info", {"namespace": "shop", "pod": pod, "node": node, "created_by_kind": "ReplicaSet"}, ones
    )
    yield Series("kube_pod_container_info", {**names, "image": seen["image"], "image_spec": seen["image"]}, ones)
    ready = {"namespace": "shop", "pod": pod, "condition": "true"}
    yield Series("kube_pod_status_ready", ready, up.astype(float))


def _replicaset(shop: Shop, service: str, created: float, length: int) -> Iterator[Series]:
    at = shop.start if created < shop.start.timestamp() else shop.onset
    name = pod_of(shop, service, 0, at=at).rsplit("-", 1)[0]
    names = {"namespace": "shop", "replicaset": name}
    owner = {"owner_kind": "Deployment", "owner_name": service, "owner_is_controller": "true"}
    yield Series("kube_replicaset_created", names, np.full(length, created))
    yield Series("kube_replicaset_owner", {**names, **owner}, np.ones(length))
