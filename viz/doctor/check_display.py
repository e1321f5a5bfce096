# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on what is seen: display, OpenGL in a window and without one, fonts, file dialogs."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz import invocation
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding, install, listed
from viz.doctor.probe import Answer, ask

TOPIC = "Display"
BESIDE = "Beside torch"
LIMIT = 30.0  # seconds that a graphics driver may be silent
# What Linux needs and imgui-bundle does not carry itself -> the file to load.
LIBRARIES = {"libX11": "libX11.so.6", "libEGL": "libEGL.so.1", "libGL": "libGL.so.1", "libGLESv2": "libGLESv2.so.2"}
SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|software|GDI Generic", re.IGNORECASE)
GLFW_ERROR = re.compile(r"^Glfw Error \d+: (.+)$")
MESA_EGL = "/usr/share/glvnd/egl_vendor.d/50_mesa.json"
PICTURE = ("render", "--model", "t", "--seed", "0", "--out", "picture.png")  # needs no OpenGL
LINUX = sys.platform.startswith("linux")


def software(question: str) -> dict[str, str]:
    """Settings under which "window" or "offscreen" may work where it does not without: Mesa draws on the processor."""
    settings = {"LIBGL_ALWAYS_SOFTWARE": "1"}
    if question == "offscreen" and os.path.exists(MESA_EGL):
        settings["__EGL_VENDOR_LIBRARY_FILENAMES"] = MESA_EGL  # else another maker's may be taken
    return settings


def tried(question: str) -> tuple[Answer, bool]:
    """Ask "window" or "offscreen"; and whether, where it does not work, it does in software."""
    answer = ask(question, limit=LIMIT)
    if opens(answer) or not LINUX or _untried(answer) or answer.facts.get("display") is False:
        return answer, False
    return answer, opens(ask(question, software(question), LIMIT))


def opens(answer: Answer) -> bool:
    """Whether OpenGL drew a window, whatever became of the picture beside it."""
    return bool(answer.facts.get("drawn")) or answer.step == "picture"


