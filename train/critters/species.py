# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Critters as data: species, coats and backgrounds, and the sampling of one animal from a seed.

Lengths are in half head widths, angles in degrees, colours in OKLCH (lightness, chroma, hue) until they are sampled.
"""

from dataclasses import dataclass, replace

import numpy as np

from train.critters.texture import Array, Noise, oklch_to_linear

Oklch = tuple[float, float, float]


@dataclass(frozen=True)
class Species:
    """The proportions of a kind of animal and the looks it comes in."""

    name: str
    weight: float  # how often it appears, relative to the others
    ears: str  # round, pointed, long or tuft
    ear_length: float
    ear_width: float
    ear_at: float  # where on the head, degrees from the crown
    ear_lean: float  # outward tilt, degrees
    height: float  # of the head, over its width
    cheeks: float  # how far the cheeks bulge
    taper: float  # how much the chin narrows
    muzzle: float  # size of the muzzle
    eyes: float  # radius
    eye_gap: float  # from the middle
    nose: float  # half width
    coats: tuple[str, ...]
    patterns: tuple[str, ...]
    slant: float = 0.0  # of the eyes, upwards to the outside
    slit: float = 0.0  # probability of a slit pupil
    fur: float = 0.10  # length of the fur at the outline


# fmt: off
SPECIES = (
    Species("cat", 1.6, "pointed", 0.78, 0.40, 36, 18, 0.88, 0.07, 0.05, 0.30, 0.23, 0.40, 0.085,
            ("ginger", "grey", "cream", "black", "white", "brown", "blue"),
            ("tabby", "tabby", "plain", "tuxedo", "patches", "points"), slant=0.14, slit=0.5),
    Species("fox", 1.2, "pointed", 0.95, 0.42, 34, 16, 0.90, 0.12, 0.24, 0.27, 0.19, 0.38, 0.095,
            ("russet", "russet", "ginger", "snow", "silver"), ("fox",), slant=0.2, slit=0.35, fur=0.13),
    Species("bear", 1.1, "round", 0.50, 0.33, 46, 34, 0.93, 0.05, 0.02, 0.42, 0.16, 0.36, 0.16,
            ("brown", "sand", "black", "honey", "snow"), ("plain", "crescent"), fur=0.11),
    Species("bunny", 1.2, "long", 1.25, 0.28, 21, 10, 1.00, 0.08, 0.06, 0.25, 0.22, 0.45, 0.065,
            ("white", "sand", "grey", "brown", "cream", "honey"), ("plain", "tuxedo", "patches", "points"), fur=0.09),
    Species("panda", 0.8, "round", 0.48, 0.34, 46, 34, 0.90, 0.07, 0.0, 0.34, 0.16, 0.38, 0.11, ("panda",),
            ("panda",), slant=-0.10),
    Species("raccoon", 1.0, "round", 0.56, 0.34, 42, 26, 0.84, 0.12, 0.14, 0.28, 0.18, 0.38, 0.095,
            ("raccoon", "raccoon", "silver", "brown"), ("mask",), fur=0.13),
    Species("red panda", 0.8, "pointed", 0.62, 0.42, 46, 32, 0.84, 0.11, 0.05, 0.29, 0.17, 0.38, 0.09,
            ("russet", "ginger"), ("redpanda",), slant=0.08, fur=0.12),
    Species("tiger", 0.9, "round", 0.46, 0.34, 44, 34, 0.94, 0.08, 0.02, 0.40, 0.17, 0.39, 0.15,
            ("ginger", "tiger", "tiger", "white"), ("tiger",), slant=0.12),
    Species("leopard", 0.9, "round", 0.44, 0.32, 44, 34, 0.92, 0.06, 0.04, 0.38, 0.18, 0.38, 0.14,
            ("honey", "sand", "snow", "ginger"), ("spots",), slant=0.12),
    Species("koala", 0.7, "round", 0.72, 0.50, 62, 62, 0.92, 0.05, 0.0, 0.24, 0.15, 0.42, 0.15,
            ("grey", "blue", "silver"), ("plain",), fur=0.12),
    Species("mouse", 0.8, "round", 0.86, 0.52, 46, 42, 0.90, 0.06, 0.22, 0.26, 0.21, 0.40, 0.075,
            ("grey", "brown", "white", "cream", "sand"), ("plain", "patches"), fur=0.08),
    Species("owl", 1.0, "tuft", 0.42, 0.20, 38, 24, 0.94, 0.02, 0.0, 0.0, 0.29, 0.41, 0.10,
            ("brown", "sand", "snow", "silver", "honey", "grey"), ("owl",), slant=0.05, fur=0.08),
)

# name: coat, markings, and the light parts (muzzle, chest)
COATS: dict[str, tuple[Oklch, Oklch, Oklch]] = {
    "ginger": ((0.72, 0.145, 60), (0.53, 0.135, 46), (0.94, 0.030, 80)),
    "russet": ((0.61, 0.155, 45), (0.33, 0.060, 38), (0.95, 0.020, 80)),
    "tiger": ((0.74, 0.150, 66), (0.26, 0.030, 50), (0.96, 0.015, 85)),
    "honey": ((0.76, 0.110, 78), (0.36, 0.055, 55), (0.94, 0.035, 88)),
    "sand": ((0.76, 0.065, 76), (0.45, 0.060, 60), (0.94, 0.025, 85)),
    "cream": ((0.88, 0.055, 82), (0.63, 0.085, 62), (0.97, 0.015, 90)),
    "brown": ((0.47, 0.070, 55), (0.28, 0.040, 48), (0.80, 0.050, 72)),
    "black": ((0.29, 0.015, 280), (0.19, 0.010, 280), (0.82, 0.012, 80)),
    "white": ((0.94, 0.012, 85), (0.46, 0.025, 70), (0.98, 0.006, 90)),
    "snow": ((0.91, 0.018, 240), (0.42, 0.020, 260), (0.98, 0.006, 230)),
    "grey": ((0.62, 0.018, 250), (0.33, 0.015, 265), (0.90, 0.010, 90)),
    "silver": ((0.74, 0.014, 240), (0.34, 0.014, 260), (0.95, 0.008, 90)),
    "blue": ((0.57, 0.040, 258), (0.34, 0.035, 265), (0.87, 0.018, 250)),
    "raccoon": ((0.60, 0.028, 75), (0.24, 0.014, 60), (0.92, 0.018, 85)),
    "panda": ((0.95, 0.012, 88), (0.23, 0.012, 280), (0.97, 0.008, 88)),
}
IRISES: dict[str, Oklch] = {
    "amber": (0.72, 0.150, 72), "gold": (0.80, 0.150, 90), "green": (0.70, 0.140, 135), "teal": (0.68, 0.100, 190),
    "blue": (0.66, 0.120, 240), "copper": (0.62, 0.130, 58), "brown": (0.46, 0.080, 62), "violet": (0.60, 0.140, 300),
}
# Irises that suit an animal whose eyes are mostly dark; the others take any.
DARK_EYED = ("bear", "panda", "bunny", "koala", "mouse", "raccoon", "red panda")
FANCIFUL_SHARE = 0.22
ALIGNED_SCALE, ALIGNED_TURN = 0.72, 0.15  # width of an aligned head in image widths; share of its yaw and pitch
PLUSH_CONTRAST, PLUSH_THICKNESS = 1.4, 1.6  # of a toy's fur, times what the species has
# Spreads of the individual proportions, around 1, and of the offsets, around 0.
PROPORTION_SPREADS = {
    "height": 0.035, "cheeks": 0.25, "ears": 0.10, "ear_width": 0.09, "muzzle": 0.08, "eyes": 0.09, "eye_gap": 0.05,
    "nose": 0.09, "fur": 0.18, "body": 0.10, "contrast": 0.16, "bands": 0.12, "mark": 0.15,
}
OFFSET_SPREADS = {
    "eye_y": 0.03, "lean_left": 5.0, "lean_right": 5.0, "bend_left": 0.12, "bend_right": 0.12, "swirl": 0.12,
    "shift": 1.0,
}
# fmt: on


@dataclass(frozen=True)
class Coat:
    """Linear colours [3] of one animal and of its background."""

    name: str
    backdrop: tuple[Array, Array]
    bokeh: tuple[Array, ...]
    base: Array
    mark: Array
    light: Array
    skin: Array  # inside of the ears, tongue
    nose: Array
    iris: Array


@dataclass(frozen=True)
class Critter:
    """One animal: everything the painter needs, independent of the picture's size."""

    species: Species
    pattern: str
    coat: Coat
    x: float  # centre of the head, image widths from the left
    y: float  # from the top
    scale: float  # width of the head in image widths
    tilt: float  # degrees, clockwise in the picture
    yaw: float  # radians; the face looks right when positive
    pitch: float  # radians; down when positive
    lean: float  # of the body, degrees
    light: tuple[float, float, float]  # towards the light: right, down, out of the picture
    gaze: tuple[float, float]
    slit: bool
    traits: dict[str, float]  # individual proportions, about 1, and small offsets, about 0
    blobs: tuple[tuple[float, float, float, float], ...]  # behind: x, y, radius, strength
    slope: float  # direction of the backdrop's gradient, radians
    noise: Noise
    thickness: float = 1.0  # of a strand of fur


