# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor's questions as they are answered, each in a process of its own (viz.doctor.probe): imports what may fail.

Everything said is a fact; what it means stands in the modules that ask.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
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
from viz.doctor.probe import LIMIT, MARK
from viz.invocation import ROOT

OURS = ("cuda_ops", "gan", "viz")
SIZE = (320, 240)  # of the window that is tried


def main(question: str) -> None:
    """Answer, and end without cleaning up: what hangs at an exit would tell nothing more."""
    try:
        QUESTIONS[question]()
    except ImportError as problem:
        say(step="import", error=told(problem))
    except BaseException as problem:  # GL libraries raise whatever they like
        say(error=told(problem))
    say(done=True)
    os._exit(0)


def say(**facts: Any) -> None:
    print(f"\n{MARK}{json.dumps(facts)}", flush=True)


def step(name: str, limit: float = LIMIT) -> None:
    """What comes next, and how many seconds it may take."""
    say(step=name, limit=limit)


def told(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    return text if isinstance(problem, ImportError) and text else f"{type(problem).__name__}: {text}".rstrip(": ")


def attempt(name: str, part: Callable[[], Any], limit: float = LIMIT) -> None:
    """Say what `part` returns under `name`, or its failure under "`name` error"; the next part is then still tried."""
    step(name, limit)
    try:
        say(**{name: part()})
    except Exception as problem:
        say(**{f"{name} error": told(problem), f"{name} file": own_file(problem)})


def own_file(problem: BaseException) -> str:
    """The file of ours, from our root, that raised it; "" if that was somebody else's."""
    names = [frame.filename for frame in traceback.extract_tb(problem.__traceback__)]
    names += [problem.filename or ""] if isinstance(problem, SyntaxError) else []
    last = Path(next((name for name in reversed(names) if not name.startswith("<frozen ")), ""))  # the import system
    path = last.relative_to(ROOT) if last.is_relative_to(ROOT) else Path()
    return path.as_posix() if path.parts[:1] in [(name,) for name in OURS] else ""


# -- packages ------------------------------------------------------------------------------------------------------


def packages() -> None:
    from viz.doctor.check_display import LIBRARIES
    from viz.doctor.check_python import MODULES

    if sys.platform.startswith("linux"):
        attempt("libraries", lambda: {name: loads(file) for name, file in LIBRARIES.items()})
    for distribution, module in MODULES.items():
        if distribution != "torch":  # a question of its own, since it takes so long
            attempt(f"import {distribution}", partial(loaded, module))
    attempt("fonts", fonts)


def loaded(module: str) -> bool:
    return bool(importlib.import_module(module))


def loads(file: str) -> str:
    """ "" or why a shared library does not load."""
    try:
        ctypes.CDLL(file)
        return ""
    except OSError as problem:
        return str(problem)


def fonts() -> dict[str, Any]:
    from imgui_bundle import hello_imgui

    from viz.ui.theme import FONTS, cjk_font

    found = cjk_font()
    return {"missing": [name for name in FONTS if not hello_imgui.asset_exists(name)], "cjk": str(found or "")}


# -- torch and what is built on it ---------------------------------------------------------------------------------


def torch() -> None:
    step("import torch")
    with warnings.catch_warnings(record=True) as seen:  # of a driver that is too old, say
        warnings.simplefilter("always")
        import torch

        version = torch.version
        say(torch=torch.__version__, cuda=version.cuda or "", hip=version.hip or "", threads=torch.get_num_threads())
        attempt("devices", devices)
    say(warnings=[" ".join(str(warning.message).split()) for warning in seen])
    attempt("memory", memory)
    attempt("kernels", kernels, limit=180.0)  # compiling may take cpu.COMPILE_TIMEOUT
    attempt("compilers", compilers)
    attempt("left behind", left_behind)
    attempt("caches", caches)
    attempt("models", models)
    attempt("program", partial(loaded, "viz.window.window"))
    attempt("picture", picture)


def devices() -> list[list[str]]:
    """Device and name of every accelerator that torch can use."""
    import torch

    found = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            found.append([f"cuda:{number}", f"{about.name}, {about.total_memory / 2**30:.0f} GiB"])
    if torch.backends.mps.is_available():
        found.append(["mps", "Apple's GPU"])
    return found


def memory() -> dict[str, int]:
    import psutil

    about = psutil.virtual_memory()
    return {"total": about.total, "free": about.available}


def kernels() -> list[list[str]]:
    """Operator, implementation and reason, on each kind of device that this machine has."""
    import torch

    from cuda_ops import OperatorStatus, status
    from cuda_ops.cpu import loader as cpu
    from cuda_ops.cuda import loader as cuda

    kinds = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.mps.is_available() else [])]
    rows = [(kind, row) for kind in kinds for row in status(kind)]
    advice = cpu.advise(), cuda.ADVICE

    def reason(row: OperatorStatus) -> str:
        return row.reason.removesuffix(advice[0]).removesuffix(advice[1]).strip()

    return [[kind, row.name, row.implementation, reason(row)] for kind, row in rows]


