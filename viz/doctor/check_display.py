# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check what is seen: the display, OpenGL in a window and without one, fonts, file dialogs."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from viz import invocation
from viz.doctor.check_python import pip_command
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding, as_clause, install_command, join_names
from viz.doctor.probe import Answer, ask

TOPIC = "Display"
BESIDE_TORCH = "Beside torch"
GL_STEP_SECONDS = 30.0  # that a graphics driver may take for a step
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
    answer = ask(question, limit=GL_STEP_SECONDS)
    if has_drawn(answer) or not LINUX or _is_untried(answer) or answer.facts.get("display") is False:
        return answer, False
    return answer, has_drawn(ask(question, software_settings(question), GL_STEP_SECONDS))


def has_drawn(answer: Answer) -> bool:
    """Return whether OpenGL drew a window, whatever became of the picture beside it."""
    return bool(answer.facts.get("drawn")) or answer.step == "picture"


def check_screen(answer: Answer, environment: Mapping[str, str] = os.environ) -> Finding:
    """Report whether there is a display. `answer`: to "window"."""
    name = environment.get("DISPLAY", "") if LINUX else "the desktop"
    if _is_untried(answer) or answer.facts.get("display"):
        return Finding(TOPIC, "Display", name or ("none" if _is_untried(answer) else "yes"))
    value, command = "none", invocation.format_command(*RENDER_WORDS)
    if not LINUX:
        why = "There is no desktop to open a window on."
    elif name:
        value = f"{name}, does not answer"
        why = f"No X server answers at {name}, so no window can be opened; pictures can be drawn."
    elif environment.get("WAYLAND_DISPLAY"):
        value, command = "Wayland, without X11", install_command("XWayland")
        why = "The window needs X11, which a Wayland desktop offers through XWayland."
    elif environment.get("SSH_CONNECTION"):
        why = "DISPLAY is not set: connect by `ssh -X` for a window; pictures can be drawn without."
    else:
        why = "DISPLAY is not set, so no window can be opened; pictures can be drawn."
    return Finding(TOPIC, "Display", value, REMARK, why, command)


def check_window(answer: Answer, works_in_software: bool, draws: bool) -> list[Finding]:
    """Report OpenGL in a window; nothing where there is no display. `draws`: it works in a window or offscreen."""
    if answer.facts.get("display") is False:
        return []
    if not has_drawn(answer) and draws and not works_in_software and not _is_untried(answer):
        why = f"The display's own OpenGL does not start ({_find_reason(answer)}): "
        why += "install the graphics card's driver, or write pictures without a window."
        command = invocation.format_command(*RENDER_WORDS)
        return [Finding(TOPIC, "Window", _name_trouble(answer), PROBLEM, why, command)]
    if not has_drawn(answer):
        return [_report_failed("Window", answer, works_in_software, PROBLEM)]
    nodes = [path for path in sorted(glob.glob("/dev/dri/renderD*")) if not os.access(path, os.R_OK | os.W_OK)]
    if nodes and SOFTWARE.search(_name_renderer(answer)):
        why = f"You may not use the GPU at {nodes[0]}, so the processor draws the window: log in again after this."
        command = f'sudo usermod -aG {_find_group(nodes[0])} "$USER"'
        return [Finding(TOPIC, "Window", _name_renderer(answer), REMARK, why, command)]
    return [Finding(TOPIC, "Window", _name_renderer(answer))]


def check_offscreen(answer: Answer, works_in_software: bool, has_window: bool) -> Finding:
    """Report OpenGL without a display; a problem only where no window opens either."""
    if has_drawn(answer):
        return Finding(TOPIC, "Offscreen", _name_renderer(answer))
    return _report_failed("Offscreen", answer, works_in_software, REMARK if has_window else PROBLEM)


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


def _report_failed(title: str, answer: Answer, works_in_software: bool, state: str) -> Finding:
    """Report OpenGL that does not start, in a "Window" or "Offscreen"."""
    reason = _find_reason(answer)
    if _is_untried(answer):
        return Finding(TOPIC, title, "not tried", REMARK, f"It could not be tried: {reason}.")
    if works_in_software:
        settings = [f"{name}={value}" for name, value in software_settings(title.lower()).items()]
        program = invocation.format_command(*([] if title == "Window" else ["--screenshot", "window.png"]))
        why = f"OpenGL does not start by itself ({reason}), but it does when Mesa draws in software."
        return Finding(TOPIC, title, _name_trouble(answer), state, why, " ".join([*settings, program]))
    command = install_command("libEGL", "libGL", "libGLESv2", "Mesa's drivers") if LINUX else ""
    how = (
        "install Mesa's libEGL, libGL, libGLESv2 and drivers" if LINUX else "install your graphics card's newest driver"
    )
    why = f"OpenGL does not start ({reason}): {'it needs these libraries' if command else how}."
    return Finding(TOPIC, title, _name_trouble(answer), state, why, command)


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


def _find_group(path: str) -> str:
    import grp

    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return "render"


def check_fonts(answer: Answer) -> list[Finding]:
    """Report the window's own fonts, and the one for East Asian letters. `answer`: to "packages"."""
    about = answer.facts.get("fonts")
    if not about:
        return []
    if about["missing"]:
        why = f"imgui-bundle was installed without {join_names(about['missing'])}, and the window needs them."
        command = pip_command("--force-reinstall", "--no-deps", "imgui-bundle")
        return [Finding(TOPIC, "Fonts", "incomplete", PROBLEM, why, command)]
    if about["cjk"]:
        return [Finding(TOPIC, "Fonts", f"the window's own, and {Path(about['cjk']).name}")]
    why = "File names in Chinese, Japanese or Korean are shown as question marks."
    value, command = "the window's own, none with East Asian letters", install_command("East Asian letters")
    return [Finding(TOPIC, "Fonts", value, REMARK, why, command)]


def check_file_dialog(has_display: bool) -> list[Finding]:
    """Report the program that asks for a file, on Linux."""
    if not LINUX or not has_display:
        return []
    program = next(filter(shutil.which, ("zenity", "kdialog")), "")
    if program:
        return [Finding(TOPIC, "File dialog", program)]
    why = "The window cannot ask for a file; type a path, or drop a file on a picture."
    return [Finding(TOPIC, "File dialog", "none", REMARK, why, install_command("a file dialog"))]