def _clipped_normal(rng: np.random.Generator, mean: float, spread: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(mean, spread), low, high))


def _random_sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1, 1]))


def _jitter(rng: np.random.Generator, colour: Oklch) -> Oklch:
    lightness = float(np.clip(colour[0] + rng.normal(0, 0.022), 0.15, 0.985))
    return lightness, colour[1] * rng.uniform(0.85, 1.15), colour[2] + rng.normal(0, 5)


def _invent_palette(rng: np.random.Generator) -> tuple[Oklch, Oklch, Oklch]:
    hue, turn = rng.uniform(0, 360), _random_sign(rng) * rng.uniform(15, 60)
    lightness, chroma = rng.uniform(0.60, 0.80), rng.uniform(0.08, 0.14)
    return ((lightness, chroma, hue), (lightness - 0.28, chroma, hue + turn), (0.95, 0.035, hue + turn))


def _sample_coat(rng: np.random.Generator, species: Species) -> Coat:
    name = species.coats[rng.integers(len(species.coats))]
    palette = COATS[name]
    if fanciful := rng.random() < FANCIFUL_SHARE:
        name, palette = "fanciful", _invent_palette(rng)
    base, mark, light = (_jitter(rng, colour) for colour in palette)
    irises = ["brown", "copper", "brown", "amber", "blue"] if species.name in DARK_EYED else list(IRISES)[:-1]
    if species.name == "owl":
        irises = ["amber", "gold", "gold", "copper"]
    iris = _jitter(rng, IRISES["violet" if fanciful and rng.random() < 0.3 else irises[rng.integers(len(irises))]])
    rosy = rng.random() < (0.35 if species.name in ("cat", "bunny", "mouse") else 0.08)
    nose = (0.70, 0.09, 15.0) if rosy else (0.25, 0.025, 30.0)
    if species.name == "owl":
        nose = (0.62, 0.10, 75.0)

    # The backdrop stands off the coat in lightness, and in hue when the coat has one: readability before variety.
    hue = base[2] + float(rng.choice([180, 150, 210, 120, 240, 40, -40])) + rng.normal(0, 12)
    level = rng.uniform(0.30, 0.52) if base[0] > 0.66 else rng.uniform(0.68, 0.86)
    if rng.random() < 0.25:
        level = 0.5 * level + 0.5 * rng.uniform(0.35, 0.80)
    chroma = rng.uniform(0.025, 0.095)
    step = _random_sign(rng) * rng.uniform(0.07, 0.16)
    turn = rng.normal(0, 35)
    backdrop = (oklch_to_linear(level + step, chroma, hue), oklch_to_linear(level - step, chroma, hue + turn))
    levels_and_hues = ((level + rng.normal(0.03, 0.10), hue + turn * rng.uniform(-0.5, 1.5)) for _ in range(7))
    bokeh = tuple(oklch_to_linear(float(np.clip(each, 0.1, 0.95)), 1.2 * chroma, h) for each, h in levels_and_hues)
    skin = (0.74, 0.075, 22 + rng.normal(0, 6))
    colours = (oklch_to_linear(*colour) for colour in (base, mark, light, skin, nose, iris))
    return Coat(name, backdrop, bokeh, *colours)


