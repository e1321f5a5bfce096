# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Walk over an official network as a file tells it: a tree of modules, or a table of tensors by their full names."""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from gan.checkpoints.pickle_stubs import PickledObject, Placeholder, StoredTensor
from gan.checkpoints.read_limits import Budget, LongText, RefusedError

MAX_DEPTH, MAX_NAME_LENGTH = 32, 256


def find_placeholder(network: Any, budget: Budget, parts: Container[str] = ()) -> Placeholder | None:
    """Return something unknown that lies inside a network: anywhere in a module, or in the place of a tensor.

    Placeholders titled as one of `parts` are the network's own modules, and are looked into.
    """
    if isinstance(network, dict):
        return next((item for key, item in network.items() if "." in key and isinstance(item, Placeholder)), None)
    seen: set[int] = set()  # of objects that the network holds, so that their numbers stay theirs
    open_ones: list[Any] = [network]
    while open_ones:
        item = open_ones.pop()
        budget.spend_instructions()
        if isinstance(item, Placeholder) and item.title not in parts:
            return item
        if not isinstance(item, PickledObject | Placeholder | dict | list | tuple) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, PickledObject | Placeholder):
            open_ones.append(item.state)
        else:
            open_ones.extend(item.values() if isinstance(item, dict) else item)
    return None


def module_names(network: Any, budget: Budget) -> Iterator[str]:
    """Yield the names of a network's modules, those that are unknown among them; none of a table."""
    for prefix, module in walk(network, budget) if isinstance(network, PickledObject) else ():
        for name, child in _children(module):
            if isinstance(name, str) and isinstance(child, PickledObject | Placeholder):
                yield f"{prefix}{name}."


def class_names(network: Any) -> list[str]:
    """Return what the authors call a network's class, and its synthesis network's; none of a table."""
    if not isinstance(network, PickledObject):
        return []
    inner = next((child for name, child in _children(network) if name == "synthesis"), None)
    return [module.class_name for module in (network, inner) if isinstance(module, PickledObject)]


def walk(network: PickledObject, budget: Budget) -> Iterator[tuple[str, PickledObject]]:
    """Yield every module in a network with the prefix of its name. RefusedError where it is nested without end."""
    yield "", network
    open_ones = [("", _children(network))]  # iterators: a module of many children has one name in memory at a time
    while open_ones:
        prefix, children = open_ones[-1]
        entry = next(children, None)
        budget.spend_instructions()
        if entry is None:
            open_ones.pop()
            continue
        name, child = entry
        if isinstance(child, PickledObject) and isinstance(name, str):
            longer = f"{prefix}{name}."
            budget.spend_text(len(longer))
            if len(open_ones) > MAX_DEPTH or len(longer) > MAX_NAME_LENGTH:
                raise RefusedError("has modules nested far deeper than a checkpoint's: it is damaged or hostile")
            yield longer, child
            open_ones.append((longer, _children(child)))


def _children(module: PickledObject) -> Iterator[tuple[Any, Any]]:
    children = module.state.get("_modules")
    return iter(children.items()) if isinstance(children, dict) else iter(())


def flatten(network: Any, budget: Budget) -> dict[str, StoredTensor]:
    """Return parameters and buffers by their full names."""
    if not isinstance(network, PickledObject):
        return {key: value for key, value in network.items() if isinstance(value, StoredTensor)}
    tensors: dict[str, StoredTensor] = {}
    for prefix, module in walk(network, budget):
        passing = module.state.get("_non_persistent_buffers_set")
        for group in ("_parameters", "_buffers"):
            members = module.state.get(group)
            for name, value in members.items() if isinstance(members, dict) else ():
                budget.spend_instructions()
                budget.spend_text(len(prefix))
                left_out = value is None or (isinstance(passing, set) and name in passing)
                if left_out or not isinstance(name, str):
                    continue
                if not isinstance(value, StoredTensor):
                    raise RefusedError(f"has something that is no tensor for {prefix}{name}: it is damaged")
                tensors[prefix + name] = value
    return tensors


def find_sources(network: Any, budget: Budget) -> Iterator[Any]:
    """Yield the sources that came with an official network's modules."""
    for _, module in walk(network, budget) if isinstance(network, PickledObject) else ():
        yield module.source


def count_code(found: Iterable[Any]) -> tuple[int, int]:
    """Return the bytes and the count of Python sources; a shared one counts once."""
    sources: dict[Any, int] = {}
    for source in found:
        if isinstance(source, LongText):
            sources[source.start] = source.size
        elif isinstance(source, str):
            sources[source] = len(source.encode())
    return sum(sources.values()), len(sources)
