# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Upload what the canvas shows, if it is new: both slots' pictures and their difference."""

from collections.abc import Mapping

from viz.canvas.canvas import Canvas
from viz.core.images import Pixels, size_of
from viz.core.result import RenderResult
from viz.core.state import SLOTS, AppState, Slot
from viz.display.texture import Texture, TextureHandle, Textures
from viz.render.difference import Difference, DifferenceImage
from viz.ui.context import PanelContext, Pictures


class CanvasUploads:
    """The canvas's textures. Only on the window's thread, with its context current."""

    def __init__(self, textures: Textures, difference: Difference) -> None:
        self.textures, self._difference = textures, difference
        self._compared: DifferenceImage | None = None

    def prepare(self, state: AppState, context: PanelContext, canvas: Canvas, scale: float) -> Pictures:
        """Return the textures that the canvas draws next; `scale` is screen pixels a pixel of the window."""
        results, nearest = context.drawn, state.canvas.nearest
        side = {slot: canvas.frames[slot].side * scale for slot in SLOTS}

        def upload(texture: Texture, pixels: Pixels, width: float) -> TextureHandle:
            milliseconds = texture.show(pixels, width, nearest=nearest)
            if milliseconds:
                context.timings.upload.append(milliseconds)
            return TextureHandle(texture.name, *size_of(pixels))

        def upload_result(texture: Texture, slot: Slot) -> TextureHandle | None:
            pixels = _choose(results[slot], side[slot], nearest)
            return None if pixels is None else upload(texture, pixels, side[slot])

        left, right = upload_result(self.textures.left, "left"), upload_result(self.textures.right, "right")
        shown = self.textures.left if left else self.textures.right
        context.machine.presented = (shown.path, shown.reason) if left or right else None
        self._compared = None
        if state.canvas.mode != "difference":
            self._difference.forget()
            return Pictures(left, right)
        width = 0.0 if nearest else side["left"]
        self._compared = self._difference.of(results["left"], results["right"], state.canvas.gain, width)
        if self._compared is None:
            return Pictures(left, right)
        difference = upload(self.textures.difference, self._compared.pixels, side["left"])
        return Pictures(left, right, difference, self._compared.rms)

    def prepare_beside(self, state: AppState, context: PanelContext, side: Mapping[Slot, float]) -> Pictures:
        """Return textures of the same pictures, each as wide as `side` says, in pixels: for another window."""

        def upload(name: str, pixels: Pixels | None, width: float) -> TextureHandle | None:
            return (
                None
                if pixels is None
                else self.textures.picture(f"beside {name}", pixels, width, nearest=state.canvas.nearest)
            )

        left, right = (
            upload(slot, _choose(context.drawn[slot], side[slot], state.canvas.nearest), side[slot]) for slot in SLOTS
        )
        compared = self._compared
        return Pictures(left, right, upload("difference", compared.pixels if compared else None, side["left"]))

    def take_pending(self) -> bool:
        """Return whether anything prepared since the last call must be prepared again to be seen."""
        return self.textures.take_pending() or self._difference.on_its_way


def _choose(result: RenderResult | None, width: float, nearest: bool) -> Pixels | None:
    """Return a result's pixels for a picture that is `width` pixels wide on screen: enlarged ones if it is larger."""
    if result is None or result.picture is None:
        return None
    is_enlarged = result.enlarged is not None and width > result.width and not nearest
    return result.enlarged if is_enlarged else result.picture
