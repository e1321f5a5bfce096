# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measurements of a small generator: against the formulas over features found by hand, and what is drawn how often."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.metrics.detectors import CLASSES, VGG_WIDTH, WIDTH, Inception, Other, Vgg16, load_detector, write_detector

from gan.data.file_sets import ImageError
from gan.data.image_dataset import ImageSource, open_images
from gan.data.image_io import to_uint8
from gan.metrics.collect import sum_rows
from gan.metrics.draws import PATHS, PICTURES, Draws, own_random_numbers
from gan.metrics.features import MissingFeatures, to_rgb_bytes
from gan.metrics.figure import Figure
from gan.metrics.frechet import frechet_distance
from gan.metrics.inception_score import inception_score
from gan.metrics.measure import Measurement
from gan.metrics.names import parse_metrics
from gan.metrics.path_length import mean_path_length, squared_distances
from gan.metrics.pictures import estimate_kernel_distance
from gan.metrics.precision_recall import precision_and_recall
from gan.metrics.reals import RealFeatures
from gan.metrics.torchscript import TorchScriptFeatures
from gan.networks.config import ConfigError
from gan.networks.generator import Generator, init_generator
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions
from gan.networks.synthesis_stylegan2 import draw_planes
from gan.shares import Share

NUM, PICTURES_OF_SET = 40, 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "set").mkdir()
    for i in range(PICTURES_OF_SET):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "set" / f"{i:02d}.png")
    write_detector(folder / "inception-2015-12-05.pt", Inception())
    write_detector(folder / "curved.pt", Inception(linear=False))
    write_detector(folder / "vgg16.pt", Vgg16())
    return folder


@pytest.fixture
def generator() -> Generator:
    return init_generator(rung_config("A", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2))


@pytest.fixture
def source(place: Path) -> ImageSource:
    return open_images(place / "set")


def inception(place: Path, name: str = "inception-2015-12-05") -> TorchScriptFeatures:
    return TorchScriptFeatures(place / f"{name}.pt")


def measure(generator: Generator, names: str, networks: dict, source: ImageSource | None, **options) -> list[Figure]:
    measurement = Measurement(generator, parse_metrics(names.split(",")), networks, source, **options)
    measurement.run()
    return [figure for figure, _ in measurement.figures()]


def test_figures_are_the_formulas_of_what_the_networks_see(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path
) -> None:
    network, vgg = inception(place), TorchScriptFeatures(place / "vgg16.pt")
    networks = {"fid": network, "kid": network, "is": network, "pr": vgg, "ppl": vgg}
    names = "fid0.04k_full,kid0.04k_full,pr0.04k3_full,is0.04k,ppl2_wend_0.04k"
    found = measure(generator, names, networks, source, mirror=True, batch=NUM, cache=tmp_path)
    assert [figure.title for figure in found] == names.split(",")
    fid, kid, pr, score, ppl = found

    draws = Draws(generator, 0)
    with torch.no_grad(), own_random_numbers(torch.device("cpu"), 0, 0):
        images = generator(draws.latents(PICTURES, 0, NUM)[:, 0], noise="random")
    pictures = to_uint8(images).permute(0, 3, 1, 2).contiguous()
    reals = torch.from_numpy(np.stack([source.read(i) for i in range(PICTURES_OF_SET)]))
    reals = torch.cat([reals, reals.flip(3)])
    module = load_detector(place / "inception-2015-12-05.pt")
    fake, real = (module(x, return_features=True).detach().numpy() for x in (pictures, reals))
    expected = frechet_distance(sum_rows(real), sum_rows(fake))
    assert fid.results == {"fid0.04k_full": pytest.approx(expected, rel=1e-4)} and math.isnan(fid.error)
    # The rows of a set are its pictures, and each batch's mirror images after them.
    assert kid.results == {"kid0.04k_full": pytest.approx(estimate_kernel_distance(fake, real)[0], rel=1e-4)}
    mean, deviation = inception_score(module(pictures, no_output_bias=True).detach().numpy())
    assert score.results == {"is0.04k_mean": pytest.approx(mean), "is0.04k_std": pytest.approx(deviation, rel=1e-3)}
    module = load_detector(place / "vgg16.pt")
    precision, recall = precision_and_recall(*(module(x, return_features=True).detach() for x in (pictures, reals)))
    assert pr.results == {"pr0.04k3_full_precision": precision, "pr0.04k3_full_recall": recall}

    with torch.no_grad():
        z = draws.latents(PATHS, 0, NUM, each=2)
        begin, end = generator.mapping(z[:, 0]), generator.mapping(z[:, 1])
        near = begin + 1e-4 * (end - begin)
        with own_random_numbers(torch.device("cpu"), 0, 0):
            planes = draw_planes(generator.config, Share(NUM), torch.device("cpu"))
        options = SynthesisOptions(noise="const", planes=planes)
        ends = [generator.synthesis(w, options).add(1).mul(127.5) for w in (begin, near)]
        seen = [module(x, resize_images=False, return_lpips=True).numpy() for x in ends]
    assert ppl.results == {"ppl2_wend_0.04k": pytest.approx(mean_path_length(squared_distances(*seen)), rel=1e-2)}
    assert 0 < ppl.error < ppl.results["ppl2_wend_0.04k"]


