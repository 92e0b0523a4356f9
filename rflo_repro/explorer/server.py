"""Serves the page to this machine alone, from the command line and in a notebook."""

from __future__ import annotations

import asyncio
import socket
import threading
import webbrowser
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from weakref import WeakSet

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.server.server import Server

from rflo_repro.explorer.page import Page
from rflo_repro.runs import system

HOST = "127.0.0.1"
# a tab that is closed is forgotten so soon
UNUSED_MILLISECONDS = 10_000
HEIGHT = 1100  # pixels, in a notebook


def _usable(port: int | None) -> int:
    """The port, or a free one. Raises OSError if it is taken."""
    with socket.create_server((HOST, port or 0)) as one:
        return int(one.getsockname()[1])


def _server(port: int | None, pages: WeakSet[Page]) -> tuple[Server, str]:
    """A server, and the address of its page; `pages` has those of open tabs. Raises OSError if the port is taken."""
    port = _usable(port)

    def page(document: Any) -> None:
        pages.add(Page(document))

    server = Server(
        {"/": Application(FunctionHandler(page))},
        address=HOST,
        port=port,
        # no other site's page may talk to it
        allow_websocket_origin=[f"{HOST}:{port}"],
        check_unused_sessions_milliseconds=1000,
        unused_session_lifetime_milliseconds=UNUSED_MILLISECONDS,
    )
    return server, f"http://{HOST}:{port}/"


def serve(port: int | None, browser: bool, say: Callable[[str], object]) -> None:
    """Serve the page until a signal stops the program. Raises OSError if the port is taken."""
    server, address = _server(port, WeakSet())
    server.start()
    loop = server.io_loop.asyncio_loop
    # told to the loop, which may be anywhere: nothing of the page is left half done
    with system.stopping(lambda *_: loop.call_soon_threadsafe(loop.stop)):
        say(f"{address}  (Ctrl-C closes it)")
        if browser:
            server.io_loop.add_callback(webbrowser.open, address)
        # what trains is loaded while the browser starts
        threading.Thread(target=_warm, daemon=True).start()
        server.io_loop.start()
    say("closed")


class Explorer:
    """The page, served from a thread of a notebook's kernel. `pages` are those of its open tabs.

    Parameters
    ----------
    port : int or None
        As in `explore`.

    Raises
    ------
    OSError
        If the port is taken.
    """

    def __init__(self, port: int | None = None) -> None:
        begun: Future[tuple[Server, str]] = Future()
        self.pages: WeakSet[Page] = WeakSet()
        self._thread = threading.Thread(target=_serve_until_stopped, args=(port, self.pages, begun), daemon=True)
        self._thread.start()
        self._server, self.address = begun.result()

    def __repr__(self) -> str:
        return f"Explorer({self.address})"

    def _repr_html_(self) -> str:
        return f'<iframe src="{self.address}" width="100%" height="{HEIGHT}" frameborder="0"></iframe>'

    def close(self) -> None:
        """End the server and the networks."""
        self._server.io_loop.add_callback(self._server.io_loop.stop)
        self._thread.join()


def _serve_until_stopped(port: int | None, pages: WeakSet[Page], begun: Future[tuple[Server, str]]) -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    try:
        server, address = _server(port, pages)
    except OSError as error:
        begun.set_exception(error)
        return
    server.start()
    begun.set_result((server, address))
    server.io_loop.start()
    for page in pages:
        page.trainings.stop()
    server.stop()
    server.io_loop.close()


def _warm() -> None:
    import rflo_repro.learning.train  # noqa: F401