def _sample_traits(rng: np.random.Generator) -> dict[str, float]:
    """Sample individual proportions: normal around the species', clipped at two deviations so that none look wrong."""
    traits = {name: 1 + spread * _clipped_normal(rng, 0, 1, -2, 2) for name, spread in PROPORTION_SPREADS.items()}
    traits |= {name: spread * _clipped_normal(rng, 0, 1, -2, 2) for name, spread in OFFSET_SPREADS.items()}
    traits["flop"] = float(rng.choice([0, 0, 0, -1, 1, 2]))
    traits["lids"] = rng.uniform(0.70, 1.0)
    traits["smile"] = rng.uniform(0.6, 1.3)
    traits["open"] = rng.uniform(0.5, 1.0) if rng.random() < 0.18 else 0.0
    traits["bib"] = float(rng.random() < 0.6)
    return traits


def sample_species(rng: np.random.Generator) -> Species:
    """Sample a species by its weight: the first thing that is drawn for a critter."""
    weights = np.array([species.weight for species in SPECIES])
    return SPECIES[rng.choice(len(SPECIES), p=weights / weights.sum())]


def sample_critter(seed: int) -> Critter:
    """Sample the critter of a seed, the same on every machine and in any order (PCG64)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    species = sample_species(rng)
    pattern = species.patterns[rng.integers(len(species.patterns))]
    coat = _sample_coat(rng, species)
    scale = _clipped_normal(rng, 0.63, 0.085, 0.45, 0.80)
    tilt = _clipped_normal(rng, 0, 13, -38, 38)
    slack = 0.62 - 0.5 * scale
    x = 0.5 + 0.5 * slack * _clipped_normal(rng, 0, 0.55, -1, 1)
    y = 0.54 + 0.5 * slack * _clipped_normal(rng, 0, 0.5, -1, 1)
    # Long ears want room above.
    y += 0.10 * (species.ears == "long") * scale
    side = _random_sign(rng)
    azimuth, elevation = np.deg2rad(rng.uniform(15, 75)), np.deg2rad(rng.uniform(30, 60))
    flat = np.cos(elevation)
    light = (side * float(np.sin(azimuth) * flat), -float(np.cos(azimuth) * flat), float(np.sin(elevation)))
    yaw, pitch = (_clipped_normal(rng, 0, spread, -2 * spread, 2 * spread) for spread in (0.17, 0.09))
    blobs = tuple(
        (rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), rng.uniform(0.06, 0.22), rng.uniform(0.25, 0.8))
        for _ in range(rng.integers(3, 8))
    )
    pose = (x, y, scale, tilt, yaw, pitch, 0.35 * tilt + rng.normal(0, 3))
    gaze = (float(rng.normal(0, 0.10)), float(rng.normal(0, 0.05)))
    slit, traits, slope = bool(rng.random() < species.slit), _sample_traits(rng), rng.uniform(0, 2 * np.pi)
    return Critter(species, pattern, coat, *pose, light, gaze, slit, traits, blobs, slope, Noise(rng))


def align(critter: Critter) -> Critter:
    """Return the critter upright, of one size and with its eyes in one place, as faces are in FFHQ [SG1, app. A].

    It looks almost straight ahead: no alignment of pictures undoes turns in space, so they are made small.
    """
    y = 0.54 + 0.10 * (critter.species.ears == "long") * ALIGNED_SCALE
    yaw, pitch = ALIGNED_TURN * critter.yaw, ALIGNED_TURN * critter.pitch
    traits = critter.traits | {"eye_y": 0.0, "eye_gap": 1.0}
    lean = 0.35 * (critter.lean - 0.35 * critter.tilt)
    pose = replace(critter, x=0.5, y=y, scale=ALIGNED_SCALE, tilt=0.0, yaw=yaw, pitch=pitch)
    return replace(pose, lean=lean, traits=traits)


def make_plush(critter: Critter) -> Critter:
    """Return the critter with a toy's fur: thick strands of strong contrast that grow alike on all of its species.

    A small network learns what is in the same place in all pictures, and what is not finer than its own maps.
    """
    noise = Noise(np.random.Generator(np.random.PCG64(SPECIES.index(critter.species))))
    traits = critter.traits | {"contrast": PLUSH_CONTRAST * critter.traits["contrast"], "swirl": 0.0, "shift": 0.0}
    return replace(critter, noise=noise, traits=traits, thickness=PLUSH_THICKNESS)
