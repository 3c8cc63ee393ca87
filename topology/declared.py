"""Declared graphs: files that people write, in YAML or JSON.

```yaml
services:
  checkout:
    kind: service            # or gateway, database, cache, queue, external, host
    owner: team-payments
    runbook: https://wiki.example/runbooks/checkout
    host: node-3
    labels: {tier: 1}
    calls:
      - payments
      - {to: orders-db, weight: 12.5}
  orders-db: {kind: database}
  payments: [orders-db]      # short for calls alone
```

`services` may also be a list of such entries, each with a `name`. The form of a bundle's `topology.json` (`edges`,
`nodes`) is read too.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Literal

from topology.document import from_document, to_document, unknown_fields
from topology.errors import Path, TopologyError
from topology.fields import describe, kind, mapping, number, only_keys, plain, sequence, service_name, text
from topology.graph import Edge, Node, Provenance, ServiceGraph
from topology.reading import read_json, read_yaml

__all__ = ["TopologyError", "from_document", "load_topology", "parse_topology", "to_document", "unknown_fields"]

MAX_BYTES = 4 * 1024 * 1024
_SERVICE_KEYS = ("kind", "owner", "runbook", "host", "labels", "calls")
_CALL_KEYS = ("to", "weight")


def load_topology(path: FilePath | str) -> ServiceGraph:
    """Read a topology file: JSON where the name ends in `.json`, otherwise YAML.

    Raises:
        TopologyError: The file can't be read, or what it says can't be used.
    """
    path = FilePath(path)
    name = path.name
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "check the path and who may read it"
        raise TopologyError(f"can't be read: {error.strerror or error}", hint=hint, name=str(path)) from error
    if len(raw) > MAX_BYTES:
        raise _too_large(name)
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TopologyError("is not text in UTF-8", hint="save it as UTF-8", name=name) from error
    return parse_topology(content, name=name, format="json" if path.suffix.lower() == ".json" else "yaml")


def parse_topology(
    content: str,
    *,
    name: str = "topology",
    format: Literal["yaml", "json"] = "yaml",  # noqa: A002 - the word that people use; the builtin isn't needed here
) -> ServiceGraph:
    """Read the text of a topology file.

    Args:
        content: The text.
        name: The file's name, for errors and for the provenance of what it declares.
        format: How the text is written.

    Raises:
        TopologyError: The text isn't YAML or JSON, is too large, or what it says can't be used; with the file, the
            line where that is known, the place in the document, and what to do.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(name)
    document, line_of = read_json(content, name) if format == "json" else read_yaml(content, name)
    try:
        return _graph(document, Provenance("declared", name))
    except TopologyError as error:
        raise error.located(name, line_of(error.path)) from None


def _too_large(name: str) -> TopologyError:
    hint = f"a topology has at most {MAX_BYTES // 1024**2} MiB; is this the right file?"
    return TopologyError("is too large", hint=hint, name=name)


def _graph(document: object, provenance: Provenance) -> ServiceGraph:
    if document is None:
        raise TopologyError("is empty", hint="begin with `services:`")
    if not isinstance(document, Mapping):
        hint = "begin with `services:`"
        raise TopologyError(f"a topology is a mapping, and this is {describe(document)}", hint=hint)
    if "services" not in document and ("edges" in document or "nodes" in document):
        return from_document(document, name="", strict=True, assume=provenance)
    only_keys(document, ("services",), ())
    if "services" not in document:
        raise TopologyError("has no services", hint="begin with `services:`")
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], Edge] = {}
    for name, entry, path in _entries(document["services"]):
        if name in nodes:
            raise TopologyError(f"{name!r} is declared twice", hint="keep one entry for it", path=path)
        nodes[name] = _node(name, entry, path, provenance)
        for edge, place in _calls(name, entry, path, provenance):
            if (name, edge.callee) in edges:
                raise TopologyError(f"{name!r} calls {edge.callee!r} twice", hint="keep one of them", path=place)
            edges[name, edge.callee] = edge
    return ServiceGraph(nodes.values(), edges.values())


def _entries(services: object) -> Iterator[tuple[str, Mapping[Any, Any], Path]]:
    """Each declared service: its name, what is said of it, and where."""
    if isinstance(services, list):
        for position, entry in enumerate(services):
            path: Path = ("services", position)
            fields = mapping(entry, path, what="a service")
            only_keys(fields, ("name", *_SERVICE_KEYS), path)
            yield service_name(fields.get("name"), (*path, "name")), fields, path
        return
    for key, entry in mapping(services, ("services",), what="services").items():
        path = ("services", str(key))
        name = service_name(key, path)
        fields = {"calls": entry} if isinstance(entry, list) else mapping(entry, path, what="a service")
        only_keys(fields, _SERVICE_KEYS, path)
        yield name, fields, path


def _node(name: str, fields: Mapping[Any, Any], path: Path, provenance: Provenance) -> Node:
    return Node(
        name,
        kind(fields.get("kind"), (*path, "kind")),
        text(fields.get("owner"), (*path, "owner")),
        text(fields.get("runbook"), (*path, "runbook")),
        text(fields.get("host"), (*path, "host")),
        plain(mapping(fields.get("labels"), (*path, "labels"), what="labels"), (*path, "labels")),
        (provenance,),
    )


def _calls(
    name: str, fields: Mapping[Any, Any], path: Path, provenance: Provenance
) -> Iterator[tuple[Edge, Path]]:
    """Each edge that a service declares, and where."""
    path = (*path, "calls")
    for position, call in enumerate(sequence(fields.get("calls"), path, what="calls")):
        place: Path = (*path, position)
        weight = 1.0
        if isinstance(call, Mapping):
            only_keys(call, _CALL_KEYS, place)
            callee = service_name(call.get("to"), (*place, "to"))
            weight = number(call["weight"], (*place, "weight")) if "weight" in call else weight
        else:
            callee = service_name(call, place)
        if callee == name:
            raise TopologyError(f"{name!r} calls itself", hint="remove the call", path=place)
        yield Edge(name, callee, weight, None, (provenance,)), place
