# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Upload what the canvas shows, if it is new: both slots' pictures and their difference."""

from viz.canvas.canvas import Canvas
from viz.core.images import Pixels, size_of
from viz.core.result import RenderResult
from viz.core.state import SLOTS, AppState
from viz.display.texture import Texture, TextureHandle, Textures
from viz.render.difference import Difference
from viz.ui.context import PanelContext, Pictures


class CanvasUploads:
    """The canvas's textures. Only on the window's thread, with its context current."""

    def __init__(self, textures: Textures, difference: Difference) -> None:
        self.textures, self._difference = textures, difference

    def prepare(self, state: AppState, context: PanelContext, canvas: Canvas, scale: float) -> Pictures:
        """Return the textures that the canvas draws next; `scale` is screen pixels a pixel of the window."""
        results, nearest = context.results, state.canvas.nearest
        side = {slot: canvas.frames[slot].side * scale for slot in SLOTS}

        def upload(texture: Texture, pixels: Pixels, width: float) -> TextureHandle:
            milliseconds = texture.show(pixels, width, nearest=nearest)
            if milliseconds:
                context.timings.upload.append(milliseconds)
            return TextureHandle(texture.name, *size_of(pixels))

        def upload_result(texture: Texture, result: RenderResult | None, width: float) -> TextureHandle | None:
            if result is None or result.picture is None:
                return None
            enlarged = result.enlarged if width > result.width and not nearest else None
            return upload(texture, result.picture if enlarged is None else enlarged, width)

        left = upload_result(self.textures.left, results["left"], side["left"])
        right = upload_result(self.textures.right, results["right"], side["right"])
        shown = self.textures.left if left else self.textures.right
        context.machine.presented = (shown.path, shown.reason) if left or right else None
        if state.canvas.mode != "difference":
            self._difference.forget()
            return Pictures(left, right)
        width = 0.0 if nearest else side["left"]
        compared = self._difference.of(results["left"], results["right"], state.canvas.gain, width)
        if compared is None:
            return Pictures(left, right)
        return Pictures(left, right, upload(self.textures.difference, compared.pixels, side["left"]), compared.rms)

    def take_pending(self) -> bool:
        """Return whether anything prepared since the last call must be prepared again to be seen."""
        return self.textures.take_pending() or self._difference.on_its_way
