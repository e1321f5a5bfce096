# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The match of two networks: what another resolution, rung, set of labels or number of channels leaves in common."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from gan.checkpoints.transfer import (
    Match,
    describe_matches,
    describe_misfit,
    match_discriminators,
    match_generators,
    measure_share,
)
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config

SMALL: dict[str, Any] = {"channel_base": 256, "channel_max": 16, "z_dim": 16, "w_dim": 16, "mapping_layers": 2}
AGREEING = {"first_stopband": 2.0**1.5}  # with N = 8 at 32 and 10 at 64


def generator(rung: str, size: int = 32, **changed: Any) -> GeneratorConfig:
    few = {"num_layers": 8} if rung in "TR" and size <= 32 else {}
    return rung_config(rung, size, **SMALL | few | changed)


def discriminator(size: int = 32, **changed: Any) -> DiscriminatorConfig:
    return DiscriminatorConfig(size, channel_base=256, channel_max=16, **changed)


def verdicts(match: Match) -> dict[str, str]:
    """Return "yes" or why not, by part."""
    return {part.name: part.why or "yes" for part in match.parts}


@pytest.mark.parametrize("rung", list("ABCDEFGHTR"))
def test_a_network_of_one_kind_is_taken_whole(rung: str) -> None:
    config = generator(rung, c_dim=3)
    source, target = Generator(config), Generator(config)
    match = match_generators(config, config)
    assert match.is_whole and not match.is_empty
    match.copy(source.state_dict(), target)
    theirs = source.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in target.state_dict().items())


def test_the_share_is_of_trained_numbers() -> None:
    config, other = generator("T"), generator("T", w_dim=8)
    match = match_generators(config, config)
    assert measure_share(match, config) == 1.0
    assert 0.0 < measure_share(match_generators(other, config), config) < 0.1, "the input's weights alone"
    less = replace(match, parts=tuple(part for part in match.parts if part.module == "mapping"))
    sizes = {name: value.numel() for name, value in Generator(config).named_parameters()}
    mapping = sum(size for name, size in sizes.items() if name.startswith("mapping."))
    assert measure_share(less, config) == mapping / sum(sizes.values())


def test_a_discriminator_of_one_kind_is_taken_whole() -> None:
    config = discriminator(c_dim=3)
    source, target = Discriminator(config), Discriminator(config)
    match = match_discriminators(config, config)
    assert match.is_whole
    match.copy(source.state_dict(), target)
    theirs = source.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in target.state_dict().items())


def test_schedules_that_agree_grow() -> None:
    small, large = generator("T", 32, **AGREEING), generator("T", 64, num_layers=10, **AGREEING)
    found = verdicts(match_generators(small, large))
    layers = [why for name, why in found.items() if name.startswith("L")]
    assert layers[:6] == ["yes"] * 6 and "yes" not in layers[6:]
    assert "size, rate" in layers[6] and layers[-1] == "the source has none"
    assert all(found[name] == "yes" for name in ("input", "input.affine", "mapping.fc0", "mapping.w_avg"))
    other = verdicts(match_generators(generator("T", 32), generator("T", 64)))
    assert [why for name, why in other.items() if name.startswith("L")][1] == "cutoff and half-width differ"


def test_growing_copies_the_numbers() -> None:
    small, large = generator("T", 32, **AGREEING), generator("T", 64, num_layers=10, **AGREEING)
    source, target = Generator(small), Generator(large)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    source.mapping.get_buffer("w_avg").fill_(0.5)
    match = match_generators(small, large)
    match.copy(source.state_dict(), target)
    taken = {name for part in match.parts for name in part.taken}
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name] if name in taken else before[name]), name
    # The maps after the last layer that is taken are those of the source.
    ws = source.mapping(torch.randn(1, 16))
    theirs = dict(source.synthesis.steps(ws))
    ours = dict(target.synthesis.steps(ws[:, :1].repeat(1, large.num_ws, 1)))
    assert torch.equal(theirs["L5_52_11"], ours["L5_52_11"])


def test_a_discriminator_grows_by_resolutions() -> None:
    found = verdicts(match_discriminators(discriminator(32), discriminator(64)))
    assert {why for name, why in found.items() if name.startswith("b64")} == {"the source has none"}
    assert {why for name, why in found.items() if not name.startswith("b64")} == {"yes"}
    shrunk = verdicts(match_discriminators(discriminator(64), discriminator(32)))
    assert shrunk.pop("b32.fromrgb") == "the source has none" and set(shrunk.values()) == {"yes"}
    assert match_discriminators(None, discriminator()).is_empty