def test_one_forward_pass_for_all_metrics(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, tuple[str, ...]]] = []
    run = TorchScriptFeatures._run
    network, curved = inception(place), inception(place, "curved")

    def counted(self: TorchScriptFeatures, pictures: torch.Tensor, **options: bool) -> torch.Tensor:
        seen.append((len(pictures), tuple(options)))
        return run(self, pictures, **options)

    monkeypatch.setattr(TorchScriptFeatures, "_run", counted)
    names = "fid0.04k_full,kid0.04k_full,is0.04k"
    options = {"batch": 10, "cache": tmp_path}
    found = measure(generator, names, dict.fromkeys(("fid", "kid", "is"), network), source, **options)
    of_reals, of_fakes = [(10, ("return_features",))] * 3, [(10, ("return_features",))] * 4
    assert seen == [*of_reals, of_fakes[0], (10, ("no_output_bias",)), *of_fakes[1:]]  # the first batch is checked
    assert not any(figure.detector for figure in found)

    seen.clear()
    again = measure(generator, names, dict.fromkeys(("fid", "kid", "is"), network), source, **options)
    assert seen == of_fakes, "the set is remembered, and its file known"
    assert [figure.results for figure in again] == [figure.results for figure in found]
    seen.clear()
    (score,) = measure(generator, "is0.04k", {"is": curved}, None, **options)
    assert seen == [(10, (name,)) for _ in range(4) for name in ("return_features", "no_output_bias")]
    assert score.title == "is0.04k (curved)"
    assert list(score.results) == ["is0.04k_mean (curved)", "is0.04k_std (curved)"]


