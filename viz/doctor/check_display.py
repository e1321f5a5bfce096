# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check what is seen: the display, OpenGL in a window and without one, fonts, file dialogs."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
from collections.abc import Mapping

from viz import invocation
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding, as_clause, install_command
from viz.doctor.probe import Answer, ask

TOPIC = "Display"
BESIDE_TORCH = "Beside torch"
SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|software|GDI Generic", re.IGNORECASE)
GLFW_ERROR = re.compile(r"^Glfw Error \d+: (.+)$")
MESA_EGL = "/usr/share/glvnd/egl_vendor.d/50_mesa.json"
RENDER_WORDS = ("render", "--model", "t", "--seed", "0", "--out", "picture.png")  # needs no OpenGL
LINUX = sys.platform.startswith("linux")


def software_settings(question: str) -> dict[str, str]:
    """Return the variables that make Mesa draw on the processor. `question`: "window" or "offscreen"."""
    settings = {"LIBGL_ALWAYS_SOFTWARE": "1"}
    if question == "offscreen" and os.path.exists(MESA_EGL):
        settings["__EGL_VENDOR_LIBRARY_FILENAMES"] = MESA_EGL  # else another maker's may be taken
    return settings


def try_opengl(question: str) -> tuple[Answer, bool]:
    """Ask "window" or "offscreen"; return also whether it works in software where it does not by itself."""
    answer = ask(question)
    if has_drawn(answer) or not LINUX or _is_untried(answer) or answer.facts.get("display") is False:
        return answer, False
    return answer, has_drawn(ask(question, software_settings(question)))


def has_drawn(answer: Answer) -> bool:
    """Return whether OpenGL drew a window, whatever became of the picture beside it."""
    return bool(answer.facts.get("drawn")) or answer.step == "picture"


