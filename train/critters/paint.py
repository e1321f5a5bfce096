# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Paint a critter in linear light, back to front: body, ears, head, face, and the soft backdrop behind them all.

Each part is evaluated on the window of samples it covers, in coordinates of its own. The head is a spherical cap:
a sample's normal gives the light, and the normal, turned by yaw and pitch and projected stereographically, gives the
face coordinates in which fur, markings, eyes and mouth are drawn, so that all of them sit on one surface.
"""

import math

import numpy as np

from train.critters.patterns import body_markings, face_markings, spikes, strands
from train.critters.species import Critter
from train.critters.texture import FILTER_RADIUS, Array, bell, downsample, encode_srgb, mix, rotate, smoothstep

Window = tuple[slice, slice]
Light = tuple[float, float, float]

_KEY = np.array([0.86, 0.80, 0.72], np.float32)
_SKY = np.array([0.30, 0.33, 0.38], np.float32)
_DARK = np.array([0.012, 0.010, 0.010], np.float32)
_WHITE = np.array([1.0, 1.0, 0.98], np.float32)
# Sine of the angle from the cap's middle to its rim: below one, so that coordinates stay smooth past the outline.
_CAP = 0.85
# How much of the marking's colour the ears have, by pattern.
_MARKED_EARS = {"panda": 1.0, "points": 0.9, "fox": 0.85, "mask": 0.5, "tiger": 0.7, "spots": 0.6}


class Canvas:
    """Supersampled premultiplied colour [S, S, 3] and cover [S, S], with the filter's margin around the picture."""

    def __init__(self, size: int, factor: int) -> None:
        self.size, self.factor = size, factor
        self.pitch = 1 / (size * factor)
        count = (size + 2 * FILTER_RADIUS - 1) * factor
        self.at = ((np.arange(count) + 0.5) * self.pitch - (FILTER_RADIUS - 0.5) / size).astype(np.float32)
        self.colour = np.zeros((count, count, 3), np.float32)
        self.cover = np.zeros((count, count), np.float32)

    def window(self, x: float, y: float, reach: float) -> Window:
        """Return the samples within `reach` image widths of (x, y) along both axes, at least one of them."""
        low, high = (np.searchsorted(self.at, [v - reach, v + reach]) for v in (x, y)), self.at.size
        columns, rows = (slice(min(a, high - 1), max(b, min(a, high - 1) + 1)) for a, b in low)
        return rows, columns

    def local(self, window: Window, x: float, y: float, unit: float, degrees: float) -> tuple[Array, Array]:
        """Return a window's samples in a frame at (x, y), scaled by `unit`, turned clockwise by `degrees`."""
        dy, dx = ((self.at[window[0]] - y) / unit)[:, None], ((self.at[window[1]] - x) / unit)[None, :]
        return rotate(dx, dy, math.radians(degrees))

    def paint(self, window: Window, colour: Array, alpha: Array) -> None:
        """Put a colour, [3] or [h, w, 3], over a window with alpha [h, w]."""
        keep = 1 - alpha
        self.colour[window] = self.colour[window] * keep[..., None] + colour * alpha[..., None]
        self.cover[window] = self.cover[window] * keep + alpha


def _rotate_light(light: Light, degrees: float) -> Light:
    """Return the light's direction in a frame turned clockwise by `degrees`."""
    return (*rotate(light[0], light[1], math.radians(degrees)), light[2])


def _shade(albedo: Array, normal: tuple[Array, Array, Array], light: Light, open_sky: Array) -> Array:
    """Light an albedo: wrapped diffuse light (fur scatters it past the terminator), sky light and a thin bright rim."""
    nx, ny, nz = normal
    length = np.sqrt(nx**2 + ny**2 + nz**2) + np.float32(1e-6)
    facing = (nx * light[0] + ny * light[1] + nz * light[2]) / length
    key = np.maximum((facing + 0.35) / 1.35, 0) * (0.35 + 0.65 * open_sky)
    sky = (0.75 - 0.25 * ny / length) * open_sky
    rim = smoothstep(0.62, 0.30, nz / length) * np.maximum(facing + 0.3, 0) * 0.22
    colour = albedo * (key[..., None] * _KEY + sky[..., None] * _SKY)
    return colour + rim[..., None] * (0.4 * albedo + 0.12) * _KEY


