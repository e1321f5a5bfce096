# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC over real sockets: in, out, no echoes, floods, nonsense, and bindings that are learnt."""

import random
import socket
import struct
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from viz.cli.main import main
from viz.core import state as states
from viz.core.osc_state import CURVES, MOST_BINDINGS, Binding, bend, unbend
from viz.core.state import AppState
from viz.osc import learning, messages
from viz.osc.link import OscLink
from viz.osc.messages import build
from viz.osc.sender import AT_ONCE


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Peer:
    """The other side: a socket that sends to the link and hears what it sends, and the link with its state."""

    def __init__(self, sends: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.0)
        self.state = AppState()
        self.state.osc.on, self.state.osc.port = True, free_port()
        self.state.osc.sends, self.state.osc.send_port = sends, self.socket.getsockname()[1]
        self.link = OscLink(self.state)
        self.frame()
        assert self.link.error == "" and self.link.is_open

    def frame(self) -> bool:
        self.link.look()
        came = self.link.receive()
        self.link.send()
        return came

    def say(self, address: str, value: float | str) -> None:
        self.raw(build(address, value))

    def raw(self, data: bytes) -> None:
        self.socket.sendto(data, ("127.0.0.1", self.state.osc.port))

    def frames_until_something_came(self) -> int:
        for count in range(1, 200):
            time.sleep(0.005)
            if self.frame():
                return count
        raise AssertionError("nothing came")

    def heard(self) -> list[tuple[str, object]]:
        found = []
        while True:
            try:
                message = OscMessage(self.socket.recv(65536))
            except (TimeoutError, BlockingIOError):
                return found
            found.append((message.address, message.params[0]))


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(sends=False)
    yield made
    made.link.close()
    made.socket.close()


@pytest.fixture
def talker() -> Iterator[Peer]:
    made = Peer(sends=True)
    yield made
    made.link.close()
    made.socket.close()


def test_a_message_sets_its_setting(peer: Peer) -> None:
    peer.say("/jinc/transform/tx", 0.1)
    peer.frames_until_something_came()
    assert peer.state.transform.tx == 0.1, "and not 0.10000000149, which 32 bits hold"
    peer.say("/jinc/canvas/mode", "blink")
    peer.frames_until_something_came()
    assert peer.state.canvas.mode == "blink" and "blink" in peer.link.last


def test_the_last_message_is_one_that_took_effect(peer: Peer) -> None:
    peer.say("/jinc/latent/psi", 99.0)
    peer.frames_until_something_came()
    most = peer.state.latent.psi
    assert most < 99.0 and peer.link.last == f"/jinc/latent/psi  {most:g}", "what it became"
    for address, value in (
        ("/jinc/canvas/mode", "sideways"),
        ("/jinc/latent/psi", "much"),
        ("/jinc/directions/step/0", 1.0),
        ("/1/fader1", 0.5),
    ):
        peer.say(address, value)
    for _ in range(20):
        time.sleep(0.005)
        assert not peer.frame(), "nothing of it means anything"
    assert peer.link.last == f"/jinc/latent/psi  {most:g}"


def test_messages_in_bundles_are_read(peer: Peer) -> None:
    inner, outer = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    for bundle, name, value in ((inner, "tx", 0.5), (outer, "ty", -0.5)):
        message = OscMessageBuilder(f"/jinc/transform/{name}")
        message.add_arg(value)
        bundle.add_content(message.build())
    outer.add_content(inner.build())
    peer.raw(outer.build().dgram)
    peer.frames_until_something_came()
    assert (peer.state.transform.tx, peer.state.transform.ty) == (0.5, -0.5)


