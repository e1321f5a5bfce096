# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Every number of the state has an address; what is written there is taken as far as the setting takes it."""

import copy
import math
import random
from dataclasses import fields, is_dataclass

import pytest
from click.testing import CliRunner
from support.paths import ROOT

from viz.cli.main import main
from viz.core import state as states
from viz.core.latent import Direction
from viz.core.state import AppState
from viz.osc.addresses import CLOSED, LISTS, describe_addresses, find_address, list_addresses, list_present


def numbers(owner: object, prefix: str = "") -> list[str]:
    """The dotted name of every setting that is a number, a switch, a word or a list of numbers."""
    found = []
    for item in fields(owner):
        value, name = getattr(owner, item.name), prefix + item.name
        if is_dataclass(value) and not type(value).__dataclass_params__.frozen:
            found += numbers(value, f"{name}.")
        elif isinstance(value, int | float) or "choices" in item.metadata or "most" in item.metadata:
            found.append(name)
    return found


def test_every_number_of_the_state_has_an_address() -> None:
    wanted = {f"/jinc/{name.replace('.', '/')}" for name in numbers(AppState()) if name not in CLOSED}
    wanted = {text for text in wanted if not text.startswith("/jinc/osc/")}
    known = {address.text for address in list_addresses()}
    assert wanted <= known and known - wanted == {
        f"/jinc/{side}latent/directions/direction" for side in ("", "right_")
    }, sorted(wanted ^ known)


def test_nobody_opens_a_port_from_outside() -> None:
    for name in ("on", "port", "host", "sends", "send_port", "bindings"):
        assert find_address(f"/jinc/osc/{name}") is None


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_the_state_stays_one_that_can_be_kept(seed: int) -> None:
    rng, state = random.Random(seed), AppState()
    hostile = [
        math.nan,
        math.inf,
        -math.inf,
        1e308,
        -1e308,
        1e-320,
        -0.0,
        2.0**63,
        0.5,
        -1,
        7,
        "",
        "x" * 200,
        "\0",
        "nan",
    ]
    hostile += ["blink", "other slot", "1"]
    addresses = list_addresses()
    for _ in range(600):
        address = rng.choice(addresses)
        if address.kind in LISTS:
            address = address.at(rng.choice([0, 1, address.count - 1]))
        address.write(state, rng.choice(hostile))
    kept = states.to_json(state)
    assert states.to_json(states.from_json(kept)) == kept
    for text, value in list_present(state):
        found = find_address(text)
        assert found is not None and found.read(state) == value, text
        assert isinstance(value, str) or found.low <= value <= found.high, text


def test_values_are_clamped_or_ignored() -> None:
    state = AppState()

    def write(text: str, value: float | str) -> object:
        address = find_address(f"/jinc/{text}")
        assert address is not None, text
        address.write(state, value)
        return address.read(state)

    assert write("transform/tx", 0.25) == 0.25 and state.transform.tx == 0.25
    assert (
        write("transform/tx", 1e9) == 4.0
        and write("transform/tx", math.nan) == 4.0
        and write("transform/tx", "1") == 4.0
    )
    assert write("latent/cutoff", 3.6) == 4 and type(state.latent.cutoff) is int
    assert write("canvas/mode", "blink") == "blink" and write("canvas/mode", 1.0) == "split"
    assert write("canvas/mode", "no such mode") == "split" and write("canvas/mode", 99.0) == "blink"
    assert write("transform/mirror", 1.0) is True and write("transform/mirror", 0.4) is False
    assert write("noise/scales/2", 3.0) == 3.0 and state.noise.scales == [1.0, 1.0, 3.0]
    assert write("latent/mixed/5", 1.0) and write("latent/mixed/2", 1.0) and state.latent.mixed == [2, 5]
    assert write("latent/mixed/5", 0.0) is False and state.latent.mixed == [2]
    assert write("latent/directions/direction/3", -1.5) == -1.5
    assert state.latent.directions.strength(Direction("pca", 3, 0, 63)) == -1.5
    assert write("linked", 0.0) is False and state.right_latent.mixed == [2], "each starts from what both shared"
    state.latent.directions.kind = "file"
    assert write("latent/directions/direction/3", 1.0) is None, "no file, no direction"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/jinc",
        "/jinc/",
        "/jinc/transform",
        "/jinc/transform/tx/0",
        "/jinc/noise/scales",
        "/jinc/noise/scales/64",
    ]
    + ["/jinc/noise/scales/-1", "/jinc/noise/scales/01", "/jinc/noise/scales/²", "/jinc/noise/scales/9" + "9" * 5000]
    + ["/jinc/recents", "/jinc/left/path", "/jinc/display/width", "/jinc/__class__", "/jinc/transform/__init__"],
)
def test_other_addresses_are_none(text: str) -> None:
    assert find_address(text) is None


def test_reading_leaves_the_state_as_it_is() -> None:
    state = AppState()
    before = copy.deepcopy(state)
    assert len(dict(list_present(state))) > 200
    assert state == before


def test_the_page_and_the_command_list_what_the_code_knows() -> None:
    table = describe_addresses()
    assert table in (ROOT / "docs" / "osc.md").read_text(encoding="utf-8"), (
        "docs/osc.md lacks the table of: python visualizer.py osc --addresses"
    )
    ran = CliRunner().invoke(main, ["osc", "--addresses"])
    assert ran.exit_code == 0 and ran.output == table + "\n"
    assert "| `/jinc/transform/scale` | a number | 0.25 to 4 | 1 |" in table