def _fur_albedo(critter: Critter, marks: tuple[Array, Array], fur: Array) -> Array:
    """Return the albedo of furry skin: coat, markings, light parts, each strand a little lighter, darker or warmer."""
    coat = critter.coat
    albedo = mix(mix(coat.base + np.zeros(fur.shape + (3,), np.float32), coat.mark, marks[0]), coat.light, marks[1])
    tone = np.exp(np.float32(0.46 * critter.traits["contrast"]) * fur)
    return albedo * tone[..., None] ** np.array([0.9, 1.0, 1.1], np.float32)


def _paint_body(canvas: Canvas, critter: Critter) -> None:
    unit, height = critter.scale / 2, critter.species.height * critter.traits["height"]
    tilt = math.radians(critter.tilt)
    # The neck hangs at the head's chin, and the body leans less than the head does.
    neck_x = critter.x - 0.45 * height * unit * math.sin(tilt)
    neck_y = critter.y + 0.45 * height * unit * math.cos(tilt)
    wide, high = 0.92 * critter.traits["body"] * (0.9 if critter.species.ears == "long" else 1.0), 1.9
    window = canvas.window(neck_x, neck_y + unit * high, unit * 2.4)
    x, y = canvas.local(window, neck_x, neck_y, unit, critter.lean)
    ex, ey = x / wide, (y - high) / high
    reach = np.sqrt(ex**2 + ey**2)
    angle, radius = np.arctan2(x, y + 0.6), np.sqrt(x**2 + (y + 0.6) ** 2)
    angle = angle + 0.10 * critter.noise(2 * x + 7, 2 * y + 7, 44)
    fur = strands(critter.noise, angle, radius, 20, critter.thickness * canvas.pitch / unit)
    edge = 1 + 0.13 * critter.species.fur / 0.1 * (spikes(critter.noise, 3 * ey - 2 * reach, reach - 1, 26) - 0.6)
    soft = 0.4 / (canvas.size * unit * wide)
    alpha = smoothstep(-soft, soft, edge - reach)
    head_x, head_y = canvas.local(window, critter.x, critter.y, unit, critter.tilt)
    shadow = np.sqrt(head_x**2 + (head_y / height) ** 2)
    depth = np.sqrt(np.maximum(1 - 0.85 * reach**2, 0.04))
    albedo = _fur_albedo(critter, body_markings(critter, x, y, fur), fur)
    normal = (0.92 * ex, 0.5 * ey, depth)
    open_sky = 0.28 + 0.72 * smoothstep(0.85, 1.75, shadow - 0.12 * head_y)
    canvas.paint(window, _shade(albedo, normal, _rotate_light(critter.light, critter.lean), open_sky), alpha)


def _ear_depth(kind: str, s: Array, t: Array) -> Array:
    """Return the depth inside an ear's outline, positive inside: s across, in half widths, t from base to tip."""
    if kind == "round":
        return 1 - np.sqrt(s**2 + (2 * t - 1) ** 2)
    if kind == "long":
        profile = 1.9 * np.sqrt(np.maximum(t + 0.12, 0) * np.maximum(1 - t, 0)) * (0.86 + 0.2 * t)
    else:
        profile = 1.15 * np.maximum(1 - t, 0) ** 0.85 * (0.9 + 0.45 * np.maximum(t, 0))
    return profile - np.abs(s) - 3 * np.maximum(-t - 0.3, 0) - 4 * np.maximum(t - 0.96, 0)


