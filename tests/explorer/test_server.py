"""The server: this machine alone, one line where it cannot be, and the same page in a notebook."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cases import further
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro import cli, explorer

if explorer.available():
    from tornado.httpclient import HTTPClientError, HTTPRequest
    from tornado.websocket import websocket_connect
needs_bokeh = pytest.mark.skipif(
    not explorer.available(), reason="bokeh is not installed: pip install 'rflo-repro[explore]'"
)


def test_without_bokeh_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = CliRunner().invoke(cli.cli, ["explore"])
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == "Error: explore needs bokeh: pip install 'rflo-repro[explore]'"
    with pytest.raises(ImportError, match="pip install"):
        rr.explore()


def test_the_model_needs_no_bokeh():
    code = (
        "import json, sys\nimport rflo_repro.explorer.trainings\nfrom rflo_repro.cli import cli\n"
        "print(json.dumps([name for name in ('bokeh', 'panel', 'tornado') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == []


@needs_bokeh
def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = CliRunner().invoke(cli.cli, ["explore", "--no-open", "--port", str(port)])
    assert done.exit_code == 2
    assert f"Invalid value for '--port': {port} cannot be listened to: Address already in use" in done.output


def answer(address):
    with urllib.request.urlopen(address, timeout=20) as page:
        return page.read().decode()


async def socket_from(origin, address):
    """Opens the page's socket as a page of that origin would."""
    await websocket_connect(HTTPRequest(f"{address.replace('http', 'ws')}ws", headers={"Origin": origin}))


def closed_by(number, cache=None, seconds=0.0):
    """How `explore` ends on a signal, so many seconds after its page was asked for."""
    more = {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    process = subprocess.Popen(
        [sys.executable, "-m", "rflo_repro", "explore", "--no-open"], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **more},
    )  # fmt: skip
    address = process.stdout.readline().split()[0]
    if cache:
        answer(address)
        time.sleep(seconds)
    process.send_signal(number)
    began = time.monotonic()
    assert process.stdout.readline() == "closed\n"
    answered = time.monotonic() - began
    assert process.communicate(timeout=60) == ("", "")
    return process.returncode, answered


@needs_bokeh
@pytest.mark.parametrize("number", [signal.SIGHUP, *further(signal.SIGINT, signal.SIGTERM)])
def test_a_closed_terminal_closes_it_from_the_first_moment_on(number):
    assert closed_by(number)[0] == 0


@needs_bokeh
@pytest.mark.long
def test_it_is_closed_at_once_while_kernels_are_compiled(tmp_path):
    code, seconds = closed_by(signal.SIGHUP, tmp_path, 1.0)
    assert (code, seconds < 3.0) == (0, True)


@needs_bokeh
def test_a_notebook_shows_it_and_closes_it():
    shown = rr.explore()
    assert f'<iframe src="{shown.address}"' in shown._repr_html_()
    assert shown.address.startswith("http://127.0.0.1:")
    page = answer(shown.address)
    assert "See it learn" in page
    assert "https://" not in page.replace("https://bokeh.org", "")
    page = next(iter(shown.pages))
    page.trainings.start()
    shown.close()
    assert not page.trainings._going.is_set()
    with pytest.raises(urllib.error.URLError):
        answer(shown.address)


@needs_bokeh
def test_a_tab_that_is_closed_learns_no_more(monkeypatch):
    monkeypatch.setattr("rflo_repro.explorer.server.UNUSED_MILLISECONDS", 100)
    shown = rr.explore()
    answer(shown.address)
    trainings = next(iter(shown.pages)).trainings
    trainings.start()
    until = time.monotonic() + 10.0
    while trainings._going.is_set() and time.monotonic() < until:
        time.sleep(0.02)
    assert not trainings._going.is_set()
    shown.close()


@needs_bokeh
def test_it_listens_to_this_machine_alone():
    shown = rr.explore()
    port = int(shown.address.split(":")[2].strip("/"))
    listening = {
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    assert listening == {f"0100007F:{port:04X}"}
    # a page of another site may not open its socket
    with pytest.raises(HTTPClientError, match="403"):
        asyncio.run(socket_from("http://elsewhere.example", shown.address))
    shown.close()