def check_screen(answer: Answer, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Report that there is no display, nothing where there is one. `answer`: to "window"."""
    if answer.facts.get("display") is not False:
        return []
    command = invocation.format_command(*RENDER_WORDS)
    if not LINUX:
        why = "There is no desktop to open a window on."
    elif environment.get("DISPLAY"):
        why = f"No X server answers at {environment['DISPLAY']}, so no window can be opened; pictures can be drawn."
    elif environment.get("WAYLAND_DISPLAY"):
        why = "The window needs X11, which a Wayland desktop offers through XWayland."
        command = install_command("XWayland")
    else:
        why = "DISPLAY is not set (over SSH, `ssh -X` sets it), so no window can be opened; pictures can be drawn."
    return [Finding(TOPIC, "Display", "none", REMARK, why, command)]


def check_opengl(title: str, answer: Answer, works_in_software: bool, other_works: bool) -> list[Finding]:
    """Report OpenGL in a "Window" or "Offscreen"; nothing of a window where there is no display.

    `other_works`: OpenGL works in the other of the two. A failure offscreen is a problem only where no window opens.
    """
    if answer.facts.get("display") is False:
        return []
    if has_drawn(answer):
        return [_check_gpu_access(title, _name_renderer(answer))]
    reason = _find_reason(answer)
    if _is_untried(answer):
        return [Finding(TOPIC, title, "not tried", REMARK, f"It could not be tried: {reason}.")]
    if works_in_software:
        settings = [f"{name}={value}" for name, value in software_settings(title.lower()).items()]
        why = f"OpenGL does not start by itself ({reason}), but it does when Mesa draws in software."
        program = invocation.format_command(*([] if title == "Window" else ["--screenshot", "window.png"]))
        command = " ".join([*settings, program])
    elif title == "Window" and other_works:
        why = f"The display's own OpenGL does not start ({reason}): "
        why += "install the graphics card's driver, or write pictures without a window."
        command = invocation.format_command(*RENDER_WORDS)
    else:
        why = f"OpenGL does not start ({reason}): "
        why += "it needs Mesa's libEGL, libGL, libGLESv2 and drivers." if LINUX else "install the card's newest driver."
        command = install_command("libEGL", "libGL", "libGLESv2", "Mesa's drivers")
    state = REMARK if title == "Offscreen" and other_works else PROBLEM
    return [Finding(TOPIC, title, _name_trouble(answer), state, why, command)]


def _check_gpu_access(title: str, renderer: str) -> Finding:
    """Report OpenGL that works; a remark where it draws in software because the GPU may not be used."""
    nodes = [path for path in sorted(glob.glob("/dev/dri/renderD*")) if not os.access(path, os.R_OK | os.W_OK)]
    if title == "Offscreen" or not nodes or not SOFTWARE.search(renderer):
        return Finding(TOPIC, title, renderer)
    why = f"You may not use the GPU at {nodes[0]}, so the processor draws the window: log in again after this."
    return Finding(TOPIC, title, renderer, REMARK, why, 'sudo usermod -aG render "$USER"')


def check_beside_torch(shown: Answer, bare: Answer, alone: Answer, triton: tuple[str, str]) -> list[Finding]:
    """Report a model's picture in a process that has OpenGL.

    `shown`: to "window". `bare`: to "offscreen". `alone`: to "torch", where the picture is drawn without OpenGL.
    Mesa and `triton` (package and version, if installed) each bring an LLVM; the later one may crash (decision 020).
    """
    name = " ".join(filter(None, triton))
    failed = next((answer for answer in (shown, bare) if _find_picture_error(answer)), None)
    if failed is None:
        llvm = next((answer.facts["llvm"] for answer in (shown, bare) if answer.facts.get("llvm")), "")
        if not (llvm and name):
            return []
        why = "A process that loads triton after OpenGL may crash: Jinc never does, another program might."
        return [Finding(TOPIC, BESIDE_TORCH, f"draws a picture; Mesa brings {llvm}, torch {name}", OK, why)]
    if _find_picture_error(alone) or not alone.facts.get("picture"):
        return []  # OpenGL is not the cause, and there is another finding about it
    why = f"A first picture can be drawn, but not in a process that has OpenGL ({_find_picture_error(failed)})"
    command = invocation.format_command(*RENDER_WORDS)
    if failed.facts.get("llvm") and name:
        why += f", likely because {name} is loaded after Mesa's {failed.facts['llvm']}; Jinc needs no triton"
        command = invocation.quote_words(invocation.python_command(), "-m", "pip", "uninstall", triton[0])
    state = REMARK if failed is bare and has_drawn(shown) else PROBLEM
    return [Finding(TOPIC, BESIDE_TORCH, _name_trouble(failed), state, f"{why}.", command)]


def _find_picture_error(answer: Answer) -> str:
    """Return why a child drew no picture of a model, as a clause; "" if it did, or ended before it came to that."""
    if answer.trouble and answer.step == "picture":
        return _find_reason(answer)
    return as_clause(answer.facts.get("picture error") or (answer.facts.get("picture") or {}).get("error") or "")


def _is_untried(answer: Answer) -> bool:
    """Return whether it failed before it came to OpenGL: the finding about the packages says why."""
    return answer.step in ("start", "import")


def _name_trouble(answer: Answer) -> str:
    return "crashes" if "SIG" in answer.trouble else "hangs" if "answer" in answer.trouble else "does not work"


def _find_reason(answer: Answer) -> str:
    """Return why it failed, as a clause."""
    if answer.trouble:
        return f"the attempt {answer.trouble}"
    said = [found[1] for found in map(GLFW_ERROR.match, answer.noise) if found]
    return as_clause(said[-1] if said else answer.facts.get("error", "nothing was drawn"))


def _name_renderer(answer: Answer) -> str:
    version = re.sub(r"\(\w+ Profile\) ", "", str(answer.facts.get("version", "")))
    return f"{answer.facts.get('renderer', 'OpenGL')}, OpenGL {version}"


def check_extras(packages: Answer, shown: Answer) -> list[Finding]:
    """Report what the window can do without. `packages` and `shown`: to "packages" and "window"."""
    found = []
    if packages.facts.get("cjk font") is False:
        why = "File names in Chinese, Japanese or Korean are shown as question marks."
        found.append(
            Finding(TOPIC, "Fonts", "no East Asian letters", REMARK, why, install_command("East Asian letters"))
        )
    if LINUX and shown.facts.get("display") and not (shutil.which("zenity") or shutil.which("kdialog")):
        why = "The window cannot ask for a file; type a path, or drop a file on a picture."
        found.append(Finding(TOPIC, "File dialog", "none", REMARK, why, install_command("a file dialog")))
    return found
