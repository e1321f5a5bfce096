# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Downloads that are refused in one sentence, from a server on this machine that may be hostile."""

import errno
import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fetching import MODEL, OTHER, cache_in, get, one_model, parts, refusal, sha, stopped_after
from support.sites import Page, Site, serving

from gan.hub import cache, http
from gan.hub.download import LIMIT_VARIABLE, Cancelled, fetch, size_limit
from gan.hub.url import DownloadError, is_address, parse_address, safe_file_name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with cache_in(tmp_path / "models", monkeypatch) as found:
        yield found


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    with one_model() as found:
        yield found


def test_too_large_is_refused_before_a_byte_is_written(site: Site, folder: Path) -> None:
    text = refusal(site, limit=50_000)
    assert "larger than the 48.8 KiB" in text and "97.7 KiB" in text and f"set {LIMIT_VARIABLE}" in text
    assert not list((folder / "parts").iterdir())


def test_a_server_that_lies_about_the_length_is_stopped(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].length = -1
    assert "larger than the 48.8 KiB" in refusal(site, limit=50_000)
    assert not parts(folder)
    site.pages["/model.safetensors"].length = 2 * len(MODEL)
    assert "broke off after 97.7 KiB of 195 KiB" in refusal(site)
    site.pages["/short.pkl"] = Page(MODEL, length=50_000)
    assert get(site, "/short.pkl").bytes == 50_000, "what is beyond the length that was claimed is not read"


def test_the_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    assert size_limit() == 4 * 2**30
    monkeypatch.setenv(LIMIT_VARIABLE, " 0.5 ")
    assert size_limit() == 2**29
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv(LIMIT_VARIABLE, wrong)
        with pytest.raises(DownloadError, match="is not a number|not a number of GiB"):
            size_limit()


def test_a_disk_without_room_is_said_with_numbers(site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=2**26 + 50_000)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: usage)
    text = refusal(site)
    assert "97.7 KiB more are needed and only 64.0 MiB are free" in text and str(folder) in text
    site.pages["/model.safetensors"].cut = [60_000]
    usage.free = 2**40
    with pytest.raises(Cancelled):
        get(site, **stopped_after(60_000))
    usage.free = 2**26 + 50_000
    assert get(site).path.read_bytes() == MODEL, "only what is still to come counts"


def test_a_disk_that_gets_full_is_said(site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gan.hub.download._write_all", full)
        text = refusal(site)
    assert "No space left on device" in text and "make room there and try again" in text and str(folder) in text
    assert get(site).path.read_bytes() == MODEL


def test_a_folder_that_cannot_be_written_is_said(site: Site, folder: Path) -> None:
    folder.write_text("a file")
    text = refusal(site)
    assert text.startswith(f"{folder} cannot be written (") and "XDG_CACHE_HOME" in text


@pytest.mark.parametrize(
    "status, said",
    [
        (404, "There is no file at"),
        (410, "There is no file at"),
        (401, "wants a login"),
        (403, "wants a login"),
        (400, "(400): check the address"),
        (300, "(300): check the address"),
    ],
)
def test_what_servers_refuse_is_said(site: Site, status: int, said: str) -> None:
    site.pages["/model.safetensors"].status = status
    text = refusal(site)
    assert said in text and site.url() in text and len(site.asked) == 1


def test_an_empty_answer_is_said_to_be_one(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].content = b""
    text = refusal(site)
    assert text.startswith("127.0.0.1 sent an empty file for ") and not parts(folder) and "copy" not in text


def test_failures_after_a_redirect_name_the_host_that_failed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def known(host: str, *rest: Any, **options: Any) -> Any:
        if host == "nowhere.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    site.pages |= {
        "/busy": Page(status=503),
        "/shy": Page(status=403),
        "/none": Page(),
        "/cut": Page(MODEL, cut=[1000] * 9),
    }
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = str(server.getsockname()[1])
    elsewhere = site.url("").replace("127.0.0.1", "localhost")
    for target, said in (
        (elsewhere.replace(str(site.port), closed), "localhost (to which 127.0.0.1 redirects) accepts no"),
        (elsewhere.replace("localhost", "nowhere.example"), "There is no host nowhere.example (to which 127.0.0.1 "),
        (f"{elsewhere}/busy", "localhost (to which 127.0.0.1 redirects) cannot answer now (503): "),
        (f"{elsewhere}/shy", "localhost (to which 127.0.0.1 redirects) refuses "),
        (f"{elsewhere}/cut", "The connection to localhost broke off after "),
        (f"{elsewhere}/none", "localhost sent an empty file for "),
    ):
        site.pages["/moved"] = Page(status=302, headers={"Location": target})
        assert refusal(site, "/moved").startswith(said)


def test_a_web_page_is_not_kept(site: Site, folder: Path) -> None:
    site.pages["/model.safetensors"].content = b"<!DOCTYPE html><html>Please log in.</html>"
    assert "is a web page" in refusal(site)
    assert not list(folder.glob("*/*.*")) and not parts(folder)


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "//", "", "http://[", "gopher://127.0.0.1"]
)
def test_a_redirect_to_anything_else_is_not_followed(site: Site, target: str) -> None:
    site.pages["/model.safetensors"] = Page(status=302, headers={"Location": target})
    text = refusal(site)
    assert "something else than an http or https address" in text or "in circles" in text
    assert len(site.asked) == 1 or target == "//"


def test_redirects_in_circles_end(site: Site) -> None:
    site.pages["/model.safetensors"] = Page(status=307, headers={"Location": "/b"})
    site.pages["/b"] = Page(status=301, headers={"Location": "/model.safetensors"})
    assert "in circles" in refusal(site)
    assert len(site.asked) <= 12