def _paint_ear(canvas: Canvas, critter: Critter, side: int) -> None:
    species, traits, unit = critter.species, critter.traits, critter.scale / 2
    name = "left" if side < 0 else "right"
    length = species.ear_length * traits["ears"]
    # The ear on the far side is seen more from its edge.
    width = species.ear_width * traits["ear_width"] * (1 - 0.30 * max(side * math.sin(critter.yaw), 0))
    at, lean = math.radians(species.ear_at), side * (species.ear_lean + traits[f"lean_{name}"])
    bend = 0.25 * traits[f"bend_{name}"]
    if species.ears == "long":
        bend += side * (1.1 if traits["flop"] in (2, side) else 0.12)
    inset = 0.92 if species.ears == "tuft" else 0.80
    base_x, base_y = side * inset * math.sin(at), -inset * species.height * traits["height"] * math.cos(at)
    offset_x, offset_y = rotate(base_x, base_y, -math.radians(critter.tilt))
    x0, y0 = critter.x + unit * offset_x, critter.y + unit * offset_y
    # The window is centred half way up the ear; a bend takes the tip out of its reach sideways.
    up = math.radians(critter.tilt + lean)
    reach = unit * (length * (0.62 + 0.8 * abs(bend)) + 0.75 * width + 0.12)
    window = canvas.window(x0 + 0.5 * unit * length * math.sin(up), y0 - 0.5 * unit * length * math.cos(up), reach)
    across, down = canvas.local(window, x0, y0, unit, critter.tilt + lean)
    s, t = across / width, -down / length
    s = s - (bend * length / width) * np.maximum(t, 0) ** 2
    depth = _ear_depth(species.ears, s, t)
    around = np.arctan2(s, t - 0.35)
    fray = spikes(critter.noise, around + 0.4 * side, depth, 50 + side)
    soft = 0.4 / (canvas.size * unit * width)
    alpha = smoothstep(-soft, soft, depth + 1.1 * species.fur * (fray - 0.65))
    fan, far = np.arctan2(s * width, t * length + 0.5), np.hypot(s * width, t * length + 0.5)
    fur = strands(critter.noise, 2 * fan + 1, 1.2 * far, 54 + 6 * side, critter.thickness * canvas.pitch / unit)
    marked = _MARKED_EARS.get(critter.pattern, 0.12)
    top = smoothstep(0.30, 0.75, t + 0.06 * fur) if critter.pattern == "fox" else np.ones_like(t)
    pale = 0.8 if critter.pattern == "redpanda" else 0.0
    albedo = _fur_albedo(critter, (marked * top, pale * np.ones_like(t)), fur)
    if species.ears != "tuft":
        inner = smoothstep(0.22, 0.50, depth + 0.07 * fur) * smoothstep(0.95, 0.7, t)
        hollow = 0.55 * critter.coat.skin + 0.45 * critter.coat.skin * (0.4 + 0.6 * critter.coat.base)
        if critter.pattern == "panda" or critter.coat.name == "black":
            hollow = 0.45 * hollow
        tone = 0.55 + 0.45 * smoothstep(0.0, 0.8, t)
        albedo = mix(albedo, hollow * (tone * np.exp(0.12 * fur))[..., None], 0.9 * inner)
        tuft = smoothstep(0.55, 0.1, t + 0.25 * np.abs(s) - 0.12 * fur) * inner
        albedo = mix(albedo, 0.8 * critter.coat.light, 0.55 * tuft)
    normal = (0.75 * s, -0.2 + 0.4 * (0.5 - t), np.full_like(s, 0.8))
    open_sky = 0.45 + 0.55 * smoothstep(0.0, 0.55, t)
    canvas.paint(window, _shade(albedo, normal, _rotate_light(critter.light, critter.tilt + lean), open_sky), alpha)


def _face_coordinates(critter: Critter, nx: Array, ny: Array, nz: Array, height: float) -> tuple[Array, Array]:
    """Return stereographic coordinates of the turned normals: an unturned head's rim is about one from the middle."""
    fx, fz = rotate(nx, nz, -critter.yaw)
    fy, fz = rotate(ny, fz, -critter.pitch)
    grow = np.float32(1.8) / (1 + np.maximum(fz, -0.3))
    return fx * grow, fy * grow * np.float32(height)


