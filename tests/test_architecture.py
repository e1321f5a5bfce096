# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The house keeps its plan: who may import whom, what README says is there, what no committed file may hold."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import ROOT

# docs/decisions/001-house-layout.md: a room may import itself and what stands here, nothing else of ours.
MAY_IMPORT = {
    "assets": set(),
    "cuda_ops": set(),
    "gan": {"cuda_ops", "assets"},
    "train": {"gan"},
    "viz": {"gan", "cuda_ops"},
}
SCRIPTS = {"visualizer.py": "viz.__main__", "train.py": "train.cli.main"}
WINDOWING = {"imgui_bundle", "glfw", "OpenGL"}
FOLDERS = sorted(MAY_IMPORT) + [".ci", "docs", "tests"]
SPDX = "# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0"

TEXT = {".py", ".md", ".toml", ".txt", ".json", ".jsonl", ".cpp", ".cuh", ".h", ".sh", ".yml", ""}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|Users|opt|mnt)/\w|\b[A-Z]:\\\\?Users\b")
URL = re.compile(r"https?://([\w.-]+)")
KNOWN_HOSTS = {"arxiv.org", "keepachangelog.com", "semver.org", "www.apache.org", "example.com", "127.0.0.1"}


def files() -> Iterator[Path]:
    """Every file of the repository, without what .gitignore keeps out of the folders that belong to it."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT | {".gitignore"})
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> set[str]:
    """Full dotted names that a file imports anywhere, functions and importlib.import_module("...") included."""
    package = path.relative_to(ROOT).parts[:-1]
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


def rooms_of(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_import_arrows(room: str) -> None:
    ours = set(MAY_IMPORT) | {"visualizer", "tests", "conftest"}
    assert modules(room), f"{room}/ holds no module"
    for path in modules(room):
        forbidden = rooms_of(imports(path)) & ours - MAY_IMPORT[room] - {room}
        assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


def test_the_arrow_test_sees_every_form_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "gan" / "deep").mkdir(parents=True)
    path = tmp_path / "gan" / "deep" / "module.py"
    path.write_text(
        "import one.a, two as b\nfrom three.c import d\nfrom . import near\nfrom .. import up\nfrom ..side import x\n"
        "def f():\n    import four\n    importlib.import_module('five.e')\n    __import__('six')\n"
    )
    expected = {"one.a", "two", "three.c", "three.c.d", "gan.deep", "gan.deep.near", "gan", "gan.up", "gan.side"}
    assert imports(path) == expected | {"gan.side.x", "four", "five.e", "six"}


def test_panels_draw_without_torch_and_gl() -> None:
    for path in modules("viz/panels"):
        forbidden = rooms_of(imports(path)) & {"torch", "OpenGL", "glfw"}
        assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


@pytest.mark.parametrize("room", ["assets", "cuda_ops", "gan", "train"])
def test_only_viz_opens_windows(room: str) -> None:
    for path in modules(room):
        forbidden = rooms_of(imports(path)) & WINDOWING
        assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


@pytest.mark.parametrize(("script", "module"), SCRIPTS.items())
def test_scripts_only_call_their_command_line(script: str, module: str) -> None:
    tree = ast.parse((ROOT / script).read_text())
    assert imports(ROOT / script) == {module, f"{module}.main"}
    assert [type(node) for node in tree.body] == [ast.Expr, ast.ImportFrom, ast.If], "a docstring, an import, a guard"


def readme_tree() -> list[str]:
    """Paths that README's tree names, folders with a slash at the end; two spaces of indent a level."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## The tree\n.*?^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no fenced block under `## The tree`"
    named, parents = [], [""]
    for line in block[1].splitlines():
        entry = re.fullmatch(r"((?:  )*)(\S+)  +\S.*", line)
        assert entry, f"not `name  what it is`: {line!r}"
        depth = len(entry[1]) // 2
        assert depth < len(parents), f"indented too far: {line!r}"
        path = parents[depth] + entry[2]
        named.append(path)
        parents[depth + 1 :] = [path] if path.endswith("/") else []
    return named


def test_readme_tree_is_the_tree() -> None:
    named = readme_tree()
    assert len(named) == len(set(named)), "README names something twice"
    gone = [name for name in named if not (ROOT / name).exists()]
    assert not gone, f"README names what does not exist: {gone}"
    folders = {folder for file in files() for folder in file.parents if ROOT in folder.parents}
    there = {f"{folder.relative_to(ROOT).as_posix()}/" for folder in folders}
    for room in MAY_IMPORT:
        there |= {path.relative_to(ROOT).as_posix() for path in modules(room) if path.name != "__init__.py"}
    there |= set(SCRIPTS) | {"pyproject.toml"}
    missing = sorted(there - set(named))
    assert not missing, f"README's tree lacks {missing}"


def test_links_in_documents_lead_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)} links to {target}"


def test_every_module_begins_with_licence_and_docstring() -> None:
    python = [path for path in files() if path.suffix == ".py"]
    assert len(python) > 10
    for path in python:
        text = path.read_text(encoding="utf-8")
        assert text.partition("\n")[0] == SPDX, f"{path.relative_to(ROOT)}: first line"
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)}: no module docstring"


def committed_text() -> Iterator[tuple[str, str]]:
    """Every text that is committed, the JSON headers of checkpoints included: (name, text)."""
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".safetensors":
            raw = path.read_bytes()
            yield name, raw[8 : 8 + int.from_bytes(raw[:8], "little")].decode("utf-8")
        elif path.suffix in TEXT:
            yield name, path.read_text(encoding="utf-8")


def test_nothing_committed_names_a_machine() -> None:
    for name, text in committed_text():
        if name == "LICENSE" or name.startswith("assets/") and "OFL" in name:
            continue  # standard texts, kept word for word
        path = MACHINE_PATH.search(text)
        assert not path, f"{name} holds the path of one machine: {text[path.start() : path.start() + 40]!r}"
        hosts = set(URL.findall(text)) - KNOWN_HOSTS
        assert not hosts, f"{name} names {sorted(hosts)}"


def test_panels_need_no_torch() -> None:
    """Not by way of others either: what panels make and read is plain data."""
    modules = "viz.ui.context, viz.instruments.types, viz.instruments.slice_recorder"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
