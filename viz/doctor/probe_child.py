# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Answer one of the doctor's questions in a process of its own (viz.doctor.probe), where imports may fail or crash.

It prints facts only; the check_*.py say what they mean.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from viz.doctor.check_kernels import SWITCH
from viz.doctor.finding import Finding
from viz.doctor.probe import FACT_MARK, STEP_SECONDS

WINDOW_SIZE = (320, 240)
COMMAND_SECONDS = 20.0  # that another program may take


def main(question: str) -> None:
    """Answer a question, and end without cleaning up: a hang at the exit would say nothing more."""
    try:
        QUESTIONS[question]()
    except ImportError as problem:
        say(step="import", error=describe(problem))
    except BaseException as problem:  # GL libraries raise whatever they like
        say(error=describe(problem))
    say(done=True)
    os._exit(0)


def say(**facts: Any) -> None:
    """Print facts for the process that asks."""
    print(f"\n{FACT_MARK}{json.dumps(facts)}", flush=True)


def begin_step(name: str, limit: float = STEP_SECONDS) -> None:
    """Say what comes next; this process is ended if it takes longer than so many seconds."""
    say(step=name, limit=limit)
    faulthandler.dump_traceback_later(limit, exit=True)


def describe(problem: BaseException) -> str:
    """Return an error in one line, with its type unless it is an ImportError."""
    text = " ".join(str(problem).split())
    return text if isinstance(problem, ImportError) and text else f"{type(problem).__name__}: {text}".rstrip(": ")


def attempt(name: str, part: Callable[[], Any], limit: float = STEP_SECONDS) -> None:
    """Say what `part` returns under `name`, or its failure under "`name` error"; the next part is then still tried."""
    begin_step(name, limit)
    try:
        say(**{name: part()})
    except Exception as problem:
        say(**{f"{name} error": describe(problem)})


# -- packages ------------------------------------------------------------------------------------------------------


def answer_packages() -> None:
    """Import each package but torch, which takes long and is a question of its own."""
    from viz.doctor.check_python import MODULES

    attempt("pip check", run_pip_check)
    for distribution, module in MODULES.items():
        if distribution != "torch":
            attempt(f"import {distribution}", partial(import_module, module))
    attempt("cjk font", has_cjk_font)


def import_module(module: str) -> bool:
    """Return True, or raise what importing a module raises."""
    return bool(importlib.import_module(module))


def run_pip_check() -> list[str]:
    """Return the lines of `pip check`: requirements of installed packages that are not met."""
    command = [sys.executable, "-m", "pip", "check"]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS)
    return ran.stdout.splitlines()


def has_cjk_font() -> bool:
    """Return whether the window finds a font with East Asian letters."""
    from viz.ui.theme import cjk_font

    return cjk_font() is not None


# -- torch and what is built on it ---------------------------------------------------------------------------------


def answer_torch() -> None:
    """Import torch, then try everything that is built on it."""
    begin_step("import torch")
    with warnings.catch_warnings(record=True) as seen:  # of a driver that is too old, say
        warnings.simplefilter("always")
        import torch

        say(torch=torch.__version__, cuda=torch.version.cuda or "", hip=torch.version.hip or "")
        attempt("devices", name_devices)
    say(warnings=[" ".join(str(warning.message).split()) for warning in seen])
    attempt("kernels", list_operators, limit=180.0)  # compiling may take cpu.COMPILE_TIMEOUT
    attempt("picture", draw_picture)
    from viz.doctor import check_files

    for check in (check_files.check_folders, check_files.delete_left_behind, check_files.check_models):
        attempt(check.__name__, partial(describe_findings, check))
    attempt("gpus", list_nvidia_gpus)  # at last: a driver that hangs then costs no other fact


def describe_findings(check: Callable[[], list[Finding]]) -> list[dict[str, str]]:
    """Return what a check finds, ready for JSON."""
    return [asdict(finding) for finding in check()]


def name_devices() -> list[list[str]]:
    """Return device and name of every accelerator that torch can use."""
    import torch

    from gan.devices import list_devices

    accelerators = list_devices()[1:]  # the first is the CPU
    return [[name, torch.cuda.get_device_name(name) if "cuda" in name else "Apple's GPU"] for name in accelerators]