def _tip_normals(critter: Critter, qx: Array, qy: Array, nx: Array, ny: Array) -> tuple[Array, Array]:
    """Return normals tipped by the gradients of the face's relief: the muzzle bulges, the eyes lie in hollows."""
    species, eye_y = critter.species, _eye_y(critter)
    bumps = [
        (0.0, 0.42, 0.34 * species.muzzle / 0.3, 0.26, 0.20 * (species.muzzle > 0)),
        (-species.eye_gap, eye_y, 1.3 * species.eyes, 1.3 * species.eyes, -0.10),
        (species.eye_gap, eye_y, 1.3 * species.eyes, 1.3 * species.eyes, -0.10),
    ]
    tip_x, tip_y = nx.copy(), ny.copy()
    for cx, cy, wide, high, rise in bumps:
        if rise:
            bump = np.float32(2 * rise) * bell(qx - cx, qy - cy, wide, high)
            tip_x += bump * (qx - cx) / np.float32(wide**2)
            tip_y += bump * (qy - cy) / np.float32(high**2)
    return tip_x, tip_y


def _paint_head(canvas: Canvas, critter: Critter) -> None:
    species, traits, unit = critter.species, critter.traits, critter.scale / 2
    height = species.height * traits["height"]
    window = canvas.window(critter.x, critter.y, 1.32 * unit)
    x, y = canvas.local(window, critter.x, critter.y, unit, critter.tilt)
    ex, ey = x, y / np.float32(height)
    reach = np.sqrt(ex**2 + ey**2) + np.float32(1e-4)
    slope = np.arctan2(ey, np.abs(ex))
    outline = 1 + traits["cheeks"] * species.cheeks * np.exp(-(((slope - 0.42) / 0.42) ** 2))
    outline = outline - species.taper * smoothstep(0.75, 1.57, slope) - 0.04 * smoothstep(-0.9, -1.57, slope)
    rim = np.minimum(reach / outline, 1.12)
    nx, ny = (np.float32(_CAP) * v / reach * rim for v in (ex, ey))
    nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0.02))
    qx, qy = _face_coordinates(critter, nx, ny, nz, height)

    comb_y = qy - np.float32(0.25)
    radius = np.sqrt(qx**2 + comb_y**2)
    angle = np.arctan2(qx, -comb_y)
    angle = angle + 0.09 * critter.noise(2.5 * qx + 9, 2.5 * qy + 9, 1) + np.float32(traits["swirl"]) * radius
    pitch = critter.thickness * canvas.pitch / unit
    fur = strands(critter.noise, angle, radius, 2, pitch) * (0.35 + 0.65 * smoothstep(0.12, 0.55, radius))
    marks = face_markings(critter, qx, qy, fur)
    albedo = _fur_albedo(critter, marks, fur)
    crown = smoothstep(0.1, -1.0, qy)
    albedo = albedo * (1 - 0.16 * crown)[..., None]

    eye_y = _eye_y(critter)
    tip_x, tip_y = _tip_normals(critter, qx, qy, nx, ny)
    sockets = bell(np.abs(qx) - species.eye_gap, qy - eye_y, 1.35 * species.eyes, 1.25 * species.eyes)
    open_sky = (1 - 0.30 * sockets) * (0.72 + 0.28 * smoothstep(1.08, 0.80, rim))
    colour = _shade(albedo, (tip_x, tip_y, nz), _rotate_light(critter.light, critter.tilt), open_sky)

    fray = spikes(critter.noise, np.arctan2(ex, -ey) + np.float32(0.3 * traits["shift"]), reach - 1, 8)
    length = 1.3 * species.fur * traits["fur"] * (0.75 + 0.5 * smoothstep(-0.5, 0.8, slope))
    soft = 0.4 / (canvas.size * unit)
    alpha = smoothstep(-soft, soft, outline + length * (fray - 0.65) - reach)
    colour = _paint_face(critter, colour, qx, qy, soft)
    canvas.paint(window, colour, alpha)


def _eye_y(critter: Critter) -> float:
    return -0.06 + critter.traits["eye_y"]


def _paint_face(critter: Critter, colour: Array, x: Array, y: Array, soft: float) -> Array:
    """Return the head's colour with eyes, and nose and mouth or a beak, in face coordinates."""
    for side in (-1, 1):
        colour = _paint_eye(critter, colour, x, y, side, soft)
    if critter.species.name == "owl":
        return _paint_beak(critter, colour, x, y, soft)
    return _paint_snout(critter, colour, x, y, soft)