def test_https_is_not_left_for_http() -> None:
    address = parse_address("https://example.com/a.pkl")
    with pytest.raises(DownloadError, match="from https to http"):
        http._redirect(address.url, "http://example.com/a.pkl", address)
    assert http._redirect(address.url, "/b c.pkl", address).url == "https://example.com/b%20c.pkl"


def test_a_checksum_is_held_against_the_content(site: Site, folder: Path) -> None:
    text = refusal(site, f"/model.safetensors#sha256={sha(OTHER)}")
    assert sha(MODEL) in text and sha(OTHER) in text and "was deleted" in text
    assert not parts(folder) and not list(folder.glob("*/model.safetensors"))
    assert get(site, f"/model.safetensors#SHA256={sha(MODEL)}").sha256 == sha(MODEL)
    assert "64 digits" in refusal(site, "/model.safetensors#sha256=abc")


def test_names_and_passwords_are_sent_once_and_never_told(site: Site, folder: Path) -> None:
    with serving() as elsewhere:
        elsewhere.pages["/m.pkl"] = Page(MODEL)
        site.pages["/moved"] = Page(status=302, headers={"Location": elsewhere.url("/m.pkl")})
        site.pages["/here"] = Page(status=302, headers={"Location": "/model.safetensors"})
        fetch(site.url("/moved?token=hushhush", "user:swordfish@"))
        fetch(site.url("/here", "user:swordfish@"))
        assert "authorization" not in elsewhere.asked[0].headers
        assert {one.headers["authorization"] for one in site.asked} == {"Basic dXNlcjpzd29yZGZpc2g="}
    for path in ("/gone?token=hushhush", "/model.safetensors?token=hushhush#sha256=" + sha(OTHER)):
        with pytest.raises(DownloadError) as caught:
            fetch(site.url(path, "user:swordfish@"))
        assert "swordfish" not in str(caught.value) + repr(caught.value) and "hushhush" not in str(caught.value)
    assert "swordfish" not in repr(parse_address(site.url("/x?token=hushhush", "user:swordfish@")))
    texts = [path.read_text(errors="replace") for path in folder.rglob("*.json")]
    assert texts and not any(secret in text for text in texts for secret in ("swordfish", "hushhush", "dXNlcjpz"))
    assert all(json.loads(text)["address"] == "" for text in texts)


@pytest.mark.parametrize(
    "problem, said",
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "There is no host 127.0.0.1"),
        (TimeoutError("timed out"), "did not answer for 10 s"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "accepts no connections"),
        (OSError(errno.ENETUNREACH, "unreachable"), "cannot be reached: check the network"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "ended the connection"),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "cannot prove that it is"),
        (ssl.SSLError(1, "wrong version"), "There is no secure connection"),
    ],
)
def test_connections_that_do_not_come_about_are_explained(
    site: Site, problem: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(socket, "create_connection", fails)
    assert said in refusal(site) and not site.asked


def test_a_request_that_cannot_be_made_is_explained(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http:/nowhere")
    assert "http_proxy" in refusal(site) and not site.asked
    monkeypatch.delenv("http_proxy")
    with pytest.raises(http.WebError, match="No request to 127.0.0.1"):
        with http.ask(parse_address(site.url()), {"If-None-Match": "a\nb"}, 10.0):
            pass


def test_a_missing_httpx_is_explained(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    text = refusal(site)
    assert text.startswith("The package httpx cannot be loaded (") and text.endswith("): install it again.")


def test_a_proxy_that_refuses_is_explained(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    with serving() as proxy:  # which knows no CONNECT
        monkeypatch.setenv("https_proxy", proxy.url(""))
        with pytest.raises(DownloadError, match="The proxy refuses a connection to example.com"):
            fetch("https://example.com/x.pkl")


def test_https_where_http_is_spoken_is_explained(site: Site) -> None:
    with pytest.raises(DownloadError, match="no secure connection to 127.0.0.1"):
        fetch(site.url().replace("http", "https", 1))


def test_what_speaks_no_http_is_explained(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hello() -> None:
            with server.accept()[0] as other:
                other.recv(1000)
                other.sendall(b"220 this is something else\r\n\r\n")

        thread = threading.Thread(target=hello)
        thread.start()
        with pytest.raises(DownloadError, match="does not speak HTTP"):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/x.pkl")
        thread.join()


@pytest.mark.parametrize(
    "text, said",
    [
        ("ftp://example.com/x", "not from ftp"),
        ("file:///etc/passwd", "not from file"),
        ("x.pkl", "not an address"),
        ("http:///x", "no host"),
        ("http://example.com:b:c/", "host or port"),
        ("https://example.com/\x00", "control characters"),
        ("https://example.com/" + "y" * 5000, "too long"),
        ("http://example.com a/", "no host"),
    ],
)
def test_what_is_no_address_is_said(text: str, said: str) -> None:
    with pytest.raises(DownloadError, match=said):
        parse_address(text)


def test_addresses_and_names() -> None:
    assert is_address(" HTTPS://x") and not is_address(r"C:\x.pkl") and not is_address("/a/http")
    odd = parse_address(" http://example.com/a b/\u00fc%20x.pkl?q= \u00fc ")
    assert odd.url == "http://example.com/a%20b/%C3%BC%20x.pkl?q=%20%C3%BC" and odd.file_name == "\u00fc x.pkl"
    names = {
        "../../x": "x",
        "a\\b.pkl": "b.pkl",
        "con.pkl": "_con.pkl",
        ".x": "x",
        "a\nb": "a_b",
        "": "",
        "..": "",
        "a" * 300 + ".pkl": "a" * 96 + ".pkl",
        "x.pkl. ": "x.pkl",
        "a\u202eb": "a_b",
    }
    assert {name: safe_file_name(name) for name in names} == names
