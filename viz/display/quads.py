# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw textures into a window of one's own, where there is no imgui. With that window's context current."""

from typing import Any

VERTEX = """#version 150
uniform vec4 place;  // left, top, right, bottom, from -1 to 1, up
out vec2 at;
void main() {
    at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = vec4(mix(place.xy, place.zw, at), 0.0, 1.0);
}
"""
FRAGMENT = """#version 150
uniform sampler2D picture;
in vec2 at;
out vec4 colour;
void main() { colour = texture(picture, at); }
"""
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels from the window's upper left corner


class Quads:
    """Textured rectangles in a window of `size` (width, height), in pixels."""

    def __init__(self, gl: Any) -> None:
        self._gl = gl
        self._program = gl.glCreateProgram()
        for kind, source in ((gl.GL_VERTEX_SHADER, VERTEX), (gl.GL_FRAGMENT_SHADER, FRAGMENT)):
            shader = gl.glCreateShader(kind)
            gl.glShaderSource(shader, source)
            gl.glCompileShader(shader)
            gl.glAttachShader(self._program, shader)
            gl.glDeleteShader(shader)
        gl.glLinkProgram(self._program)
        if not gl.glGetProgramiv(self._program, gl.GL_LINK_STATUS):
            raise OSError("The second window's pictures cannot be drawn: the graphics driver refuses its program.")
        self._place = gl.glGetUniformLocation(self._program, "place")
        self._array = gl.glGenVertexArrays(1)  # arrays are not shared between contexts
        self.size = (1, 1)

    def begin(self, size: tuple[int, int], background: tuple[float, float, float]) -> None:
        """Start a frame of this size, filled with a colour from 0 to 1."""
        gl, self.size = self._gl, size
        gl.glViewport(0, 0, *size)
        gl.glDisable(gl.GL_SCISSOR_TEST)
        gl.glClearColor(*background, 1.0)
        gl.glClear(gl.GL_COLOR_BUFFER_BIT)
        gl.glEnable(gl.GL_SCISSOR_TEST)
        gl.glEnable(gl.GL_BLEND)
        gl.glBlendFunc(gl.GL_SRC_ALPHA, gl.GL_ONE_MINUS_SRC_ALPHA)
        gl.glUseProgram(self._program)
        gl.glBindVertexArray(self._array)
        gl.glActiveTexture(gl.GL_TEXTURE0)

    def draw(self, texture: int, square: Box, clip: Box) -> None:
        """Draw a whole texture over `square`, but nothing outside `clip`."""
        gl, (width, height) = self._gl, self.size
        self._clip(clip)
        left, top, right, bottom = square
        gl.glUniform4f(
            self._place, 2 * left / width - 1, 1 - 2 * top / height, 2 * right / width - 1, 1 - 2 * bottom / height
        )
        gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
        gl.glDrawArrays(gl.GL_TRIANGLE_STRIP, 0, 4)

    def fill(self, box: Box, colour: tuple[float, float, float]) -> None:
        """Fill a box with a colour."""
        self._clip(box)
        self._gl.glClearColor(*colour, 1.0)
        self._gl.glClear(self._gl.GL_COLOR_BUFFER_BIT)

    def _clip(self, box: Box) -> None:
        left, top, right, bottom = (round(edge) for edge in box)
        self._gl.glScissor(left, self.size[1] - bottom, max(0, right - left), max(0, bottom - top))

    def delete(self) -> None:
        """Free what is on the card."""
        self._gl.glDeleteVertexArrays(1, [self._array])
        self._gl.glDeleteProgram(self._program)