def compilers() -> list[str]:
    """Path and version of each C++ compiler, in the order in which they would be tried."""
    from cuda_ops.cpu.build import find_compilers

    found = []
    for command in find_compilers():
        asked = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=10, errors="replace")
        found.append(f"{command[0]}: {asked.stdout.strip().partition(chr(10))[0] or 'does not say its version'}")
    return found


def left_behind() -> list[str]:
    from cuda_ops import kernel_cache
    from gan.hub.cache import Cache
    from gan.hub.url import DownloadError

    gone = kernel_cache.clean_cache()
    with suppress(DownloadError):  # there is no home
        gone += Cache().sweep()
    return [str(path) for path in gone]


def caches() -> list[list[Any]]:
    """Folder, number of files and bytes: of the kept kernels first, then of whatever else is kept beside them."""
    from cuda_ops import kernel_cache

    kept = kernel_cache.cache_folder()
    beside = sorted(path for path in kept.parent.glob("*") if path.is_dir() and path != kept)
    return [[str(folder), *weight(folder)] for folder in (kept, *beside)]


def weight(folder: Path) -> tuple[int, int]:
    """Files below a folder, and their bytes; links are not followed."""
    sizes = [os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)


def models() -> dict[str, Any]:
    """The bundled models that can be read, and what is wrong with the others."""
    from gan.checkpoints.checkpoint import read_header
    from gan.hub.resolve import list_bundled, list_bundled_files

    broken = {}
    for path in list_bundled_files():
        try:
            read_header(path)
        except (ValueError, OSError) as problem:
            broken[path.name] = str(problem)
    return {"names": [model.name for model in list_bundled()], "broken": broken}


def picture(made: bool = False) -> dict[str, Any]:
    """Draw one on the CPU, as the window does first; of a small model `made` for it, too, where none came along."""
    from gan.checkpoints.checkpoint import save_generator
    from gan.hub.resolve import list_bundled
    from gan.networks.generator import Generator
    from gan.networks.ladder import rung_config
    from viz.core.request import PictureRequest
    from viz.render.renderer import Renderer

    known = () if made else list_bundled()
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


def window() -> None:
    """Whether there is a display, and what draws a hidden window on it."""
    step("import")
    from viz.display import offscreen

    step("display")
    display = offscreen.has_display()
    say(display=display)
    if display:
        draw()


def without_display() -> None:
    step("import")
    from viz.display import offscreen

    step("offscreen")
    offscreen.use()
    draw()


def draw() -> None:
    """Open a window as the program does, say what draws in it, put a texture into it, and draw a model's picture."""
    step("import")
    from imgui_bundle import hello_imgui

    from viz.display import gl
    from viz.display.texture import Textures
    from viz.window import layout

    params = layout.build_params(SIZE, [], None)
    params.app_window_params.hidden = True
    params.ini_disable = True

    def opened() -> None:
        step("textures")
        GL = gl.of_window()
        textures = Textures(GL)
        for name in ("vendor", "renderer", "version"):
            say(**{name: GL.glGetString(getattr(GL, f"GL_{name.upper()}")).decode("utf-8", "replace")})
        textures.finish()
        textures.delete()
        say(llvm=llvm())

    def shown() -> None:  # a frame, so OpenGL works
        attempt("picture", partial(picture, made=True))
        step("closing")
        params.app_shall_exit = True

    os.environ[SWITCH] = "off"  # the question "torch" compiles and tries the kernels
    params.callbacks.post_init = opened
    params.callbacks.after_swap = shown
    step("context")
    hello_imgui.run(params)
    say(drawn=True)


def llvm() -> str:
    """The LLVM that a graphics driver has opened to the whole process, "" if none has.

    A library that is loaded from now on and exports an LLVM of its own, as triton's does, gets its functions from this
    one where it has them, and from itself where it has not.
    """
    if not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "LLVMContextCreate"):
        return ""
    found = re.search(r"/(libLLVM[^/\s]*)", Path("/proc/self/maps").read_text(errors="replace"))
    return found[1] if found else "libLLVM"


QUESTIONS: dict[str, Callable[[], None]] = {
    "packages": packages,
    "torch": torch,
    "window": window,
    "offscreen": without_display,
}
