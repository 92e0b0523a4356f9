"""A page in headless Chromium, which a test reads and clicks: its own debugging protocol, over tornado's websocket."""

import asyncio
import base64
import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1440,1000",
]  # fmt: skip


class Browser:
    """Chromium with a profile of its own, and its pages."""

    def __init__(self, profile):
        self.process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.PIPE, text=True
        )
        said = next(line for line in self.process.stderr if "DevTools listening" in line)
        self.port = re.search(r":(\d+)/", said)[1]
        self.loop = asyncio.new_event_loop()

    def open(self, address):
        """A new page at this address."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(asked) as answer:
            return Page(self.loop, json.load(answer)["webSocketDebuggerUrl"], address)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stderr.close()
        self.loop.close()


class Page:
    """A page; `run` evaluates JavaScript in it."""

    def __init__(self, loop, socket, address):
        from tornado.websocket import websocket_connect

        self.loop, self.numbers, self.asked = loop, itertools.count(1), []
        self.errors = []

        async def connect():
            return await websocket_connect(socket, max_message_size=1 << 28)

        self.socket = loop.run_until_complete(connect())
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Page.navigate", url=address)

    def send(self, method, **params):
        number = next(self.numbers)

        async def exchange():
            await self.socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                said = json.loads(await self.socket.read_message())
                if said.get("method") == "Network.requestWillBeSent":
                    self.asked.append(said["params"]["request"]["url"])
                if said.get("method") == "Runtime.exceptionThrown":
                    self.errors.append(said["params"]["exceptionDetails"])
                if said.get("id") == number:
                    return said.get("result", {"result": {}})  # none of a page that is just being left

        return self.loop.run_until_complete(asyncio.wait_for(exchange(), 60))

    def run(self, code):
        """The value of an expression."""
        found = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, code, seconds=30.0):
        """The value of an expression once it is true."""
        until = time.monotonic() + seconds
        while not (value := self.run(code)):
            assert time.monotonic() < until, f"not within {seconds} s: {code}"
            time.sleep(0.02)
        return value

    def picture(self, path, height=1000, width=1440, scale=1):
        """A screenshot."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        time.sleep(0.5)
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
