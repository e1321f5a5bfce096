# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN2 in rosinality's files and those of its family: every container, form and variant that is written."""

import pytest
import torch
from safetensors.torch import save_file
from support import rosinality as theirs
from support.foreign import arguments, case, module, pickled, snapshot, state_of

from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header, save_generator
from gan.checkpoints.pickle_stubs import Storage, StoredTensor
from gan.checkpoints.read_limits import Budget, RefusedError
from gan.checkpoints.rosinality import find_networks


def assert_same(path, ours, network=None) -> None:
    """A file draws what our network draws, in whole and truncated, and survives being written as ours."""
    found, facts = load_generator(path, network=network)
    z = torch.randn(2, ours.config.z_dim)
    assert torch.equal(found(z), ours(z)) and torch.equal(found(z, psi=0.7), ours(z, psi=0.7))
    again = path.with_name("again.safetensors")
    save_generator(again, found, facts)
    loaded = load_generator(again)[0]
    assert loaded.config == found.config and torch.equal(loaded(z, psi=0.7), ours(z, psi=0.7))


def refused(path, words: str) -> None:
    for opening in (read_header, load_generator):
        with pytest.raises(CheckpointError, match=words) as caught:
            opening(path)
        assert str(caught.value).startswith(path.name) and str(caught.value).endswith(".")


@pytest.mark.parametrize("stream", [False, True], ids=["zip", "stream"])
def test_a_converted_file(tmp_path, stream):
    ours = theirs.generator()
    data = {"g_ema": theirs.generator_state(ours), "latent_avg": ours.mapping.w_avg}
    path = theirs.save(tmp_path / "converted.pt", data, stream=stream)
    assert_same(path, ours)
    header = read_header(path)
    assert header.describe().endswith("of a rosinality StyleGAN2 generator, which carries no code")
    assert header.networks == ("g_ema",) and header.config.conv_clamp is None and header.config.mapping_layers == 3


@pytest.mark.parametrize("stream", [False, True], ids=["zip", "stream"])
def test_a_training_checkpoint_with_tags_of_a_gpu(tmp_path, stream, monkeypatch):
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:1")
    ours, critic = theirs.generator(), theirs.discriminator()
    path = theirs.save(tmp_path / "025000.pt", theirs.training(ours, critic), stream=stream)
    assert b"cuda:1" in path.read_bytes()
    header = read_header(path)
    assert set(header.networks) == {"g", "d", "g_ema"} and header.network == "g_ema"
    found = load_generator(path)[0]
    ours.mapping.w_avg.copy_(found.mapping.w_avg)  # the file holds none
    assert_same(path, ours)
    assert torch.equal(load_generator(path, network="g")[0].synthesis.b4.const, ours.synthesis.b4.const + 1)
    img = torch.randn(8, 3, 32, 32)
    assert torch.equal(load_discriminator(path)(img), critic(img))
    with pytest.raises(CheckpointError, match="holds a generator under the name g"):
        load_discriminator(path, network="g")


def test_arguments_are_never_believed(tmp_path):
    ours = theirs.generator(64)
    data = theirs.training(ours, theirs.discriminator(64), args=theirs.namespace(size=16, latent=3, n_mlp=1))
    config = read_header(theirs.save(tmp_path / "a.pt", data)).config
    assert (config.resolution, config.w_dim, config.mapping_layers) == (64, 12, 3)
    del data["args"]
    assert read_header(theirs.save(tmp_path / "b.pt", data)).config == config


def test_without_an_average_it_is_the_mean_w_of_many_latents(tmp_path):
    ours = theirs.generator()
    path = theirs.save(tmp_path / "nada.pt", {"g_ema": theirs.generator_state(ours), "g_optim": {}})
    assert read_header(path).describe().endswith("no code; it holds no average w (the mean of 10,000 is taken)")
    average = load_generator(path)[0].mapping.w_avg
    assert torch.equal(average, load_generator(path)[0].mapping.w_avg), "the same each time"
    torch.manual_seed(5)
    w = ours.mapping(torch.randn(10_000, 12))[:, 0]
    assert (average - w.mean(dim=0)).abs().max() < 5 * w.std() / 100
    assert average.abs().max() > 0