def test_nonsense_changes_nothing_and_ends_nothing(peer: Peer) -> None:
    rng = random.Random(0)
    before = states.to_json(peer.state)
    good = build("/jinc/transform/tx", 0.5)
    bundle = b"#bundle\0" + b"\0" * 8
    deep = good
    for _ in range(200):
        deep = bundle + struct.pack(">i", len(deep)) + deep
    odd = [
        b"",
        b"\0",
        b"/",
        b"/\0\0\0",
        good[:-1],
        good[:21],
        good[:20],
        deep,
        bundle,
        bundle + b"\xff" * 8,
        bundle + b"\0" * 4000,
    ]
    odd += [
        b"/jinc/transform/tx\0\0" + tail
        for tail in (b"", b",", b",\0\0\0", b",b\0\0\x7f\xff\xff\xff", b",f\0\0", b",[\0\0")
    ]
    odd += [b"/jinc/transform/tx\0\0,f\0\0" + struct.pack(">f", value) for value in (float("nan"), float("inf"))]
    odd += [b"/jinc/transform/tx\0\0," + b"i" * 60_000, b"/jinc/transform/tx\0\0," + b"?" * 400]
    odd += [b"/jinc/transform/tx\0\0,s\0\0" + bytes([0xFF] * 4) + b"\0" * 4, b"/jinc/transform/tx\0\0,s\0\0abc\0"]
    odd += [b"/\xff\xfe\0,f\0\0\0\0\0\0", b"/jinc/osc/on\0\0\0\0,i\0\0\0\0\0\0", b"/jinc/*/tx\0\0,f\0\0?\0\0\0"]
    odd += [rng.randbytes(rng.randrange(200)) for _ in range(300)]
    for data in odd:
        peer.raw(data)
    for _ in range(20):
        time.sleep(0.01)
        peer.frame()
    assert states.to_json(peer.state) == before
    peer.say("/jinc/transform/tx", 0.75)
    peer.frames_until_something_came()
    assert peer.state.transform.tx == 0.75


def test_a_flood_takes_no_time_of_a_frame_and_its_last_value_stays(peer: Peer) -> None:
    data = [build("/jinc/latent/psi", index / 64) for index in range(64)]
    data += [build(f"/unknown/{index}", 1.0) for index in range(64)]
    began, sent, frames, worst = time.perf_counter(), 0, 0, 0.0
    while time.perf_counter() - began < 1.5:
        while sent < 10_000 * (time.perf_counter() - began):
            peer.raw(data[sent % len(data)])
            sent += 1
        before = time.perf_counter()
        peer.frame()
        worst, frames = max(worst, time.perf_counter() - before), frames + 1
        time.sleep(0.005)
    assert sent >= 14_000 and frames > 20
    assert worst < 0.1, "of a frame, on a machine that may be busy"
    for _ in range(3):
        peer.say("/jinc/latent/psi", 0.123)
        time.sleep(0.02)
        peer.frame()
    assert peer.state.latent.psi == 0.123 and len(peer.link._receiver.take()) == 0


def test_changes_are_sent_once_and_what_came_is_not_sent_back(talker: Peer) -> None:
    assert talker.heard() == [], "the other side is taken to know what there is"
    talker.state.transform.tx, talker.state.canvas.mode, talker.state.latent.cutoff = 0.25, "split", 3
    talker.frame()
    assert sorted(talker.heard()) == [
        ("/jinc/canvas/mode", "split"),
        ("/jinc/latent/cutoff", 3),
        ("/jinc/transform/tx", 0.25),
    ]
    talker.frame()
    assert talker.heard() == []
    talker.say("/jinc/transform/ty", 0.3)
    talker.frames_until_something_came()
    assert talker.state.transform.ty == 0.3 and talker.heard() == []


def test_a_long_list_is_sent_over_several_frames_and_holds_nothing_else_up(talker: Peer) -> None:
    talker.state.latent.vector = [1.0] * 4096
    talker.state.transform.tx = 0.5
    told: dict[str, list[object]] = {}
    for frame in range(40):
        if frame < 20:  # as it moves, all of it
            talker.state.latent.vector = [float(frame)] * 4096
        talker.frame()
        came = talker.heard()
        assert len(came) <= AT_ONCE
        for address, value in came:
            told.setdefault(address, []).append(value)
        if frame == 19:
            assert told["/jinc/transform/tx"] == [0.5]
    assert len(told) == 4097 and all(told[f"/jinc/latent/vector/{index}"][-1] == 19.0 for index in range(4096))


def test_an_echo_does_not_pull_a_moving_setting_back(talker: Peer) -> None:
    for step in range(1, 30):
        talker.state.transform.tx = step / 30
        talker.frame()
        for address, value in talker.heard():
            talker.say(address, value)  # a program that sends back all that it gets
        time.sleep(0.004)
        talker.frame()
        assert talker.state.transform.tx == step / 30
    time.sleep(0.3)
    talker.say("/jinc/transform/tx", 1 / 30)
    talker.frames_until_something_came()
    assert talker.state.transform.tx == pytest.approx(1 / 30), "what was sent long ago is no echo any more"


