# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files that the authors of the papers published, by name: where they lie, and the licence that they are under.

Checkpoints, and the feature networks of metrics.

Facts from their authors' pages. None comes with Jinc, and none is fetched unless it is asked for.
"""

import re
from dataclasses import dataclass

LICENCE = "NVIDIA's source code licence, for non-commercial use only"
SIZE = "The server says how large it is when it is asked"

STYLEGAN3 = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan3/versions/1/files/"
STYLEGAN2 = "https://api.ngc.nvidia.com/v2/models/nvidia/research/stylegan2/versions/1/files/"
ADA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/"

FAMILIES = {
    "stylegan3-t": "StyleGAN3-T",
    "stylegan3-r": "StyleGAN3-R",
    "stylegan2-ada": "StyleGAN2-ADA",
    "stylegan2": "StyleGAN2",
}
DATA = {
    "ffhq": "faces (FFHQ)",
    "ffhqu": "faces, not aligned (FFHQ-U)",
    "metfaces": "faces in works of art (MetFaces)",
    "metfacesu": "faces in works of art, not aligned (MetFaces-U)",
    "afhqv2": "faces of animals (AFHQv2)",
    "afhqcat": "faces of cats (AFHQ)",
    "afhqdog": "faces of dogs (AFHQ)",
    "afhqwild": "faces of wild animals (AFHQ)",
    "brecahad": "tissue under the microscope (BreCaHAD)",
    "cifar10": "CIFAR-10, ten classes",
    "celebahq": "faces (CelebA-HQ)",
    "lsundog": "dogs (LSUN)",
}
# Family, base address, and the pictures' data and width.
TABLE = (
    ("stylegan3-t", STYLEGAN3, "ffhq-1024 ffhqu-1024 ffhqu-256 metfaces-1024 metfacesu-1024 afhqv2-512"),
    ("stylegan3-r", STYLEGAN3, "ffhq-1024 ffhqu-1024 ffhqu-256 metfaces-1024 metfacesu-1024 afhqv2-512"),
    (
        "stylegan2",
        STYLEGAN2,
        "ffhq-1024 ffhq-512 ffhq-256 ffhqu-1024 ffhqu-256 metfaces-1024 metfacesu-1024 afhqv2-512 afhqcat-512 "
        "afhqdog-512 afhqwild-512 brecahad-512 cifar10-32 celebahq-256 lsundog-256",
    ),
    ("stylegan2-ada", ADA, "ffhq-1024 metfaces-1024 afhqcat-512 afhqdog-512 afhqwild-512 brecahad-512 cifar10-32"),
)


@dataclass(frozen=True)
class Published:
    """A published checkpoint: the name that a user gives it, its family in FAMILIES, its address."""

    name: str
    family: str
    data: str
    width: int
    address: str
    licence: str = LICENCE

    @property
    def about(self) -> str:
        """A few words on what it draws."""
        return f"{FAMILIES[self.family]}, {self.data}, {self.width} px"

    def describe_terms(self) -> str:
        """Return what a user must know before it is fetched, as sentences."""
        return f"{self.name}: {self.about}. Under {self.licence}. {SIZE}."


def _make(family: str, base: str, entry: str) -> Published:
    data, _, width = entry.partition("-")
    file = data if base == ADA else f"{family}-{data}-{width}x{width}"
    return Published(f"{family}-{entry}", family, DATA[data], int(width), f"{base}{file}.pkl")


PUBLISHED = tuple(_make(family, base, entry) for family, base, entries in TABLE for entry in entries.split())


@dataclass(frozen=True)
class PublishedDetector:
    """A feature network that metrics are defined by, a TorchScript file at `address`."""

    name: str
    about: str
    address: str

    def describe_terms(self) -> str:
        """Return what a user must know before it is fetched, as sentences."""
        return f"{self.name}.pt: {self.about}. Under {LICENCE}. It is a program, which torch runs. {SIZE}."


DETECTORS = (
    PublishedDetector(
        "inception-2015-12-05", "Inception, for FID, KID and IS", f"{ADA}metrics/inception-2015-12-05.pt"
    ),
    PublishedDetector("vgg16", "VGG16, for precision, recall and path lengths", f"{ADA}metrics/vgg16.pt"),
)


def find_detector(text: str) -> PublishedDetector | None:
    """Return the feature network of this name, with .pt or without, or at this address."""
    wanted, address = text.strip().lower().removesuffix(".pt"), text.strip().partition("#")[0]
    return next((one for one in DETECTORS if wanted == one.name or address == one.address), None)


def find_published(text: str) -> Published | None:
    """Return the checkpoint with this name (`...-256` or `...-256x256`, in any case) or at this address."""
    wanted = re.sub(r"-(\d+)x\1$", r"-\1", text.strip().lower())
    address = text.strip().partition("#")[0]
    return next((one for one in PUBLISHED if wanted == one.name or address == one.address), None)