def test_batches_and_other_metrics_change_no_figure(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path
) -> None:
    quiet = init_generator(rung_config("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, num_layers=4))
    networks = dict.fromkeys(("fid", "is"), inception(place))
    (alone,) = measure(quiet, "fid0.04k_full", networks, source, batch=40, cache=tmp_path)
    together = measure(quiet, "is0.04k,fid0.04k_full,eq_t", networks, source, batch=7, cache=tmp_path / "other")
    assert [figure.metric.kind for figure in together] == ["is", "fid", "eq_t"]
    assert together[1].results["fid0.04k_full"] == pytest.approx(alone.results["fid0.04k_full"], rel=1e-4)


def test_too_few_pictures_are_refused_before_any_is_drawn(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path
) -> None:
    networks = dict.fromkeys(("fid", "kid", "pr", "is"), inception(place))
    for names, said in (("is0.009k", "is0.009k needs at least 10 pictures"), ("kid0.003k_full", "at least 4 pictures")):
        with pytest.raises(ConfigError, match=said):
            Measurement(generator, parse_metrics([names]), networks, source)
    source = source.choose_subset(1, 0)
    for name in ("kid0.04k_full", "pr0.04k3_full"):
        with pytest.raises(ConfigError, match=f"{name} needs a set of at least 4 pictures, and set has 1"):
            Measurement(generator, parse_metrics([name]), networks, source)
    (fid,) = measure(generator, "fid0.04k_full", networks, source, cache=tmp_path)
    assert math.isfinite(fid.results["fid0.04k_full"])


def test_features_that_are_no_numbers_are_refused(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = inception(place)
    run = TorchScriptFeatures._run
    monkeypatch.setattr(TorchScriptFeatures, "_run", lambda *args, **options: run(*args, **options) * math.inf)
    with pytest.raises(MissingFeatures, match="not finite numbers"):
        measure(generator, "fid0.04k_full", {"fid": network}, source, cache=tmp_path)
    assert not list(tmp_path.iterdir()), "and nothing of it is remembered"


def test_training_does_not_notice_a_measurement(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path
) -> None:
    """Rung A's noise is random in these pictures, and yet torch's random numbers go on as they were."""
    before = torch.get_rng_state()
    first = measure(generator, "fid0.04k_full", {"fid": inception(place)}, source, cache=tmp_path)
    torch.randn(5)
    after = torch.get_rng_state()
    second = measure(generator, "fid0.04k_full", {"fid": inception(place)}, source, cache=tmp_path)
    assert torch.equal(after, torch.get_rng_state()) and not torch.equal(before, after)
    assert first == second


def test_what_ended_early_is_named_by_what_there_is(
    generator: Generator, source: ImageSource, place: Path, tmp_path: Path
) -> None:
    network = inception(place)
    networks = dict.fromkeys(("fid", "kid", "is"), network)
    metrics = parse_metrics(["fid50k_full", "kid50k_full", "is50k"])
    measurement = Measurement(generator, metrics, networks, source, batch=8, cache=tmp_path)

    def end(stage: str, done: int, total: int, said: str) -> None:
        if stage == "pictures" and done == 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measurement.run(end)
    assert [figure.title for figure, _ in measurement.figures()] == ["fid0.024k_full", "kid0.024k_full", "is0.024k"]
    nothing = Measurement(generator, metrics, networks, source, batch=8, cache=tmp_path)
    assert nothing.figures() == ()


def test_the_stop_rule_waits_for_errors(generator: Generator, place: Path, tmp_path: Path) -> None:
    networks = {"is": inception(place), "ppl": TorchScriptFeatures(place / "vgg16.pt")}
    for limit, pictures, pairs in ((1e9, 1008, 32), (1e-9, 1100, 40)):
        metrics = [*parse_metrics(["is1.1k"]), *parse_metrics(["ppl2_wend_0.04k"])]
        measurement = Measurement(generator, metrics, networks, batch=16)
        measurement.run(stop_error=limit)
        assert [figure.metric.num for figure, _ in measurement.figures()] == [pictures, pairs]


def test_flat_pictures_cost_no_other_figure(place: Path) -> None:
    flat = init_generator(rung_config("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8, num_layers=4))
    flat.synthesis.get_submodule(flat.layer_names[-1]).weight.zero_()
    score, sticking = measure(flat, "is0.02k,stickiness_0.002k", {"is": inception(place)}, None)
    assert score.results["is0.02k_mean"] == pytest.approx(1)
    assert math.isnan(sticking.results["stickiness_0.002k"])


def test_the_error_of_kid_is_none_where_subsets_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan.metrics.kernel_distance.SUBSET_SIZE", 100)
    fake, real = (np.random.default_rng(i).standard_normal((90, 4)).astype(np.float32) for i in range(2))
    assert math.isnan(estimate_kernel_distance(fake, real)[1])
    many = [np.random.default_rng(i).standard_normal((400, 4)).astype(np.float32) for i in range(8)]
    distances = [estimate_kernel_distance(many[i], many[i + 1]) for i in range(0, 8, 2)]
    spread = np.std([distance for distance, _ in distances], ddof=1)
    assert spread / 4 < np.mean([error for _, error in distances]) < 4 * spread


# ------------------------------------------------------------------------------------------------- what is remembered


def test_a_set_is_looked_at_again_only_if_something_changed(source: ImageSource, place: Path, tmp_path: Path) -> None:
    network = inception(place)
    first = RealFeatures(source, network, folder=tmp_path)
    assert not first.find(True, True)
    first.measure(True, True, 8, lambda *_: None)
    again = RealFeatures(source, network, folder=tmp_path)
    assert again.find(True, True) and np.array_equal(again.rows, first.rows)
    assert np.array_equal(again.stats.mean, first.stats.mean)
    assert not RealFeatures(source, network, True, folder=tmp_path).find(True, False)
    assert not RealFeatures(source, inception(place, "curved"), folder=tmp_path).find(True, False)
    (sums,) = tmp_path.glob("*-sums.npz")
    sums.unlink()
    assert again.find(True, False), "the sums are those of the rows"
    (rows,) = tmp_path.glob("*-rows.npz")
    for damage in (
        rows.read_bytes()[:-200],
        b"",
        b"PK\x03\x04",
        b"\x93NUMPY",
        _npz(tmp_path, rows=np.full((3, WIDTH), np.nan)),
    ):
        rows.write_bytes(damage)
        assert not RealFeatures(source, network, folder=tmp_path).find(True, True)
    np.savez(rows, rows=np.array([{}], object), allow_pickle=True)
    assert not RealFeatures(source, network, folder=tmp_path).find(True, True), "no object is unpickled"


def _npz(folder: Path, **arrays: np.ndarray) -> bytes:
    np.savez(folder / "made.npz", **arrays)
    return (folder / "made.npz").read_bytes()


def test_sets_of_another_size_are_refused(generator: Generator, place: Path, tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir()
    Image.new("L", (32, 32)).save(tmp_path / "wide" / "a.png")
    with pytest.raises(ImageError, match="32x32 with 1 channel, and the model draws 16x16 with 3"):
        measure(generator, "fid0.04k_full", {"fid": inception(place)}, open_images(tmp_path / "wide"))


# ------------------------------------------------------------------------------------------------------ the detectors


def test_detectors_are_known_by_what_they_take(place: Path, tmp_path: Path) -> None:
    found = inception(place)
    assert (found.role, found.width, found.name) == ("inception-2015-12-05", WIDTH, "")
    other = TorchScriptFeatures(write_detector(tmp_path / "mine.pt", Vgg16()))
    assert (other.role, other.width, other.name) == ("vgg16", VGG_WIDTH, "mine")
    assert found.digest != other.digest
    pictures = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    assert found.classify(pictures, found(pictures)).shape == (2, CLASSES)
    with pytest.raises(MissingFeatures, match="knows no classes"):
        other.classify(pictures, other(pictures))
    with pytest.raises(MissingFeatures, match="knows no perceptual distances"):
        found.perceive(pictures.float())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x04.", None])
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.pt"
    if content is None:
        write_detector(path, Other())
    else:
        path.write_bytes(content)
    with pytest.raises(MissingFeatures, match=r"is (no TorchScript file|neither of StyleGAN2-ADA's two detectors)"):
        TorchScriptFeatures(path)
    with pytest.raises(MissingFeatures, match="cannot be read"):
        TorchScriptFeatures(tmp_path)


def test_pictures_of_any_channels_become_rgb_bytes() -> None:
    grey = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(to_rgb_bytes(grey), grey.expand(1, 3, 16, 16))
    clear = torch.cat([grey.expand(1, 3, 16, 16), torch.zeros_like(grey)], 1)
    assert set(to_rgb_bytes(clear).unique().tolist()) <= {127, 128}
    assert torch.equal(to_rgb_bytes(grey.float().div(127.5).sub(1)), grey.expand(1, 3, 16, 16))