def test_a_bound_controller_moves_its_setting_and_follows_it(talker: Peer) -> None:
    talker.state.osc.bind(Binding("/1/fader", "/jinc/transform/degrees", 0.0, 127.0, 90.0, -90.0))
    talker.frame()
    assert talker.heard() == [("/1/fader", 63.5)], "where the setting is"
    talker.say("/1/fader", 127.0)
    talker.frames_until_something_came()
    assert talker.state.transform.degrees == -90.0, "turned round"
    assert talker.heard() == [("/jinc/transform/degrees", -90.0)], "and not back to the fader"
    talker.say("/1/fader", 1e6)
    talker.frames_until_something_came()
    assert talker.state.transform.degrees == -90.0
    talker.state.transform.degrees = 90.0
    talker.frame()
    assert sorted(talker.heard()) == [("/1/fader", 0.0), ("/jinc/transform/degrees", 90.0)]


def test_words_and_switches_can_be_bound(peer: Peer) -> None:
    peer.state.osc.bind(Binding("/2/knob", "/jinc/canvas/mode", 0.0, 1.0, 0.0, 3.0))
    peer.state.osc.bind(Binding("/2/button", "/jinc/transform/mirror"))
    peer.frame()
    peer.say("/2/knob", 1.0)
    peer.say("/2/button", 1)
    for _ in range(20):
        time.sleep(0.005)
        peer.frame()
    assert peer.state.canvas.mode == "blink" and peer.state.transform.mirror is True


def test_a_binding_is_learnt_in_either_order(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "SILENCE", 0.05)
    peer.link.learn(True)
    peer.frame()
    peer.state.latent.psi = 0.7  # the control first
    peer.frame()
    assert peer.link.learning.setting == "/jinc/latent/psi"
    peer.say("/1/fader1", 0.5)
    time.sleep(0.05)
    peer.frame()
    assert peer.state.osc.bindings == (Binding("/1/fader1", "/jinc/latent/psi", 0.0, 1.0, -1.0, 2.0),)
    peer.say("/1/fader1", 1.0)
    peer.frames_until_something_came()
    assert peer.state.latent.psi == 2.0 and peer.link.learning.setting == "", "what comes from outside is no touch"

    time.sleep(0.1)
    peer.say("/midi/cc7", 64)  # the fader first
    time.sleep(0.05)
    peer.frame()
    assert peer.link.learning.address == "/midi/cc7"
    peer.state.display.text_size = 1.25
    peer.frame()
    assert peer.link.learning.setting == "" and len(peer.state.osc.bindings) == 1, "letters are no control"
    peer.state.canvas.zoom = 2.0
    peer.frame()
    assert peer.state.osc.bindings[1] == Binding(
        "/midi/cc7", "/jinc/canvas/zoom", 0.0, 127.0, 0.05, 256.0, "exponential"
    )
    peer.link.learn(False)
    peer.state.latent.psi = 0.1
    peer.frame()
    assert len(peer.state.osc.bindings) == 2


def test_the_range_of_a_learnt_controller_widens_with_what_comes(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "SILENCE", 0.05)
    peer.link.learn(True)
    peer.frame()
    peer.state.latent.psi = 0.7
    peer.frame()
    ends = []
    for value in (1, 3, 64, 200.0, -5.0):  # a fader of 0 to 127 begins at its foot
        peer.say("/midi/cc7", value)
        peer.frames_until_something_came() if ends else (time.sleep(0.05), peer.frame())
        ends.append((peer.state.osc.bindings[0].least, peer.state.osc.bindings[0].most))
    assert ends == [(0.0, 1.0), (0.0, 127.0), (0.0, 127.0), (0.0, 200.0), (-200.0, 200.0)]
    assert len(peer.state.osc.bindings) == 1


def test_there_is_an_end_to_bindings(peer: Peer) -> None:
    for index in range(MOST_BINDINGS):
        assert peer.state.osc.bind(Binding(f"/{index}", "/jinc/transform/tx"))
    peer.link.learn(True)
    peer.frame()
    peer.state.latent.psi = 0.7
    peer.frame()
    peer.say("/one/more", 0.5)
    time.sleep(0.05)
    peer.frame()
    assert len(peer.state.osc.bindings) == MOST_BINDINGS and peer.link.learning is None
    assert str(MOST_BINDINGS) in peer.link.notice and peer.link.is_open and not peer.link.error


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_is_free_as_soon_as_it_is_closed(host: str) -> None:
    state = AppState()
    state.osc.on, state.osc.host, state.osc.port = True, host, free_port()
    link = OscLink(state)
    for _ in range(5):
        link.receive()
        assert link.is_open and not link.error
        began = time.perf_counter()
        link.close()
        link._opened = ()
        assert time.perf_counter() - began < 0.15, "the window does not wait for it"


