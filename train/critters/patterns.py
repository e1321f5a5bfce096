# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fur and markings, as functions of a surface's own coordinates, so that they move, turn and scale with the animal."""

from typing import NamedTuple

import numpy as np

from train.critters.species import Critter
from train.critters.texture import Array, Noise, bell, smoothstep

# Strands around the whole circle, and how strongly each octave shades the fur.
_OCTAVES = ((28, 0.75), (56, 1.0), (112, 0.95), (224, 0.8), (448, 0.6))


def strands(noise: Noise, angle: Array, radius: Array, layer: int, pitch: float) -> Array:
    """Return the fur combed away from a point, about [-1, 1], at polar coordinates around that point.

    Every octave is value noise stretched along the radius. An octave fades where its strands grow coarse (far out) and
    where they would be finer than the sample pitch (near the point): the fur has one look at all distances, and
    nothing above the samples' own Nyquist frequency is ever evaluated.
    """
    total = np.zeros(np.broadcast(angle, radius).shape, np.float32)
    per_unit = 1 / (2 * np.pi * np.maximum(radius, 0.02))
    for octave, (cells, gain) in enumerate(_OCTAVES):
        density = cells * per_unit
        seen = smoothstep(0.9, 0.35, density * np.float32(pitch)) * smoothstep(1.8, 4.5, density)
        if seen.max() < 0.02:
            continue
        turns = angle * np.float32(cells / (2 * np.pi))
        total += gain * seen * noise(turns, radius * np.float32(cells / 30) + 3, layer + octave, cells)
    return total


def spikes(noise: Noise, angle: Array, out: Array, layer: int) -> Array:
    """Return the tips of the fur at an outline, in [0, 1]: a ridge per tuft and per strand, leaning as it grows out."""
    flat = np.zeros_like(angle)
    total = np.zeros_like(angle)
    for octave, (cells, gain) in enumerate(((40, 0.45), (88, 0.55))):
        turns = angle * np.float32(cells / (2 * np.pi)) + np.float32(1.2) * out
        total += gain * (1 - np.abs(noise(turns, flat, layer + octave, cells)))
    return total


def _bands(phase: Array, sharp: float) -> Array:
    return smoothstep(-sharp, sharp, np.sin(phase))


class _Face(NamedTuple):
    """Face coordinates displaced by the fur, and values that several patterns share."""

    x: Array
    y: Array
    side: Array  # |x|
    radius: Array  # from the nose
    angle: Array  # around the nose, zero towards the crown
    wobble: Array  # slow noise that keeps edges from being geometric
    muzzle: Array  # how much a point belongs to the muzzle


def face_markings(critter: Critter, x: Array, y: Array, fur: Array) -> tuple[Array, Array]:
    """Return the amounts of the marking's and of the light colour on the face, each in [0, 1].

    x, y are face coordinates: the nose lies at about (0, 0.3), the rim of an unturned head about one from the middle.
    `fur` displaces the coordinates along the strands, so that the edge of every marking is made of hairs.
    """
    away_x, away_y = x, y - np.float32(0.28)
    radius = np.sqrt(away_x**2 + away_y**2) + np.float32(1e-4)
    push = 1 + np.float32(0.07) * fur / radius
    x, y = away_x * push, away_y * push + np.float32(0.28)
    angle = np.arctan2(x, -y + np.float32(0.28))
    wobble = critter.noise(2.2 * x + 5, 2.2 * y + 5, 30)
    wide = 1.3 * critter.species.muzzle + np.float32(1e-3)
    muzzle = smoothstep(1.25, 0.85, np.sqrt((x / wide) ** 2 + ((y - 0.44) / (0.72 * wide)) ** 2) + 0.1 * wobble)
    face = _Face(x, y, np.abs(x), radius * push, angle, wobble, muzzle)
    if critter.pattern in ("fox", "panda", "mask", "redpanda", "owl"):
        return _species_markings(critter, face)
    return _coat_markings(critter, face)


