# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Answer one of the doctor's questions in a process of its own (viz.doctor.probe), where imports may fail or crash.

It prints facts only; the check_*.py say what they mean.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from viz.doctor.check_kernels import SWITCH
from viz.doctor.probe import FACT_MARK, STEP_SECONDS
from viz.invocation import ROOT

OUR_PACKAGES = ("cuda_ops", "gan", "viz")
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
    """Say what comes next, and how many seconds it may take."""
    say(step=name, limit=limit)


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
        say(**{f"{name} error": describe(problem), f"{name} file": find_own_file(problem)})


def find_own_file(problem: BaseException) -> str:
    """Return the file of ours, relative to our root, that raised an error; "" if another raised it."""
    names = [frame.filename for frame in traceback.extract_tb(problem.__traceback__)]
    names += [problem.filename or ""] if isinstance(problem, SyntaxError) else []
    last = Path(next((name for name in reversed(names) if not name.startswith("<frozen ")), ""))  # the import system
    path = last.relative_to(ROOT) if last.is_relative_to(ROOT) else Path()
    return path.as_posix() if path.parts[:1] in [(name,) for name in OUR_PACKAGES] else ""


# -- packages ------------------------------------------------------------------------------------------------------


def answer_packages() -> None:
    """Import each package but torch, which takes long and is a question of its own."""
    from viz.doctor.check_python import MODULES

    attempt("gpus", partial(run_command, "nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"))
    attempt("pip check", partial(run_command, sys.executable, "-m", "pip", "check", accepted=(0, 1)))
    for distribution, module in MODULES.items():
        if distribution != "torch":
            attempt(f"import {distribution}", partial(import_module, module))
    attempt("fonts", find_fonts)


def import_module(module: str) -> bool:
    """Return True, or raise what importing a module raises."""
    return bool(importlib.import_module(module))


def run_command(program: str, *words: str, accepted: tuple[int, ...] = (0,)) -> list[str]:
    """Return the lines that another program prints; none if it is missing, takes too long or fails."""
    found = shutil.which(program)
    if not found:
        return []
    try:
        ran = subprocess.run([found, *words], capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in ran.stdout.splitlines() if line.strip()] if ran.returncode in accepted else []


def find_fonts() -> dict[str, Any]:
    """Return the window's fonts that are missing, and the path of a font with East Asian letters."""
    from imgui_bundle import hello_imgui

    from viz.ui.theme import FONTS, cjk_font

    found = cjk_font()
    return {"missing": [name for name in FONTS if not hello_imgui.asset_exists(name)], "cjk": str(found or "")}


# -- torch and what is built on it ---------------------------------------------------------------------------------


def answer_torch() -> None:
    """Import torch, then try everything that is built on it."""
    begin_step("import torch")
    with warnings.catch_warnings(record=True) as seen:  # of a driver that is too old, say
        warnings.simplefilter("always")
        import torch

        version = torch.version
        say(torch=torch.__version__, cuda=version.cuda or "", hip=version.hip or "", threads=torch.get_num_threads())
        attempt("devices", list_devices)
    say(warnings=[" ".join(str(warning.message).split()) for warning in seen])
    attempt("memory", measure_memory)
    attempt("kernels", list_operators, limit=180.0)  # compiling may take cpu.COMPILE_TIMEOUT
    attempt("left behind", delete_left_behind)
    attempt("caches", list_caches)
    attempt("models", check_models)
    attempt("program", partial(import_module, "viz.window.window"))
    attempt("picture", draw_picture)


def list_devices() -> list[list[str]]:
    """Return device and name of every accelerator that torch can use."""
    import torch

    found = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            found.append([f"cuda:{number}", f"{about.name}, {about.total_memory / 2**30:.0f} GiB"])
    if torch.backends.mps.is_available():
        found.append(["mps", "Apple's GPU"])
    return found


def measure_memory() -> dict[str, int]:
    """Return the memory and how much of it is free, in bytes."""
    import psutil

    about = psutil.virtual_memory()
    return {"total": about.total, "free": about.available}


def list_operators() -> list[list[str]]:
    """Return kind of device, operator, implementation and reason, for each kind that this machine has."""
    import torch

    from cuda_ops import status
    from cuda_ops.cpu import loader as cpu
    from cuda_ops.cuda import loader as cuda

    def strip_advice(reason: str) -> str:  # the finding has a command for this system instead
        return reason.removesuffix(cpu.advise()).removesuffix(cuda.ADVICE).strip()

    kinds = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.mps.is_available() else [])]
    return [[kind, row.name, row.implementation, strip_advice(row.reason)] for kind in kinds for row in status(kind)]


def delete_left_behind() -> list[str]:
    """Delete what killed processes left in the caches; return its paths."""
    from cuda_ops import kernel_cache
    from gan.hub.cache import Cache
    from gan.hub.url import DownloadError

    gone = kernel_cache.clean_cache()
    with suppress(DownloadError):  # there is no home
        gone += Cache().sweep()
    return [str(path) for path in gone]


def list_caches() -> list[list[Any]]:
    """Return folder, number of files and bytes: of the kept kernels first, then of the folders beside them."""
    from cuda_ops import kernel_cache

    kept = kernel_cache.cache_folder()
    beside = sorted(path for path in kept.parent.glob("*") if path.is_dir() and path != kept)
    return [[str(folder), *measure_folder(folder)] for folder in (kept, *beside)]


def measure_folder(folder: Path) -> tuple[int, int]:
    """Return the number of files below a folder and their bytes; links are not followed."""
    sizes = [os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)


def check_models() -> dict[str, Any]:
    """Return the bundled models that can be read, and what is wrong with the others."""
    from gan.checkpoints.checkpoint import read_header
    from gan.hub.resolve import list_bundled, list_bundled_files

    broken = {}
    for path in list_bundled_files():
        try:
            read_header(path)
        except (ValueError, OSError) as problem:
            broken[path.name] = str(problem)
    return {"names": [model.name for model in list_bundled()], "broken": broken}


def draw_picture(use_bundled: bool = True) -> dict[str, Any]:
    """Draw a picture on the CPU, as the window does first: of a bundled model, else of a small one made for it."""
    from gan.checkpoints.checkpoint import save_generator
    from gan.hub.resolve import list_bundled
    from gan.networks.generator import Generator
    from gan.networks.ladder import rung_config
    from viz.core.request import PictureRequest
    from viz.render.renderer import Renderer

    known = list_bundled() if use_bundled else ()
    with tempfile.TemporaryDirectory(prefix="jinc-doctor-") as folder:
        path = known[-1].path if known else os.path.join(folder, "made.safetensors")
        if not known:
            save_generator(path, Generator(rung_config("T", 16, channel_base=256, channel_max=16)), {})
        began = time.perf_counter()
        result = Renderer().render(PictureRequest(path))
    file = f"assets/{os.path.basename(path)}" if known else ""
    name = known[-1].name if known else "a model made for it"
    return {"model": name, "seconds": time.perf_counter() - began, "error": result.error or "", "file": file}


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
        for name in ("vendor", "renderer", "version"):
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
