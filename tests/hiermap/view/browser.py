"""A headless Chromium that is told what to do over its debugging port, where one is installed."""

import json
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.hiermap.report.test_layout import BROWSER

PATIENCE_S = 120.0
FEW_FRAMES = "window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 1000);"
"""What draws by software would otherwise do nothing else."""
MEASURE = """
(() => {
  const cut = [], width = document.documentElement.clientWidth;
  const style = (element) => getComputedStyle(element);
  const clips = (element) => ["auto", "scroll", "hidden"].includes(style(element).overflowX);
  const scrolls = (element) => element && (clips(element) || scrolls(element.parentElement));
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width && style(element).visibility !== "hidden" && (box.right > width + 1 || box.left < -1) && !scrolls(element.parentElement))
      cut.push(element.outerHTML.slice(0, 120));
  }
  const images = [...document.images].filter((image) => image.getBoundingClientRect().width);
  return {cut, scroll: document.documentElement.scrollWidth, images: images.map((image) => image.alt),
    loaded: images.every((image) => image.naturalWidth),
    narrowest: Math.min(...images.filter((image) => !image.src.includes("svg")).map((image) => image.getBoundingClientRect().width))};
})()
"""


class Tab:
    """One page of a browser."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0

    def ask(self, method: str, **parameters: Any) -> dict:
        """The browser's answer to a command."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of an expression, once it is true."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := self.run(script):
                return found
            time.sleep(0.1)
        raise AssertionError(f"never true: {script}")

    def size(self, width: int, height: int, fineness: float = 0.2) -> None:
        """The window's [px], of which so many of the screen's are drawn along each edge."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=fineness, mobile=width < 600)

    def picture(self) -> bytes:
        """A PNG of the window."""
        return b64decode(self.ask("Page.captureScreenshot")["data"])


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Tab]:
    """A page in a browser whose files lie in `folder`; skips where no Chromium is."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    client = pytest.importorskip("websockets.sync.client", reason="comes with the extra `view`; run: pip install 'hiermap[view]'")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--remote-debugging-port=0"]
    profile = f"--user-data-dir={folder / 'profile'}"
    with open(folder / "chromium.log", "wb") as log:
        browser = subprocess.Popen([BROWSER, *options, profile, "about:blank"], stdout=log, stderr=log)
        try:
            with client.connect(_address(folder / "profile" / "DevToolsActivePort"), max_size=None) as socket:
                tab = Tab(socket)
                tab.ask("Page.enable")
                tab.ask("Page.addScriptToEvaluateOnNewDocument", source=FEW_FRAMES)
                tab.ask("Page.navigate", url=url)
                yield tab
        finally:
            browser.terminate()
            browser.wait(timeout=PATIENCE_S)


def _address(file: Path) -> str:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if file.exists() and (lines := file.read_text().splitlines()):
            with urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                pages = [page for page in json.loads(answer.read()) if page["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise AssertionError("the browser has no page")
