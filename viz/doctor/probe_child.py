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
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from viz.doctor.check_kernels import SWITCH
from viz.doctor.probe import FACT_MARK, STEP_SECONDS
from viz.invocation import ROOT

WINDOW_SIZE = (320, 240)
COMMAND_SECONDS = 20.0  # that another program may take
HALF_WRITTEN = re.compile(r"\.[0-9a-f]{12}\.\w+")  # as gan.files.atomic_write names what it has not finished
ABANDONED_SECONDS = 3600.0  # after which no process will finish it


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
    attempt("cjk font", find_cjk_font)


def import_module(module: str) -> bool:
    """Return True, or raise what importing a module raises."""
    return bool(importlib.import_module(module))


def run_pip_check() -> list[str]:
    """Return the lines of `pip check`: requirements of installed packages that are not met."""
    command = [sys.executable, "-m", "pip", "check"]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS)
    return ran.stdout.splitlines()


def find_cjk_font() -> str:
    """Return the path of a font with East Asian letters, "" if there is none."""
    from viz.ui.theme import cjk_font

    return str(cjk_font() or "")


# -- torch and what is built on it ---------------------------------------------------------------------------------


def answer_torch() -> None:
    """Import torch, then try everything that is built on it."""
    begin_step("import torch")
    with warnings.catch_warnings(record=True) as seen:  # of a driver that is too old, say
        warnings.simplefilter("always")
        import torch

        say(torch=torch.__version__, cuda=torch.version.cuda or "", hip=torch.version.hip or "")
        attempt("devices", list_devices)
    say(warnings=[" ".join(str(warning.message).split()) for warning in seen])
    attempt("kernels", list_operators, limit=180.0)  # compiling may take cpu.COMPILE_TIMEOUT
    attempt("left behind", delete_left_behind)
    attempt("folders", list_folders)
    attempt("models", check_models)
    attempt("picture", draw_picture)
    attempt("gpus", list_nvidia_gpus)  # at last: a driver that hangs then costs no other fact


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


def list_nvidia_gpus() -> str:
    """Return a line for each GPU that NVIDIA's driver lists, whether torch can use it or not."""
    from torch.utils import collect_env

    return collect_env.get_gpu_info(collect_env.run) or ""


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
    """Delete what killed processes left in the caches and beside the settings; return its paths."""
    from cuda_ops import kernel_cache
    from gan.hub.cache import Cache
    from gan.hub.url import DownloadError
    from viz.core.state import config_folder

    gone = kernel_cache.clean_cache()
    with suppress(DownloadError):  # there is no home
        gone += Cache().sweep()
    with suppress(OSError):
        for path in config_folder().iterdir():
            if HALF_WRITTEN.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
                gone.append(path)
    return [str(path) for path in gone]


def list_folders() -> dict[str, str]:
    """Return the folders that the program writes, by their titles in check_files.FOLDERS."""
    from cuda_ops.kernel_cache import cache_folder
    from viz.core.state import config_folder

    folders = {"Settings": config_folder(), "Kernels": cache_folder(), "Downloads": cache_folder("models")}
    return {title: str(folder) for title, folder in folders.items()}


def check_models() -> dict[str, Any]:
    """Return the bundled models that can be read, and what is wrong with the others."""
    from gan.checkpoints.checkpoint import read_header
    from gan.hub.resolve import list_bundled, list_bundled_files

    broken = {}
    for about in (ROOT / "assets").glob("*.json"):
        if not about.with_suffix(".safetensors").exists():
            broken[f"{about.stem}.safetensors"] = "The window opens without it."
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