def _coat_markings(critter: Critter, face: _Face) -> tuple[Array, Array]:
    """Return the markings that several species have."""
    noise, traits = critter.noise, critter.traits
    x, y, side, radius, angle, wobble, muzzle = face
    nothing = np.zeros_like(x)
    match critter.pattern:
        case "tabby":
            crown = _bands(12.5 * traits["bands"] * angle + 1.57 + 0.9 * wobble, 0.55) * smoothstep(0.28, 0.5, radius)
            crown = crown * smoothstep(0.85, 0.6, np.abs(angle)) * smoothstep(-0.12, -0.3, y)
            cheek = _bands(16 * y - 5 * side + 1.5 * wobble, 0.6) * smoothstep(0.5, 0.68, side) * smoothstep(-0.3, 0, y)
            return 0.8 * np.maximum(crown, cheek), 0.85 * muzzle
        case "tiger":
            crown = _bands(15 * traits["bands"] * radius + 2.4 * wobble + 2 * side, 0.5)
            crown = crown * smoothstep(0.75, 0.2, np.abs(angle) - 0.2 * wobble) * smoothstep(0.42, 0.55, radius)
            cheek = _bands(14 * radius - 5 * y + 2.2 * wobble, 0.5) * smoothstep(0.58, 0.72, side)
            brow = bell(side - 0.36, y + 0.34, 0.2, 0.13)
            jaw = smoothstep(0.2, 0.8, y + 0.3 * side)
            return np.maximum(crown, cheek), np.maximum(np.maximum(muzzle, brow), jaw)
        case "spots":
            reach, value = noise.worley(6.2 * x + 20, 6.2 * y + 20, 31)
            spot = smoothstep(0.36, 0.27, reach + 0.05 * value) * smoothstep(0.30, 0.5, radius)
            spot = spot * smoothstep(0.22, 0.45, np.maximum(side - 0.1, -y))
            return 0.95 * spot, np.maximum(muzzle, 0.7 * smoothstep(0.35, 0.8, y))
        case "patches":
            patch = smoothstep(0.0, 0.12, noise(1.5 * x + 9 + traits["shift"], 1.5 * y + 9, 32) + 0.25 * wobble)
            return patch, np.maximum(0.9 * muzzle, bell(x, y + 0.1, 0.10 * traits["mark"], 0.6))
        case "tuxedo":
            blaze = smoothstep(0.05, -0.03, side - 0.10 * traits["mark"] - 0.28 * np.maximum(y + 0.1, 0))
            return nothing, np.maximum(muzzle, blaze * smoothstep(-0.7, -0.35, y + 0.15 * wobble))
        case "points":
            return 0.9 * smoothstep(0.85, 0.30, np.sqrt(x**2 + 1.3 * (y - 0.22) ** 2) + 0.12 * wobble), nothing
        case "crescent":
            return nothing, 0.8 * muzzle
        case _:
            return nothing, 0.7 * muzzle