def display(answer: Answer, environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether there is a screen. `answer`: to "window"."""
    name = environment.get("DISPLAY", "") if LINUX else "the desktop"
    if _untried(answer):
        return Finding(TOPIC, "Display", name or "none", OK)
    if answer.facts.get("display"):
        return Finding(TOPIC, "Display", name or "yes")
    instead = invocation.command(*PICTURE)
    if not LINUX:
        return Finding(TOPIC, "Display", "none", REMARK, "There is no desktop to open a window on.", instead)
    if name:
        why = f"No X server answers at {name}, so no window can be opened; pictures can be drawn."
        return Finding(TOPIC, "Display", f"{name}, does not answer", REMARK, why, instead)
    if environment.get("WAYLAND_DISPLAY"):
        why = "The window speaks X11, which this Wayland desktop offers through XWayland only."
        return Finding(TOPIC, "Display", "Wayland, without X11", REMARK, why, install("XWayland"))
    why = "DISPLAY is not set, so no window can be opened; pictures can be drawn."
    if environment.get("SSH_CONNECTION"):
        why = "DISPLAY is not set: come by `ssh -X` for a window; pictures can be drawn without."
    return Finding(TOPIC, "Display", "none", REMARK, why, instead)


def window(answer: Answer, saved: bool, draws: bool) -> list[Finding]:
    """OpenGL in a window; nothing where there is no display.

    `saved`: it works in software. `draws`: without a display it works.
    """
    if answer.facts.get("display") is False:
        return []
    if not opens(answer) and draws and not saved and not _untried(answer):
        why = f"The display's own OpenGL does not start ({_reason(answer)}): install the graphics card's driver, "
        return [
            Finding(
                TOPIC,
                "Window",
                _trouble(answer),
                PROBLEM,
                f"{why}or write pictures without a window.",
                invocation.command(*PICTURE),
            )
        ]
    if not opens(answer):
        return [_failed("Window", answer, "window" if saved else "", PROBLEM)]
    nodes = [path for path in sorted(glob.glob("/dev/dri/renderD*")) if not os.access(path, os.R_OK | os.W_OK)]
    if nodes and SOFTWARE.search(_renderer(answer)):
        why = f"You may not use the GPU at {nodes[0]}, so the processor draws the window (log in anew afterwards)."
        command = f'sudo usermod -aG {_group(nodes[0])} "$USER"'
        return [Finding(TOPIC, "Window", _renderer(answer), REMARK, why, command)]
    return [Finding(TOPIC, "Window", _renderer(answer))]


def offscreen(answer: Answer, saved: bool, has_window: bool) -> Finding:
    """OpenGL without a display; a problem only where nothing else draws."""
    if opens(answer):
        return Finding(TOPIC, "Offscreen", _renderer(answer))
    return _failed("Offscreen", answer, "offscreen" if saved else "", REMARK if has_window else PROBLEM)


def beside(shown: Answer, bare: Answer, alone: Answer, triton: tuple[str, str]) -> list[Finding]:
    """A model's picture in a process that has OpenGL: `shown` to "window", `bare` to "offscreen"; `alone` to "torch".

    Mesa and `triton` (package and version, if installed) each bring an LLVM; the later one may crash (decision 020).
    """
    name = " ".join(filter(None, triton))
    failed = next((answer for answer in (shown, bare) if _undrawn(answer)), None)
    if failed is None:
        llvm = next((answer.facts["llvm"] for answer in (shown, bare) if answer.facts.get("llvm")), "")
        if not (llvm and name):
            return []
        why = "A process that loads triton after OpenGL may crash: Jinc never does, another program might."
        return [Finding(TOPIC, BESIDE, f"draws a picture; Mesa brings {llvm}, torch {name}", OK, why)]
    if _undrawn(alone) or not alone.facts.get("picture"):
        return []  # it is not OpenGL's doing, and has a finding of its own
    state = REMARK if failed is bare and opens(shown) else PROBLEM
    why = f"A first picture can be drawn, but not in a process that has OpenGL ({_undrawn(failed)})"
    if not (failed.facts.get("llvm") and name):
        return [Finding(TOPIC, BESIDE, _trouble(failed), state, f"{why}.", invocation.command(*PICTURE))]
    cause = f"likely because {name} is loaded after Mesa's {failed.facts['llvm']}"
    command = invocation.line(invocation.python(), "-m", "pip", "uninstall", triton[0])
    return [Finding(TOPIC, BESIDE, _trouble(failed), state, f"{why}, {cause}; Jinc needs no triton.", command)]


def _undrawn(answer: Answer) -> str:
    """Why a child drew no picture of a model, as a clause; "" if it did, or ended before it came to that."""
    if answer.trouble and answer.step == "picture":
        return _reason(answer)
    error = answer.facts.get("picture error") or (answer.facts.get("picture") or {}).get("error")
    return str(error or "")[:200].rstrip(".")


def _untried(answer: Answer) -> bool:
    """Whether it failed before it came to OpenGL: the finding about the packages says why."""
    return answer.step in ("start", "import")


def _failed(title: str, answer: Answer, saved_as: str, state: str) -> Finding:
    if _untried(answer):
        return Finding(TOPIC, title, "not tried", REMARK, f"It could not be tried: {_reason(answer)}.")
    value = _trouble(answer)
    if saved_as:
        settings = [f"{name}={setting}" for name, setting in software(saved_as).items()]
        program = invocation.command(*([] if saved_as == "window" else ["--screenshot", "window.png"]))
        why = f"OpenGL does not start by itself ({_reason(answer)}), but it does when Mesa draws in software."
        return Finding(TOPIC, title, value, state, why, " ".join([*settings, program]))
    why = f"OpenGL does not start ({_reason(answer)})"
    if not LINUX:
        return Finding(TOPIC, title, value, state, f"{why}: install your graphics card's newest driver.")
    known = install("libEGL", "libGL", "libGLESv2", "Mesa's drivers")
    how = "it needs these libraries" if known else "install Mesa's libEGL, libGL, libGLESv2 and drivers"
    return Finding(TOPIC, title, value, state, f"{why}: {how}.", known)


def _trouble(answer: Answer) -> str:
    return "crashes" if "SIG" in answer.trouble else "hangs" if "answer" in answer.trouble else "does not work"


def _reason(answer: Answer) -> str:
    """Why it failed, as a clause."""
    if answer.trouble:
        return f"the attempt {answer.trouble}"
    said = [found[1] for found in map(GLFW_ERROR.match, answer.noise) if found]
    return (said[-1] if said else str(answer.facts.get("error", "nothing was drawn")))[:200].rstrip(".")


def _renderer(answer: Answer) -> str:
    version = re.sub(r"\(\w+ Profile\) ", "", str(answer.facts.get("version", "")))
    return f"{answer.facts.get('renderer', 'OpenGL')}, OpenGL {version}"


def _group(path: str) -> str:
    import grp

    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return "render"


def libraries(answer: Answer, works: bool) -> list[Finding]:
    """OpenGL's shared libraries, on Linux. `works`: something draws all the same. `answer`: to "packages"."""
    state = answer.facts.get("libraries")
    if not state:
        return []
    missing = [name for name, error in state.items() if error]
    if not missing:
        return [Finding(TOPIC, "GL libraries", ", ".join(state))]
    why = "OpenGL comes from these libraries."
    return [
        Finding(
            TOPIC,
            "GL libraries",
            f"not found: {listed(missing)}",
            REMARK if works else PROBLEM,
            why,
            install(*missing, "Mesa's drivers"),
        )
    ]


def fonts(answer: Answer) -> list[Finding]:
    """The window's own fonts, and one for what they lack. `answer`: to "packages"."""
    about = answer.facts.get("fonts")
    if not about:
        return []
    if about["missing"]:
        from viz.doctor.check_python import pip

        why = f"imgui-bundle was installed without {listed(about['missing'])}, and the window needs them."
        again = pip("--force-reinstall", "--no-deps", "imgui-bundle")
        return [Finding(TOPIC, "Fonts", "incomplete", PROBLEM, why, again)]
    if about["cjk"]:
        return [Finding(TOPIC, "Fonts", f"the window's own, and {Path(about['cjk']).name}")]
    why = "The names of files in Chinese, Japanese or Korean are shown as question marks."
    value = "the window's own, none with East Asian letters"
    return [Finding(TOPIC, "Fonts", value, REMARK, why, install("East Asian letters"))]


def dialogs(has_display: bool, found: Sequence[str] | None = None) -> list[Finding]:
    """What asks for a file, on Linux. `found`: the programs that can."""
    if not LINUX or not has_display:
        return []
    names = [name for name in ("zenity", "kdialog") if shutil.which(name)] if found is None else list(found)
    if names:
        return [Finding(TOPIC, "File dialog", names[0])]
    why = "The window cannot ask for a file; a path can be typed, and files can be dropped on a picture."
    return [Finding(TOPIC, "File dialog", "none", REMARK, why, install("a file dialog"))]