@pytest.mark.parametrize(
    ("source", "target", "taken", "left"),
    [
        ("A", "B", ["b4.conv1", "b32.torgb"], {"input": "the source has none"}),
        ("B", "C", ["b4.conv1", "input"], {}),
        ("G", "H", ["L0_24_16", "input"], {"input.affine": "the source has none"}),
        ("H", "T", ["mapping.fc0", "input"], {"L0_36_16": "half-width differ"}),
        ("T", "R", ["mapping.fc1"], {"L0_36_32": "channels and kernel differ"}),
        ("B", "T", ["mapping.w_avg", "input"], {"L0_36_16": "the rung differs"}),
        ("T", "A", ["mapping.fc0"], {"b4.conv1": "the rung differs", "b4": "the rung differs"}),
    ],
)
def test_another_rung_takes_what_is_common(source: str, target: str, taken: list[str], left: dict[str, str]) -> None:
    found = verdicts(match_generators(generator(source), generator(target)))
    assert [found[name] for name in taken] == ["yes"] * len(taken), found
    for name, why in left.items():
        assert why in found[name], found


def test_what_the_source_lacks_beside_weights_starts_afresh() -> None:
    match = match_generators(generator("C"), generator("B"))
    part = next(part for part in match.parts if part.name == "b8.conv0")
    assert part.taken and part.why == "but for noise_strength, noise_const" and not match.is_whole


def test_labels_and_channels_are_named() -> None:
    plain, labelled = generator("T"), generator("T", c_dim=5)
    found = verdicts(match_generators(plain, labelled))
    assert found["mapping.fc0"] == found["mapping.embed"] == "labels differ" and found["mapping.fc1"] == "yes"
    assert found["mapping.w_avg"] == "the mapping differs", "the average of other w's"
    found = verdicts(match_discriminators(discriminator(), discriminator(c_dim=5)))
    assert found["b4.out"] == "labels differ" and found["b4.fc"] == "yes"
    grey = generator("T", img_channels=1)
    assert verdicts(match_generators(plain, grey))["L8_32_1"] == "channels differ"
    found = verdicts(match_discriminators(discriminator(), discriminator(img_channels=4)))
    assert found["b32.fromrgb"] == "the pictures' channels differ" and found["b32.conv0"] == "yes"


def test_weights_of_other_meaning_are_left() -> None:
    deep = replace(generator("T"), mapping_layers=3)
    found = verdicts(match_generators(deep, generator("T")))
    assert found["mapping.fc0"] == "the mapping differs" and found["L0_36_16"] == "yes"
    slow = replace(generator("T"), mapping_lr_multiplier=1.0)
    assert verdicts(match_generators(slow, generator("T")))["mapping.fc1"] == "the mapping differs"
    narrow = replace(generator("T"), w_dim=8)
    found = verdicts(match_generators(narrow, generator("T")))
    assert found["mapping.fc0"] == "z or w differ in width" and found["L0_36_16"] == "w differs"


@pytest.mark.parametrize("architecture", ["skip", "orig"])
def test_a_discriminator_of_another_architecture_starts_afresh(architecture: str) -> None:
    """Its convolutions have the same names and shapes, with other shortcuts around them."""
    match = match_discriminators(discriminator(architecture=architecture), discriminator())
    assert match.is_empty and verdicts(match)["b8.conv0"] == "the architecture differs"


@pytest.mark.parametrize("architecture", ["resnet", "orig"])
def test_a_generator_of_another_architecture_gives_its_mapping(architecture: str) -> None:
    found = verdicts(match_generators(generator("A", architecture=architecture), generator("A")))
    assert found["b8.conv0"] == "the architecture differs" and found["mapping.fc0"] == "yes"


def test_tensors_of_another_shape_are_not_spread() -> None:
    config = generator("T")
    source, network = Generator(config).state_dict(), Generator(config)
    source["mapping.fc0.weight"] = torch.ones(1)
    with pytest.raises(RuntimeError, match=r"mapping\.fc0\.weight"):
        match_generators(config, config).copy(source, network)
    assert network.mapping.state_dict()["fc0.weight"].std() > 0


def test_the_table_is_short_and_the_misfit_says_why() -> None:
    small, large = generator("T", 32, **AGREEING), generator("T", 64, num_layers=10, **AGREEING)
    matches = {"G": match_generators(small, large), "D": match_discriminators(discriminator(32), discriminator(64))}
    lines = describe_matches(matches)
    assert lines[0].split() == ["network", "part", "taken", "why", "not"]
    assert lines[1].split() == ["G", "mapping", "to", "L5_52_11", "yes"]
    assert lines[-2].split() == ["D", "b64", "no", "the", "source", "has", "none"]
    assert lines[-1].split() == ["D", "b32", "to", "b4", "yes"]
    assert len({line.index("yes") for line in lines if "yes" in line}) == 1, "columns stand below each other"
    wide = rung_config("A", 32)
    assert match_generators(wide, small).is_empty
    said = describe_misfit(wide, small)
    assert "rung A and not T" in said and "w of 512 numbers and not 16" in said and "up to 512 channels" in said