def _species_markings(critter: Critter, face: _Face) -> tuple[Array, Array]:
    """Return the markings that make a species."""
    noise, traits = critter.noise, critter.traits
    x, y, side, radius, angle, wobble, muzzle = face
    nothing = np.zeros_like(x)
    match critter.pattern:
        case "fox":
            cheek = smoothstep(-0.02, 0.10, y - 0.18 + 0.25 * side - 0.35 * side**2 + 0.05 * wobble)
            cheek = cheek * smoothstep(0.05, 0.16, side + 0.6 * (y - 0.25)) + smoothstep(0.42, 0.52, y)
            streak = bell(side - 0.21, y - 0.10, 0.06, 0.16)
            return 0.8 * streak, np.minimum(cheek, 1)
        case "panda":
            across, down = side - 0.41, y + 0.04
            patch = np.sqrt(((across + 0.35 * down) / 0.22) ** 2 + ((down - 0.35 * across) / 0.30) ** 2)
            return smoothstep(1.12, 0.92, patch * traits["mark"]), nothing
        case "mask":
            band = np.abs(y + 0.03 - 0.30 * side + 0.10) - 0.21 * traits["mark"] + 0.14 * bell(x, y, 0.10, 1.0)
            mask = smoothstep(0.04, -0.04, band + 0.03 * wobble) * smoothstep(1.06, 0.92, side)
            stripe = smoothstep(0.06, 0.02, side) * smoothstep(0.1, -0.1, y) * smoothstep(-0.9, -0.5, y)
            brow = smoothstep(0.13, 0.05, np.abs(y + 0.44 - 0.28 * side)) * smoothstep(0.08, 0.2, side)
            return np.maximum(mask, 0.8 * stripe), np.maximum(muzzle, 0.9 * brow * smoothstep(1.0, 0.7, side))
        case "redpanda":
            cheek = bell(side - 0.66, y - 0.22, 0.24, 0.26)
            brow = bell(side - 0.42, y + 0.42, 0.17, 0.12)
            tear = smoothstep(0.10, 0.03, np.abs(side - 0.36 - 0.30 * (y - 0.1))) * smoothstep(-0.02, 0.14, y)
            return 0.85 * tear * smoothstep(0.9, 0.6, y), np.minimum(np.maximum(1.3 * cheek + 1.3 * brow, muzzle), 1)
        case _:  # owl
            disc = np.sqrt(((side - 0.40) / 0.44) ** 2 + ((y - 0.02) / 0.52) ** 2)
            rim = bell(disc - 1.0, nothing, 0.12, 1.0)
            fleck = smoothstep(0.15, 0.6, noise(14 * angle, 5 * radius, 33) + 0.2) * smoothstep(1.05, 1.15, disc)
            return np.maximum(0.75 * rim, 0.6 * fleck), smoothstep(1.0, 0.6, disc) * smoothstep(0.0, 0.2, disc)


def body_markings(critter: Critter, x: Array, y: Array, fur: Array) -> tuple[Array, Array]:
    """Return the same below the head: body coordinates have the neck at (0, 0), y down."""
    noise = critter.noise
    y = y + np.float32(0.10) * fur
    wobble = noise(1.6 * x + 5, 1.6 * y + 5, 40)
    nothing = np.zeros_like(x)
    bib = smoothstep(0.42, 0.22, np.abs(x) + 0.10 * wobble + 0.10 * y)
    match critter.pattern:
        case "tabby" | "tiger":
            stripe = _bands(9.0 * y - 3.0 * np.abs(x) + 2.0 * wobble, 0.5) * smoothstep(0.25, 0.45, np.abs(x))
            return 0.85 * stripe, bib
        case "spots":
            reach, value = noise.worley(4.6 * x + 20, 4.6 * y + 20, 41)
            return 0.95 * smoothstep(0.36, 0.27, reach + 0.05 * value) * (1 - bib), 0.8 * bib
        case "patches":
            return smoothstep(0.0, 0.12, noise(1.3 * x + 9, 1.3 * y + 9, 42)), critter.traits["bib"] * bib
        case "panda":
            return np.ones_like(x), nothing
        case "redpanda":
            return 0.9 * np.ones_like(x), nothing
        case "owl":
            row = noise.worley(5.5 * x + 20 + 2.75 * (np.floor(4.5 * y) % 2), 4.5 * y + 20, 43)[0]
            return 0.6 * smoothstep(0.33, 0.2, row), 0.65 * smoothstep(0.9, 0.5, np.abs(x))
        case "crescent":
            arc = np.abs(y - 1.15 + 0.9 * x**2) - 0.13
            return nothing, smoothstep(0.05, -0.03, arc) * smoothstep(0.75, 0.5, np.abs(x))
        case "fox" | "tuxedo" | "mask":
            return nothing, bib
        case _:
            return nothing, 0.6 * critter.traits["bib"] * bib
