# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The ladder from StyleGAN2 to StyleGAN3-R [P fig. 3]: ten rungs, each the one before and one change.

docs/ladder.md says why each change is made, where it lives, and what it is worth.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from gan.networks.config import ConfigError, GeneratorConfig, count_rigid_layers


@dataclass(frozen=True)
class Recipe:
    """A rung's settings of training (references, "The ladder" and "Training")."""

    style_mixing: float = 0.9  # probability
    pl_weight: float = 2.0  # path length regularisation
    mbstd_group: int = 4  # of the discriminator; 8 for A to C up to 256x256, where the paper compares them
    blur_sigma: float = 0.0  # of what the discriminator sees at first, in image widths


@dataclass(frozen=True)
class Rung:
    """A rung at one resolution and capacity: its network, and its settings of training."""

    letter: str
    title: str  # what it is called; "" for the steps between the published networks
    change: str  # from the rung before, in the paper's words
    network: GeneratorConfig
    recipe: Recipe = Recipe()

    def __str__(self) -> str:
        return f"{self.letter} {self.change}" + (f" ({self.title})" if self.title and self.letter != "A" else "")

    def then(self, letter: str, change: str, title: str = "", **changed: Any) -> "Rung":
        """Return the next rung: this one with fields of its network and of its recipe changed."""
        recipe = {field.name: changed.pop(field.name) for field in fields(Recipe) if field.name in changed}
        network = replace(self.network, rung=letter, **changed)
        return Rung(letter, title, change, network, replace(self.recipe, **recipe))


STYLEGAN2: dict[str, Any] = {  # settings of rung A; those of layers are what D starts from
    "mapping_layers": 8,
    "architecture": "skip",
    "fourier_input": False,
    "learned_transform": False,
    "noise_inputs": True,
    "schedule": "rigid",
    "margin_size": 0,
    "same_padding": True,
    "output_scale": 1.0,
    "filter_kind": "binomial",
    "filter_size": 2,
    "lrelu_upsampling": 1,
}


def build_ladder(resolution: int, channel_base: int | None = None, channel_max: int | None = None) -> tuple[Rung, ...]:
    """Return all ten rungs at a resolution.

    `channel_base` (default 2^14 up to 256 pixels, 2^15 above) and `channel_max` (512) are A's to T's values: R doubles
    them, since its 1x1 convolutions have a ninth of the weights.
    """
    if not isinstance(resolution, int) or resolution < 1:
        raise ConfigError(f"The resolution must be a power of two from 16 to 1024, not {resolution!r}.")
    small = resolution <= 256
    base = channel_base if channel_base is not None else (2**14 if small else 2**15)
    peak = channel_max if channel_max is not None else 512
    layers = count_rigid_layers(resolution)
    capacity: dict[str, Any] = {
        "channel_base": base,
        "channel_max": peak,
        "num_layers": layers - 1,
        "num_critical": layers - 1,
    }
    stylegan2 = GeneratorConfig("A", resolution, **capacity, **STYLEGAN2)
    a = Rung("A", "StyleGAN2", "StyleGAN2", stylegan2, Recipe(mbstd_group=8 if small else 4))
    b = a.then("B", "+ Fourier features", "StyleGAN2 on Fourier features", fourier_input=True)
    c = b.then("C", "+ no noise inputs", noise_inputs=False)
    d = c.then(
        "D",
        "+ simplified generator",
        architecture="layers",
        num_layers=layers,
        num_critical=layers,
        output_scale=0.25,
        mapping_layers=2,
        style_mixing=0.0,
        pl_weight=0.0,
        mbstd_group=4,
    )
    e = d.then(
        "E", "+ boundaries & upsampling", margin_size=10, same_padding=False, filter_kind="kaiser", filter_size=6
    )
    f = e.then("F", "+ filtered nonlinearities", lrelu_upsampling=2)
    g = f.then("G", "+ non-critical sampling", num_critical=2)
    h = g.then("H", "+ transformed Fourier features", learned_transform=True)
    t = h.then("T", "+ flexible layers", "StyleGAN3-T", schedule="flexible", num_layers=14)
    r = t.then(
        "R",
        "+ rotation equivariance",
        "StyleGAN3-R",
        conv_kernel=1,
        radial_filters=True,
        channel_base=2 * base,
        channel_max=2 * peak,
        blur_sigma=10 / 256,
    )
    return a, b, c, d, e, f, g, h, t, r


# Letter and what it is called, in order: the published networks' names, the paper's phrase for the steps between them.
RUNGS = tuple((rung.letter, rung.title or rung.change) for rung in build_ladder(256))
ALIASES = {"stylegan2": "A", "stylegan3-t": "T", "stylegan3-r": "R"}


def parse_rung(name: str) -> str:
    """Return the letter of a rung given by its letter or an official tool's name; ConfigError names the choices."""
    found = ALIASES.get(name.lower(), name.upper())
    if found not in dict(RUNGS):
        choices = ", ".join([known for known, _ in RUNGS] + list(ALIASES))
        raise ConfigError(f"There is no rung {name!r} here: choose one of {choices}.")
    return found


# Settings that mean something to some rungs only; asking others for them is an error, not silence.
OF_LAYERS = (
    "filter_size",
    "filter_kind",
    "lrelu_upsampling",
    "num_layers",
    "num_critical",
    "margin_size",
    "same_padding",
    "conv_kernel",
    "radial_filters",
    "learned_transform",
)
OF_FLEXIBLE_LAYERS = ("num_layers", "first_stopband", "last_stopband_rel")


def parse_rungs(names: str) -> tuple[str, ...]:
    """Return the letters of comma-separated names, or of "all", each once; ConfigError as for `parse_rung`."""
    if names == "all":
        return tuple(known for known, _ in RUNGS)
    return tuple(dict.fromkeys(parse_rung(name.strip()) for name in names.split(",")))


def find_rung(
    name: str,
    resolution: int,
    *,
    channel_base: int | None = None,
    channel_max: int | None = None,
    capacity: float = 1.0,
    **changed: Any,
) -> Rung:
    """Return the rung of a name, with `changed` fields of its network; channels as in `build_ladder`, times `capacity`.

    ConfigError for a rung that does not exist, and for a setting that this rung does not have.
    """
    wanted = parse_rung(name)
    found = next(rung for rung in build_ladder(resolution, channel_base, channel_max) if rung.letter == wanted)
    network = found.network
    for of, kind, names in (
        (network.schedule == "flexible", "T and R", OF_FLEXIBLE_LAYERS),
        (network.architecture == "layers", "D to R", OF_LAYERS),
    ):
        if not of and any(name in changed for name in names):
            given = ", ".join(f"--{name.replace('_', '-')}" for name in names if name in changed)
            raise ConfigError(f"Rung {wanted} has no {given}: only {kind} have. Leave it out or choose another rung.")
    if capacity != 1.0:
        base, peak = round(network.channel_base * capacity), round(network.channel_max * capacity)
        changed = {"channel_base": base, "channel_max": max(peak, 1)} | changed
    try:
        return replace(found, network=replace(network, **changed))
    except TypeError as error:
        raise ConfigError(f"A generator has no such setting: {error}.") from error


def rung_config(name: str, resolution: int, **changed: Any) -> GeneratorConfig:
    """Return the network of `find_rung`."""
    return find_rung(name, resolution, **changed).network


def compare_rungs(first: Rung, second: Rung) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ between two rungs, by name: (in the first, in the second)."""
    before, after = ({**asdict(rung.network), **asdict(rung.recipe), "rung": ""} for rung in (first, second))
    return {name: (value, after[name]) for name, value in before.items() if value != after[name]}
