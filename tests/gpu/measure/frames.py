# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "frames": a drag through the renderer and into a texture, split into model and present; float16 against 32.

Models are untrained with the paper's channels, their input magnitudes calibrated: the arithmetic is that of trained
ones. tx changes every frame, and nothing else.
"""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, perf_counter

import numpy as np
import torch

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from viz.render.renderer import Renderer

from ..device import Choice, wait
from ..presenting import Presenter, Unavailable, begun, host_copy, precisions, presenting, rendered, request
from ..rows import Row, failed, row

# Letter, resolution, T's channel base and maximum: R doubles them.
CASES = (("T", 1024, 2**15, 512), ("R", 1024, 2**15, 512), ("T", 256, 2**14, 512), ("R", 256, 2**14, 512))
SMALL = (("T", 32, 512, 16),)
WARM, FRAMES, SECONDS = 8, 100, 6.0
LEAST = 50.0  # dB
PROBES = (0.0, 0.113, -0.27)  # tx of the pictures that precisions are compared on


def saved(folder: Path, case: tuple[str, int, int, int], device: torch.device) -> str:
    """A checkpoint's path. Calibrated on the device, which is faster."""
    letter, resolution, base, most = case
    config = rung_config(letter, resolution, channel_base=base, channel_max=most)  # which doubles R's
    generator = init_generator(config, calibrated=False).to(device)
    with torch.inference_mode():
        z = torch.randn(1, config.z_dim, generator=torch.Generator().manual_seed(0)).to(device)
        generator.synthesis.calibrate(generator.mapping(z))
    path = folder / f"{letter}-{resolution}.safetensors"
    save_generator(path, generator.cpu(), {})
    return str(path)


def psnr(a: np.ndarray, b: np.ndarray) -> float | None:
    """In dB, of 8-bit RGB; None where they are equal."""
    error = float(np.mean((a[..., :3].astype(np.float64) - b[..., :3]) ** 2))
    return None if error == 0 else 10 * float(np.log10(255**2 / error))


def pictures(path: str, device: torch.device, precision: str) -> list[np.ndarray]:
    renderer = Renderer()
    return [host_copy(rendered(renderer, request(path, str(device), tx, precision))) for tx in PROBES]


def drag(
    path: str, choice: Choice, precision: str, presenter: Presenter | None
) -> tuple[list[float], list[float], float | None, str]:
    """Milliseconds of (model, present) of each frame, waited for; then a frame's of many that are not waited for; and
    how the model ran."""
    renderer, device = Renderer(), choice.device
    model, present, until = [], [], 0.0
    frames, warm = (2, 1) if choice.small else (30 if choice.quick else FRAMES, WARM)
    for number in range(warm + frames):
        if number == warm:
            until = monotonic() + SECONDS
        start = perf_counter()
        result = rendered(renderer, request(path, str(device), 1e-3 * (number + 1), precision))
        if "synthesis" not in result.computed:
            raise RuntimeError("A frame was not drawn anew, so its time says nothing.")
        wait(device)
        middle = perf_counter()
        if presenter:
            presenter.show(result)
        end = perf_counter()
        if number >= warm:
            model.append(1e3 * (middle - start))
            present.append(1e3 * (end - middle))
            if monotonic() > until:
                break
    if presenter is None:
        return model, present, None, result.how
    start, count, before = perf_counter(), len(model), None
    for number in range(count):
        result = begun(renderer, request(path, str(device), 0.2 + 1e-3 * number, precision))
        presenter.begin(result)
        if before is not None and before.pending is not None:
            before.pending()  # one ahead at most
        before = result
    presenter.finish()
    return model, present, 1e3 * (perf_counter() - start) / count, result.how


def frame_row(
    case: tuple[str, int, int, int],
    path: str,
    choice: Choice,
    precision: str,
    presenter: Presenter | None,
    why: str,
    loss: float | None,
    equal: bool,
) -> Row:
    letter, resolution, base, most = case
    model, present, flowing, how = drag(path, choice, precision, presenter)
    ms, shown = statistics.median(model), statistics.median(present)
    title = f"{letter} {resolution}² ({base}/{most}{', doubled' if letter == 'R' else ''})"
    parts = f"model {ms:.3g} ms + present {shown:.3g} ms" if presenter else f"model {ms:.3g} ms, present not measured"
    flow = f"{1e3 / flowing:.0f} frames/s, one begun before the last is there." if flowing else ""
    notes = [flow, how, why, f"Texture by {presenter.path}." if presenter and presenter.path else ""]
    bar = met = None
    if precision == "float16":
        bar, met = f">= {LEAST:g} dB PSNR", equal or (loss is not None and loss >= LEAST)
        notes.insert(0, "The same picture as float32." if equal else f"PSNR {loss:.1f} dB to float32.")
    found = row(
        f"{title}, {precision}", ms + shown, against=parts, bar=bar or "", met=met, note=" ".join(filter(None, notes))
    )
    return {**found, "caveat": "" if presenter else "Ours ends before the texture."}


def frames(choice: Choice) -> Iterator[Row]:
    """Section "frames"."""
    cases = SMALL if choice.small else CASES[:1] if choice.quick else CASES
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        presenter, why = None, ""
        try:
            presenter = stack.enter_context(presenting())
        except Unavailable as problem:
            why = str(problem)
        for case in cases:
            try:
                yield from _case(case, Path(folder), choice, presenter, why)
            except Exception as problem:
                yield failed(f"{case[0]} {case[1]}²", problem)
            if not choice.small:
                torch.cuda.empty_cache()


def _case(case, folder: Path, choice: Choice, presenter: Presenter | None, why: str) -> Iterator[Row]:
    path, found, best = saved(folder, case, choice.device), [], None
    exact = None
    for precision in precisions(str(choice.device)):
        try:
            drawn = pictures(path, choice.device, precision)
            losses = [psnr(a, b) for a, b in zip(drawn, exact or drawn, strict=True)]
            exact = exact or drawn
            worst = min((loss for loss in losses if loss is not None), default=None)
            found.append(frame_row(case, path, choice, precision, presenter, why, worst, worst is None))
        except Exception as problem:
            found.append(failed(f"{case[0]} {case[1]}², {precision}", problem))
    times = [one for one in found if one["value"] and one["met"] is not False]
    if times:  # what an opponent is compared with: the fastest that is as good as claimed
        best = min(times, key=lambda one: one["value"])
        best["name"] = f"frame-{case[0]}-{case[1]}"
    yield from found
