# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The house keeps its plan: who may import whom, what README says is there, what no committed file may hold."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import ROOMS, circles, graph, imports, modules, row_of, rows
from support.paths import ROOT

MOST_MODULES = 20  # in a folder
README_BYTES = 8000
SCRIPTS = {"visualizer.py": "viz.__main__", "train.py": "train.cli.main"}
WINDOWING = {"imgui_bundle", "glfw", "OpenGL"}
FOLDERS = [*ROOMS, ".ci", "docs", "tests"]
SPDX = "# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0"

TEXT = {".py", ".md", ".toml", ".txt", ".json", ".jsonl", ".cpp", ".cuh", ".h", ".sh", ".yml", ""}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|Users|opt|mnt)/\w|\b[A-Z]:\\\\?Users\b")
URL = re.compile(r"https?://([\w.-]+)")
PUBLISHED_HOSTS = {"api.ngc.nvidia.com", "nvlabs-fi-cdn.nvidia.com"}
NAMING_THEM = {"gan/hub/published.py", "tests/gan/hub/test_published.py", "tests/test_architecture.py"}
KNOWN_HOSTS = {"arxiv.org", "keepachangelog.com", "semver.org", "www.apache.org", "example.com", "127.0.0.1"}


def files() -> Iterator[Path]:
    """Every file of the repository, without what .gitignore keeps out of the folders that belong to it."""
    yield from (
        path
        for path in ROOT.iterdir()
        if path.is_file() and path.name != ".git" and path.suffix in TEXT | {".gitignore"}
    )
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def rooms_of(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_modules_import_what_their_row_of_the_table_allows() -> None:
    table, broken = rows(), []
    for module, imported in graph().items():
        row = row_of(module, table)
        allowed = {row.name, *row.may_import}
        broken += [f"{module} imports {other}" for other in imported if row_of(other, table).name not in allowed]
    assert not broken, "docs/architecture.md does not allow that " + ", ".join(sorted(broken))


def test_the_table_allows_nothing_that_is_not_needed_and_no_circle() -> None:
    table = rows()
    assert not circles({row.name: set(row.may_import) for row in table})
    used = {row.name: set() for row in table}
    for module, imported in graph().items():
        used[row_of(module, table).name] |= {row_of(other, table).name for other in imported}
    for row in table:
        assert set(row.may_import) <= used[row.name], f"{row.name} imports no {set(row.may_import) - used[row.name]}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not circles(graph())
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_the_table_is_the_only_way_into_a_room() -> None:
    """Nothing but their own is imported by the rooms: no script, no test."""
    for room in ROOMS:
        for path in modules(room):
            forbidden = rooms_of(imports(path)) & {"visualizer", "tests", "conftest", "support"}
            assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


def test_the_arrow_test_sees_every_form_of_import(tmp_path: Path) -> None:
    (tmp_path / "gan" / "deep").mkdir(parents=True)
    path = tmp_path / "gan" / "deep" / "module.py"
    path.write_text(
        "import one.a, two as b\nfrom three.c import d\nfrom . import near\nfrom .. import up\nfrom ..side import x\n"
        "def f():\n    import four\n    importlib.import_module('five.e')\n    __import__('six')\n"
    )
    expected = {"one.a", "two", "three.c", "three.c.d", "gan.deep", "gan.deep.near", "gan", "gan.up", "gan.side"}
    assert imports(path, tmp_path) == expected | {"gan.side.x", "four", "five.e", "six"}


def test_no_folder_is_crowded() -> None:
    for top in (*ROOMS, "tests"):
        for folder in {path.parent for path in modules(top)}:
            count = len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
            assert count <= MOST_MODULES, f"{folder.relative_to(ROOT)} holds {count} modules"


def test_tests_mirror_the_source() -> None:
    """A folder of tests named like a room has no folder that the room lacks."""
    for room in ROOMS:
        for folder in {path.parent for path in (ROOT / "tests" / room).rglob("test_*.py")}:
            source = ROOT / folder.relative_to(ROOT / "tests")
            assert (source / "__init__.py").is_file(), f"{folder.relative_to(ROOT)} tests no package"


QUESTIONS = re.compile(r"(What|Whether|How|Where|Which|Why|Who)\b")


def test_docstrings_say_what_is_done_and_ask_nothing() -> None:
    for room in ROOMS:
        for path in modules(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    text = ast.get_docstring(node) or ""
                    assert not QUESTIONS.match(text), f"{path.relative_to(ROOT)}: {text.partition(chr(10))[0]!r}"


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


def test_readme_is_short_and_its_tree_names_every_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.encode()) <= README_BYTES
    block = re.search(r"^```\n(cuda_ops/.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no fenced tree that begins with cuda_ops/"
    named, parents = set(), [""]
    for line in block[1].splitlines():
        entry = re.match(r"((?:  )*)(\S+/)  +\S", line)
        assert entry, f"not `folder/  what it is`: {line!r}"
        depth = len(entry[1]) // 2
        named.add(parents[depth] + entry[2])
        parents[depth + 1 :] = [parents[depth] + entry[2]]
    there = {f"{path.parent.relative_to(ROOT).as_posix()}/" for room in ROOMS for path in modules(room)}
    assert there <= named, f"README's tree lacks {sorted(there - named)}"
    assert all((ROOT / name).is_dir() for name in named), f"README's tree names {sorted(named)}"


def test_links_in_documents_lead_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)} links to {target}"


HISTORY = ("docs/log.md", "docs/decisions/021-rooms.md")  # which name what was
SOURCE_FILE = re.compile(r"(?<![\w/.])((?:viz|gan|train|cuda_ops|tests)/[\w/]+\.(?:py|h|cuh|cpp|c))\b")
MODULE = re.compile(r"python -m ((?:viz|gan|train|cuda_ops)\b[\w.]*)")


def test_source_files_and_modules_that_documents_name_exist() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        name, text = document.relative_to(ROOT).as_posix(), document.read_text(encoding="utf-8")
        if name in HISTORY:
            continue
        named = {found for found in SOURCE_FILE.findall(text) if "NAME" not in found}
        named |= {f"{module.rstrip('.').replace('.', '/')}.py" for module in MODULE.findall(text) if "." in module}
        gone = sorted(found for found in named if not (ROOT / found).exists())
        assert not gone, f"{name} names {gone}"


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
        hosts = set(URL.findall(text)) - KNOWN_HOSTS - (PUBLISHED_HOSTS if name in NAMING_THEM else set())
        assert not hosts, f"{name} names {sorted(hosts)}"


def test_texts_say_it_plainly() -> None:
    unusual = re.compile(r"\bto and " + r"fro\b", re.IGNORECASE)
    found = [path for path in files() if path.suffix in {".py", ".md"} and unusual.search(path.read_text("utf-8"))]
    assert not found, "back and forth"


def test_panels_need_no_torch() -> None:
    """Not by way of others either: what panels make and read is plain data."""
    modules = "viz.ui.context, viz.panels"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