def _paint_eye(critter: Critter, colour: Array, x: Array, y: Array, side: int, soft: float) -> Array:
    species, traits = critter.species, critter.traits
    size = species.eyes * traits["eyes"]
    u = (x - side * species.eye_gap * traits["eye_gap"]) / np.float32(size)
    v = (y - _eye_y(critter)) / np.float32(size)
    slant = np.float32(species.slant * side)
    u, v = u - slant * v, v + slant * u
    soft = soft / size
    disc = np.sqrt(u**2 + v**2)
    # Lids: the upper one comes down to `lids`, the corners are drawn out a little.
    lid = np.float32(traits["lids"])
    ball = np.maximum(disc, -v / lid + np.float32(0.16) * u**2)
    rim = smoothstep(1.22 + soft, 1.08 - soft, ball)
    colour = mix(colour, _DARK + 0.05 * critter.coat.mark, rim)
    iu, iv = u - np.float32(critter.gaze[0]), v - np.float32(critter.gaze[1])
    iris = np.sqrt(iu**2 + iv**2)
    fibres = critter.noise(np.arctan2(iu, iv) * np.float32(24 / (2 * np.pi)), 1.5 * iris, 60, 24)
    glow = (0.42 + 0.55 * smoothstep(-0.7, 0.9, iv) + 0.14 * fibres) * (1 - 0.75 * smoothstep(0.72, 1.0, iris))
    ball_colour = critter.coat.iris * glow[..., None]
    wide = 0.26 if critter.slit else 0.56
    pupil = np.sqrt((iu / wide) ** 2 + (iv / (0.78 if critter.slit else 0.56)) ** 2)
    ball_colour = mix(ball_colour, _DARK, smoothstep(1 + soft / wide, 0.9 - soft / wide, pupil))
    shade = 0.45 + 0.55 * smoothstep(-0.9, -0.2, v + 0.3 * (1 - lid))
    ball_colour = ball_colour * shade[..., None]
    light = _rotate_light(critter.light, critter.tilt)
    hx, hy = 0.42 * light[0], -0.14 + 0.36 * light[1]
    spark = smoothstep(0.27 + soft, 0.17 - soft, np.sqrt((u - hx) ** 2 + (v - hy) ** 2))
    spark = spark + 0.30 * bell(u + 0.9 * hx, v + 0.7 * hy - 0.1, 0.20, 0.16)
    ball_colour = mix(ball_colour, _WHITE, np.minimum(spark, 1))
    return mix(colour, ball_colour, smoothstep(1 + soft, 0.94 - soft, ball))


def _paint_snout(critter: Critter, colour: Array, x: Array, y: Array, soft: float) -> Array:
    species, traits = critter.species, critter.traits
    wide = species.nose * traits["nose"]
    high = 0.72 * wide if species.name != "koala" else 1.25 * wide
    top = 0.29 if species.name != "koala" else 0.22
    u, v = x / np.float32(wide), (y - np.float32(top)) / np.float32(high)
    # Mouth: a short line down from the nose, then an arc to each side.
    line = max(0.016, 0.55 * soft)
    strength = 0.85 * 0.016 / line
    start, reach = top + high, 0.62 * species.muzzle * traits["smile"]
    deep = start + 0.085
    stem = smoothstep(start - 0.02, start, y) * smoothstep(deep + 0.01, deep - 0.01, y)
    stem = bell(x, np.zeros_like(x), line, 1) * stem
    part = np.clip(np.abs(x) / np.float32(reach), 0, 1.2)
    arc = deep + 0.30 * reach * np.sin(np.pi * np.minimum(part, 1)) * (1 - 0.35 * part) - 0.02 * part
    smile = bell(y - arc, np.zeros_like(x), line, 1) * smoothstep(1.06, 0.9, part)
    if traits["open"]:
        chin = deep + 0.26 * traits["open"] * species.muzzle / 0.3
        mouth = np.minimum(y - arc, chin - y - 0.9 * x**2 / reach)
        inside = smoothstep(-soft, soft, mouth) * smoothstep(0.62, 0.5, part)
        tongue = mix(
            np.array([0.10, 0.02, 0.02], np.float32) + np.zeros_like(colour),
            0.9 * critter.coat.skin,
            smoothstep(1.0, 0.8, np.sqrt((x / (0.4 * reach)) ** 2 + ((y - chin) / 0.13) ** 2)),
        )
        colour = mix(colour, tongue, inside)
    colour = mix(colour, 0.25 * critter.coat.mark + _DARK, np.minimum(strength * np.maximum(stem, smile), 1))
    taper = 1 - 0.42 * smoothstep(-0.5, 1.0, v)
    shape = np.sqrt(np.abs(u / taper) ** 2.4 + np.abs(v) ** 2.2)
    light = _rotate_light(critter.light, critter.tilt)
    tone = 0.75 + 0.35 * smoothstep(0.8, -0.8, v) + 0.15 * light[0] * u
    gleam = 0.55 * bell(u - 0.3 * light[0], v + 0.45, 0.34, 0.22)
    nose = critter.coat.nose * tone[..., None] + gleam[..., None] * _WHITE * (0.35 + 0.5 * critter.coat.nose)
    nostril = smoothstep(0.24, 0.12, np.sqrt((np.abs(u) - 0.40) ** 2 + (v - 0.28) ** 2))
    nose = mix(nose, 0.15 * critter.coat.nose, 0.8 * nostril)
    return mix(colour, nose, smoothstep(1 + soft / wide, 0.92 - soft / wide, shape))


