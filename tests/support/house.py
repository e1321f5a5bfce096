# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The table of docs/architecture.md and the imports of the source: who may import whom, and who does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.paths import ROOT

ROOMS = ("assets", "cuda_ops", "gan", "train", "viz")


class Row(NamedTuple):
    """A package, or a module that stands for itself."""

    name: str
    may_import: tuple[str, ...]

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


def rows() -> list[Row]:
    """The table of docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `([\w.]+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    table = [Row(name, tuple(re.findall(r"`([\w.]+)`", allowed))) for name, allowed in found if _is_ours(name)]
    assert len(table) > 20, "docs/architecture.md has no table of rows any more"
    return table


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ROOMS


def modules(folder: str) -> list[Path]:
    """The Python files below a folder of the repository."""
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def dotted(path: Path) -> str:
    """The name that a file is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, root: Path = ROOT) -> set[str]:
    """Full dotted names that a file imports anywhere, in functions, for type checking and by their names in strings."""
    package = path.relative_to(root).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" if base else alias.name for alias in node.names} | ({base} - {""})
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                found.add(str(node.args[0].value))
    return found


def graph() -> dict[str, set[str]]:
    """Every module of ours, and the modules of ours that it imports."""
    paths = {dotted(path): path for room in ROOMS for path in modules(room)}
    return {name: set(_ours(imports(path), paths)) - {name} for name, path in paths.items()}


def _ours(names: set[str], known: dict[str, Path]) -> Iterator[str]:
    """The modules behind imported names: `gan.networks.layers.Weights` is one of gan.networks.layers."""
    for name in names:
        module = name
        while module and module not in known:
            module = module.rpartition(".")[0]
        # `from gan import networks` also names gan itself: only what is nearest counts.
        if module and not any(other.startswith(f"{module}.") for other in names if name == module):
            yield module


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, by whatever way (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(arrows.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            circle = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return found


def row_of(module: str, table: list[Row]) -> Row:
    """The row of a module: the longest name that fits it."""
    fitting = [row for row in table if module == row.name or module.startswith(f"{row.name}.")]
    assert fitting, f"docs/architecture.md has no row for {module}"
    return max(fitting, key=lambda row: len(row.name))