def test_without_noise_the_planes_are_fixed(tmp_path):
    ours = theirs.generator()
    state = theirs.generator_state(ours, noises=False)
    path = theirs.save(tmp_path / "plain.pt", {"g_ema": state, "latent_avg": ours.mapping.w_avg})
    assert read_header(path).describe().endswith("; it holds no noise planes (fixed ones are taken)")
    first, second = load_generator(path)[0], load_generator(path)[0]
    planes = [first.synthesis.get_submodule(name).noise_const for name in ("b4.conv1", "b8.conv0", "b32.conv1")]
    assert all(0.5 < plane.std() < 1.5 for plane in planes) and not torch.equal(
        planes[1], first.synthesis.b8.conv1.noise_const
    )
    z = torch.randn(1, 12)
    assert torch.equal(first(z), second(z))
    assert torch.equal(first(z, noise="none"), ours(z, noise="none"))
    del state["to_rgbs.0.upsample.kernel"], state["convs.0.conv.blur.kernel"]
    assert torch.equal(load_generator(theirs.save(path, {"g_ema": state}))[0](z), first(z)), "filters may be missing"
    state["noises.noise_0"] = torch.ones(1, 1, 4, 4)  # some are there
    assert torch.equal(
        load_generator(theirs.save(path, {"g_ema": state}))[0].synthesis.b4.conv1.noise_const, torch.ones(4, 4)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_planes_that_a_file_lacks_do_not_count_as_its_size(tmp_path, dtype):
    """Those of 1024 pixels are 11 MB, much more than narrow layers are."""
    ours = theirs.generator(1024, channel_base=1024, channel_max=4)
    state = {name: tensor.to(dtype) for name, tensor in theirs.generator_state(ours, noises=False).items()}
    path = theirs.save(tmp_path / "plain.pt", {"g_ema": state, "latent_avg": ours.mapping.w_avg})
    assert path.stat().st_size < 2**18
    assert load_generator(path)[0].config.resolution == 1024
    assert "no noise planes" in read_header(path).describe()


@pytest.mark.parametrize("shape", [(12,), (1, 12), (8, 12), (1, 8, 12)])
@pytest.mark.parametrize("place", ["beside", "inside"])
def test_decoders_beside_encoders_and_every_shape_of_their_average(tmp_path, shape, place):
    ours = theirs.generator()
    state = theirs.ENCODER | theirs.under("decoder.", theirs.generator_state(ours))
    average = ours.mapping.w_avg.expand(shape).clone()
    data = {"state_dict": state, "opts": theirs.OPTIONS} | ({"latent_avg": average} if place == "beside" else {})
    if place == "inside":
        state["latent_avg"] = average
    path = theirs.save(tmp_path / "psp.pt", data)
    assert_same(path, ours)
    assert read_header(path).networks == ("decoder",)


def test_more_of_the_family(tmp_path):
    ours = theirs.generator()
    g = theirs.generator_state(ours)
    mapper = {"mapper.course_mapping.1.weight": torch.zeros(4, 4)} | theirs.under("decoder.", g)
    latent_critic = {"discriminator_state_dict": {"mlp.0.weight": torch.zeros(2, 2)}, "optimizer": theirs.optimiser(g)}
    w_avg = ours.mapping.w_avg
    for number, data in enumerate(
        (
            {"state_dict": mapper, "opts": theirs.namespace(stylegan_size=32), "latent_avg": w_avg},  # StyleCLIP
            {"state_dict": theirs.under("decoder.", g), "latent_avg": w_avg, **latent_critic},  # e4e
            {"g_ema": theirs.under("module.", g), "latent_avg": w_avg, "iter": 4},  # of several GPUs
            g | {"latent_avg": w_avg, "steps": torch.tensor(4)},  # bare
            {"g": g, "latent_avg": w_avg, "mean": torch.zeros(3)},  # JoJoGAN, with something stray
            theirs.under("generator.", g) | {"latent_avg": w_avg, "steps": torch.tensor(4)},
        )
    ):
        assert_same(theirs.save(tmp_path / f"{number}.pt", data), ours)
    save_file(
        {name: tensor.contiguous() for name, tensor in (g | {"latent_avg": w_avg}).items()}, tmp_path / "a.safetensors"
    )
    assert_same(tmp_path / "a.safetensors", ours)


def test_an_average_of_another_width_is_not_used(tmp_path):
    data = {"g_ema": theirs.generator_state(theirs.generator()), "latent_avg": torch.zeros(18, 512)}
    assert load_generator(theirs.save(tmp_path / "a.pt", data))[0].mapping.w_avg.abs().max() > 0
    data["latent_avg"] = None
    assert load_generator(theirs.save(tmp_path / "b.pt", data))[0].mapping.w_avg.shape == (12,)


@pytest.mark.parametrize("channels", [(8, 8, 4, 2), (8, 8, 16, 8), (3, 5, 2, 7)], ids=["rule", "m = 4", "any"])
def test_channels_come_from_the_stored_shapes(tmp_path, channels):
    ours = theirs.generator(block_channels=channels)
    critic = theirs.discriminator(block_channels=channels)
    path = theirs.save(tmp_path / "wide.pt", theirs.training(ours, critic, latent_avg=ours.mapping.w_avg))
    assert_same(path, ours)
    img = torch.randn(4, 3, 32, 32)
    assert torch.equal(load_discriminator(path)(img), critic(img))
    config = read_header(path).config
    assert bool(config.block_channels) == (channels != (8, 8, 4, 2)), "the usual rule where it holds"


def test_other_widths_depths_and_types(tmp_path):
    ours = theirs.generator(16, z_dim=7, w_dim=9, mapping_layers=1, img_channels=4)
    state = {name: tensor.double() for name, tensor in theirs.generator_state(ours).items()}
    path = theirs.save(tmp_path / "double.pt", {"g_ema": state, "latent_avg": ours.mapping.w_avg.double()})
    assert_same(path, ours)
    half = {name: tensor.half() for name, tensor in state.items()}
    config = read_header(theirs.save(tmp_path / "half.pt", {"g_ema": half})).config
    assert (config.z_dim, config.w_dim, config.mapping_layers, config.img_channels) == (7, 9, 1, 4)
    assert load_generator(tmp_path / "half.pt")[0](torch.randn(1, 7)).dtype == torch.float32


@pytest.mark.parametrize("told", [False, True])
def test_swagan_is_refused_by_name(tmp_path, told):
    state = theirs.generator_state(theirs.generator())
    data = {"g_ema": state, "args": theirs.namespace(arch="swagan" if told else "stylegan2")}
    if not told:
        data["g_ema"] = state | {"to_rgbs.0.iwt.ll": torch.zeros(2, 2)}
    refused(theirs.save(tmp_path / "swagan.pt", data), "SWAGAN.*open a model that was trained with")


def test_pictures_that_are_not_square_are_refused_with_a_way_on(tmp_path):
    state = theirs.generator_state(theirs.generator())
    state["input.input"] = torch.zeros(1, 8, 4, 2)
    refused(
        theirs.save(tmp_path / "human.pt", {"g_ema": state}), "32 high and 16 wide: .*StyleGAN-Human.*or open a square"
    )


@pytest.mark.parametrize("stem", ["stylegan2_64", "stylegan3_t_64"])
def test_pictures_of_official_pickles_that_are_not_square(tmp_path, stem):
    settings, tensors = case(stem)
    for square in (True, False):
        whole = module("Generator", state_of(tensors), arguments(settings | {"square": square}))
        (tmp_path / "human.pkl").write_bytes(pickled(snapshot({"G_ema": whole})))
        if square:
            assert read_header(tmp_path / "human.pkl").config.resolution == 64
        else:
            refused(tmp_path / "human.pkl", "like StyleGAN-Human's.*or open a square model")
            whole = module("Generator", state_of(tensors), arguments(settings), square=False)  # kept as an attribute
            (tmp_path / "human.pkl").write_bytes(pickled(snapshot({"G_ema": whole})))
            refused(tmp_path / "human.pkl", "is a model of pictures that are not square")


def test_bare_official_weights_of_pictures_that_are_not_square(tmp_path):
    state = state_of(case("stylegan2_64")[1])
    state["synthesis.b4.const"] = state["synthesis.b4.const"][:, :, :2].clone()
    refused(theirs.save(tmp_path / "human.pt", {"g_ema": state}), "64 high and 32 wide.*or open a square model")
    whole = module("Generator", state, arguments(case("stylegan2_64")[0]))
    (tmp_path / "human.pkl").write_bytes(pickled(snapshot({"G_ema": whole})))
    refused(tmp_path / "human.pkl", "64 high and 32 wide.*or open a square model")


def test_damaged_and_unknown_variants_are_one_sentence(tmp_path):
    def broken(change):
        state = theirs.generator_state(theirs.generator())
        change(state)
        return theirs.save(tmp_path / "broken.pt", {"g_ema": state})

    refused(broken(lambda s: s.pop("conv1.activate.bias")), "lacks conv1.activate.bias: it is damaged")
    refused(broken(lambda s: s.pop("convs.2.conv.weight")), "lacks convs.2.conv.weight")
    refused(broken(lambda s: s.pop("style.1.weight")), "lacks its mapping")
    refused(broken(lambda s: s.pop("to_rgbs.0.conv.weight")), "lacks its layers")
    refused(broken(lambda s: s.update({"attention.weight": torch.zeros(1)})), "do not fit.*attention.weight.*a variant")
    refused(broken(lambda s: s.update({"to_rgb1.bias": torch.zeros(4)})), "b4.torgb.bias")
    refused(broken(lambda s: s.update({"conv1.noise.weight": torch.tensor(1.0)})), "lacks conv1.noise.weight")
    refused(broken(lambda s: s.update({"conv1.conv.weight": torch.zeros(2)})), "b4.conv1.weight|lacks")
    kernel = torch.ones(4, 4) / 4
    path = broken(lambda s: s.update({"convs.0.conv.blur.kernel": kernel}))
    with pytest.raises(CheckpointError, match="built with filters of its own"):
        load_generator(path)
    critic = theirs.discriminator_state(theirs.discriminator())
    del critic["final_conv.0.weight"]
    with pytest.raises(CheckpointError, match="lacks final_conv.0.weight"):
        load_discriminator(theirs.save(tmp_path / "d.pt", {"d": critic}))


def test_what_is_unknown_is_refused_inside_the_generator_only(tmp_path):
    ours = theirs.generator()
    data = {
        "g_ema": theirs.generator_state(ours),
        "latent_avg": ours.mapping.w_avg,
        "args": theirs.namespace(path=tmp_path),
    }
    assert_same(theirs.save(tmp_path / "path.pt", data), ours)  # a pathlib.Path within a Namespace
    data["g_ema"]["conv1.extra"] = tmp_path
    refused(theirs.save(tmp_path / "inside.pt", data), "asks for pathlib")


def test_a_table_under_many_names_has_its_price():
    table = {f"t{number}": StoredTensor(Storage("float32", 1), 0, (1,), (1,)) for number in range(1000)}
    with pytest.raises(RefusedError, match="far more objects"):
        find_networks({f"n{number}": table for number in range(1000)}, Budget(1000))
    mark = StoredTensor(Storage("float32", 1), 0, (1, 1, 1, 1), (1, 1, 1, 1))
    long = {f"{'x' * 100}.{name}": mark for name in ("input.input", "conv1.conv.weight")}
    assert find_networks({"state_dict": long}, Budget(1000)) == {}, "no name that fills a sentence"
