# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Torch's compiler and triton stay unimported: triton's library crashes in a process that has Mesa's LLVM.

docs/decisions/020-operators-without-dynamo.md says why.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

UNWANTED = ("torch._dynamo", "torch._inductor", "sympy", "triton")

SAY = f"""
import sys
print("IMPORTED", *[name for name in {UNWANTED} if sys.modules.get(name) is not None])
"""

RENDER = """
import sys
from viz.cli.main import main
main(["render", "--model", "t", "--out", sys.argv[1] + "/t.png"], standalone_mode=False)
main(["render", "--model", "b", "--rotate", "10", "--out", sys.argv[1] + "/b.png"], standalone_mode=False)
"""

# Without the command `view`, which keeps triton from being imported: the window itself does not import it.
WINDOW = """
import sys
from pathlib import Path
from viz.display import offscreen
if not offscreen.has_display():
    offscreen.use()
from viz.cli.view import load_state
from viz.window.window import Window
state = load_state(None)[0]
state.display.width, state.display.height = 1280, 800
window = Window(state)
window.show("Layers", "Sticking")
window.run(Path(sys.argv[1]) / "w.png")
"""

TRAIN = """
import torch
from dataclasses import replace
from gan.networks.config import DiscriminatorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
for name in "BTR":
    config = replace(rung_config(name, 16, channel_base=64, channel_max=8), z_dim=8, w_dim=8)
    G, D = Generator(config), Discriminator(DiscriminatorConfig(resolution=16, channel_base=64, channel_max=8))
    fake = G(torch.randn(4, 8))
    torch.nn.functional.softplus(-D(fake)).mean().backward()
    real = fake.detach().requires_grad_()
    gradient, = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    gradient.square().sum().backward()
    assert all(p.grad is not None for p in D.parameters() if p.ndim > 1)
"""


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`code` in a fresh process, which at its end says what it imported."""
    return subprocess.run(
        [sys.executable, "-c", code + SAY, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
@pytest.mark.parametrize("code", [RENDER, WINDOW, TRAIN], ids=["render", "window", "forward and backward with R1"])
def test_nothing_imports_the_compiler(code: str, tmp_path: Path) -> None:
    ran = run(code, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "IMPORTED", ran.stdout


@pytest.mark.slow
def test_that_would_be_seen(tmp_path: Path) -> None:
    ran = run("import torch\ntorch.optim.Adam([torch.zeros(1, requires_grad=True)])", tmp_path)
    assert "torch._dynamo" in ran.stdout.splitlines()[-1], "an optimiser imports it: the reason for the next tests"


@pytest.mark.slow
@pytest.mark.parametrize("code", [RENDER, WINDOW], ids=["render", "window"])
def test_a_triton_that_ends_the_process_is_never_imported(code: str, tmp_path: Path) -> None:
    (tmp_path / "triton").mkdir()
    (tmp_path / "triton" / "__init__.py").write_text("import os\nos._exit(77)\n")
    assert run("import triton", tmp_path, PYTHONPATH=f"{tmp_path}").returncode == 77
    ran = run(code, tmp_path, PYTHONPATH=f"{tmp_path}")
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.glob("*.png"))


def test_no_process_with_opengl_makes_an_optimiser() -> None:
    """viz/ may not import train/ (test_architecture), and neither it nor what it may import names torch.optim."""
    for room in ("viz", "gan", "cuda_ops"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert getattr(node, "attr", None) != "optim", f"{path.relative_to(ROOT)} uses torch.optim"
                names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
                module = getattr(node, "module", None) or ""
                assert not any("torch.optim" in f"{module}.{name}" for name in ["", *names]), path