def list_nvidia_gpus() -> str:
    """Return a line for each GPU that NVIDIA's driver lists, whether torch can use it or not."""
    from torch.utils import collect_env

    return collect_env.get_gpu_info(collect_env.run) or ""


def list_operators() -> list[list[str]]:
    """Return kind of device, operator, implementation and reason, for each kind that this machine has."""
    from cuda_ops import status
    from cuda_ops.cpu import loader as cpu
    from cuda_ops.cuda import loader as cuda
    from gan.devices import list_devices

    def strip_advice(reason: str) -> str:  # the finding has a command for this system instead
        return reason.removesuffix(cpu.advise()).removesuffix(cuda.ADVICE).strip()

    kinds = dict.fromkeys(name.partition(":")[0] for name in list_devices())
    return [[kind, row.name, row.implementation, strip_advice(row.reason)] for kind in kinds for row in status(kind)]


def draw_picture(use_bundled: bool = True) -> dict[str, Any]:
    """Draw a picture on the CPU, as the window does first: of a bundled model, else of a small one made for it."""
    from gan.checkpoints.checkpoint import save_generator
    from gan.hub.resolve import list_bundled
    from gan.networks.generator import Generator
    from gan.networks.ladder import rung_config
    from viz.core.request import PictureRequest
    from viz.render.renderer import Renderer
    from viz.window import window  # noqa: F401  the program's own code has to load, too

    known = list_bundled() if use_bundled else ()
    with tempfile.TemporaryDirectory(prefix="jinc-doctor-") as folder:
        path = known[-1].path if known else os.path.join(folder, "made.safetensors")
        if not known:
            save_generator(path, Generator(rung_config("T", 16, channel_base=256, channel_max=16)), {})
        began = time.perf_counter()
        result = Renderer().render(PictureRequest(path))
    name = known[-1].name if known else "a model made for it"
    return {"model": name, "seconds": time.perf_counter() - began, "error": result.error or ""}


# -- OpenGL --------------------------------------------------------------------------------------------------------


def answer_window(without_display: bool) -> None:
    """Open a hidden window as the program does, put a texture into it, and draw a model's picture."""
    begin_step("import")
    from viz.display import offscreen

    if without_display:
        begin_step("offscreen")
        offscreen.use()
    else:
        begin_step("display")
        has_display = offscreen.has_display()
        say(display=has_display)
        if not has_display:
            return
    begin_step("import")
    from imgui_bundle import hello_imgui

    from viz.display import gl
    from viz.display.texture import Textures
    from viz.window import layout

    params = layout.build_params(WINDOW_SIZE, [], None)
    params.app_window_params.hidden = True
    params.ini_disable = True

    def make_texture() -> None:
        begin_step("textures")
        GL = gl.of_window()
        textures = Textures(GL)
        for name in ("renderer", "version"):
            say(**{name: GL.glGetString(getattr(GL, f"GL_{name.upper()}")).decode("utf-8", "replace")})
        textures.finish()
        textures.delete()
        say(llvm=find_llvm())

    def draw_beside() -> None:  # a frame, so OpenGL works
        attempt("picture", partial(draw_picture, use_bundled=False))
        begin_step("closing")
        params.app_shall_exit = True

    os.environ[SWITCH] = "off"  # the question "torch" compiles and tries the kernels
    params.callbacks.post_init = make_texture
    params.callbacks.after_swap = draw_beside
    begin_step("context")
    hello_imgui.run(params)
    say(drawn=True)


def find_llvm() -> str:
    """Return the LLVM that a graphics driver has opened to the whole process, "" if none has.

    A library that is loaded from now on and exports an LLVM of its own, as triton's does, gets its functions from this
    one where it has them, and from itself otherwise.
    """
    if not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "LLVMContextCreate"):
        return ""
    found = re.search(r"/(libLLVM[^/\s]*)", Path("/proc/self/maps").read_text(errors="replace"))
    return found[1] if found else "libLLVM"


QUESTIONS: dict[str, Callable[[], None]] = {
    "packages": answer_packages,
    "torch": answer_torch,
    "window": partial(answer_window, without_display=False),
    "offscreen": partial(answer_window, without_display=True),
}