def test_an_address_that_never_rests_is_not_learnt(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "SILENCE", 0.2)
    found = learning.Learning()
    found.hear("/accelerometer", 0.1, AppState())
    found.address = ""
    for _ in range(10):
        time.sleep(0.01)
        found.hear("/accelerometer", 0.1, AppState())
    assert found.address == ""


def test_a_port_that_is_taken_is_a_sentence_until_it_is_free() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        state = AppState()
        state.osc.on, state.osc.port = True, taken.getsockname()[1]
        link = OscLink(state)
        assert link.receive() is False and not link.is_open
        assert str(state.osc.port) in link.error and "taken" in link.error
    link._tried_at -= 10.0
    link.receive()
    assert link.is_open and link.error == ""
    link.close()


@pytest.mark.parametrize("host", ["", "example", "1.2.3", "203.0.113.7", "::zz", "\0"])
def test_an_address_that_is_none_is_a_sentence(host: str) -> None:
    state = AppState()
    state.osc.on, state.osc.host, state.osc.port = True, host, free_port()
    link = OscLink(state)
    link.receive()
    assert not link.is_open and link.error.endswith(".") and "\n" not in link.error


def test_it_is_off_and_on_loopback_at_first() -> None:
    state = AppState()
    assert not state.osc.on and not state.osc.sends and state.osc.host == state.osc.send_host == "127.0.0.1"
    link = OscLink(state)
    link.receive()
    assert not link.is_open


def test_without_the_package_a_sentence_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pythonosc", "pythonosc.osc_message_builder", "pythonosc.parsing.osc_types", "pythonosc.parsing"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    state = AppState()
    state.osc.on, state.osc.port = True, free_port()
    link = OscLink(state)
    link.receive()
    assert not link.is_open and link.error == messages.MISSING and "pip install" in link.error
    ran = CliRunner().invoke(main, ["osc", "--send", "/jinc/transform/tx", "1"])
    assert ran.exit_code == 1 and "pip install" in ran.output


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.0, -1.0), (0.25, 4.0), (-8.0, -1.0), (0.0, 0.0), (3.0, 3.0)])
def test_curves_go_from_end_to_end_and_back(curve: str, low: float, high: float) -> None:
    shares = [index / 16 for index in range(17)]
    values = [bend(share, curve, low, high) for share in shares]
    assert values[0] == pytest.approx(low) and values[-1] == pytest.approx(high)
    assert values == sorted(values, reverse=high < low)
    if low != high:
        assert [unbend(value, curve, low, high) for value in values] == pytest.approx(shares)
        assert unbend(high + (high - low), curve, low, high) == pytest.approx(1.0)
        assert unbend(low - (high - low), curve, low, high) == pytest.approx(0.0)


def test_bindings_come_back_from_a_file_and_others_are_refused() -> None:
    state = AppState()
    state.osc.bind(Binding("/1/fader", "/jinc/transform/degrees", 0.0, 127.0, 90.0, -90.0, "square"))
    kept = states.to_json(state)
    assert states.from_json(kept).osc == state.osc
    for odd in (
        {"address": "/a"},
        {"address": "a", "setting": "/jinc/transform/tx"},
        {"address": "/a b", "setting": "/jinc/transform/tx"},
        {"address": "/a", "setting": "/jinc/transform/tx", "low": "1"},
        {"address": "/a", "setting": "/jinc/transform/tx", "low": float("nan")},
        {"address": "/a", "setting": "/jinc/transform/tx", "curve": "no such"},
        {"address": "/a", "setting": "/jinc/transform/tx", "more": 1},
        7,
    ):
        with pytest.raises(states.StateError):
            states.from_json({"schema": 1, "osc": {"bindings": [odd]}})


def test_the_command_sends_a_value(peer: Peer) -> None:
    words = ["osc", "--send", "/jinc/transform/tx", "0.25", "--port", str(peer.state.osc.port)]
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 0, ran.output
    assert ran.output.startswith(f"Sent /jinc/transform/tx 0.25 to 127.0.0.1, port {peer.state.osc.port};")
    peer.frames_until_something_came()
    assert peer.state.transform.tx == 0.25
    for words in (
        ["--send", "/jinc/nothing", "1"],
        ["--send", "/jinc/transform/tx", "1", "--host", "example"],
        ["--send", "/jinc/transform/tx", "nan"],
        ["--send", "/jinc/transform/tx", "left"],
        ["--send", "/jinc/canvas/mode", "é"],
    ):
        ran = CliRunner().invoke(main, ["osc", *words])
        assert ran.exit_code in (1, 2) and "Traceback" not in ran.output