def _paint_beak(critter: Critter, colour: Array, x: Array, y: Array, soft: float) -> Array:
    wide = critter.species.nose * critter.traits["nose"]
    v = (y - 0.10) / np.float32(3.2 * wide)
    half = np.maximum(np.sin(np.pi * np.clip(v + 0.12, 0, 1) ** 0.75), 0) ** 0.8 * wide
    inside = half - np.abs(x)
    tone = 1.15 - 0.75 * np.clip(v, 0, 1) - 0.5 * smoothstep(0.3, 1.0, np.abs(x) / np.maximum(half, 1e-3))
    beak = critter.coat.nose * tone[..., None] + 0.35 * bell(x, v - 0.28, 0.3 * wide, 0.16)[..., None] * _WHITE
    colour = colour * (1 - 0.35 * bell(x, y - 0.30, 1.6 * wide, 0.26))[..., None]
    return mix(colour, beak, smoothstep(-soft, soft, inside) * (v > -0.12) * (v < 0.88))


def _backdrop(critter: Critter, size: int) -> Array:
    """Return the soft background [size, size, 3], smooth enough to be evaluated at the picture's own pixels."""
    at = ((np.arange(size) + 0.5) / size).astype(np.float32)
    x, y = np.broadcast_arrays(at[None, :], at[:, None])
    along = math.cos(critter.slope) * (x - 0.5) + math.sin(critter.slope) * (y - 0.5)
    along = along + 0.12 * critter.noise(2 * x + 11, 2 * y + 11, 61)
    first, second = critter.coat.backdrop
    picture = mix(first + np.zeros(x.shape + (3,), np.float32), second, smoothstep(-0.55, 0.55, along))
    for (cx, cy, radius, strength), colour in zip(critter.blobs, critter.coat.bokeh, strict=False):
        disc = smoothstep(1.0, 0.45, np.hypot(x - cx, y - cy) / np.float32(radius))
        picture = mix(picture, colour, np.float32(0.75 * strength) * disc)
    return picture


def paint(critter: Critter, size: int, factor: int | None = None) -> np.ndarray:
    """Paint the critter's picture, uint8 [size, size, 3], at `factor` samples a pixel along each axis.

    The default is 4, and 3 from 128 pixels on, where each is half as large: within 43 dB of 6, as 4 are at 64 pixels.
    """
    factor = factor or (4 if size < 128 else 3)
    canvas = Canvas(size, factor)
    _paint_body(canvas, critter)
    behind = 1 if critter.yaw > 0 else -1
    for side in (behind, -behind):
        _paint_ear(canvas, critter, side)
    _paint_head(canvas, critter)
    layers = np.concatenate([canvas.colour, canvas.cover[..., None]], axis=2)
    layers = downsample(layers, factor)
    return encode_srgb(layers[..., :3] + (1 - layers[..., 3:]) * _backdrop(critter, size))
