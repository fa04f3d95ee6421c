"""Pages in a real browser, and a site of its own origin for them to be on."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.sdks.needs import HERE, NODE_MODULES
from tests.sdks.proxy import Loop

EMPTY = "<!doctype html><title>Elsewhere</title>"
APP = "<!doctype html><title>Shop</title><body><script src=/{name}.js></script>"


class Browser:
    """A headless Chromium, driven by playwright-core in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", HERE / "browser.mjs"],
            env=os.environ | {"CHROMIUM": str(shutil.which("chromium"))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, op: str, **given: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, **given}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def open(self, url: str) -> "Page":
        page = Page(self, self.do("open"), url)
        page.go_to(url)
        return page

    def close(self) -> None:
        self._process.communicate(timeout=20)


class Page:
    """One page; it shares nothing with the others."""

    def __init__(self, browser: Browser, number: int, url: str) -> None:
        self.url = url
        self._browser = browser
        self._number = number

    def go_to(self, url: str) -> None:
        self._browser.do("goto", page=self._number, url=url)

    def run(self, script: str) -> Any:
        """The value of a script; of what it promises, if it does."""
        return self._browser.do("evaluate", page=self._number, script=script)

    def set_offline(self, *, is_offline: bool) -> None:
        self._browser.do("offline", page=self._number, **{"is": is_offline})

    def show_tab(self, *, is_shown: bool) -> None:
        """Tell the page what it is told when its tab is hidden or shown."""
        state = "visible" if is_shown else "hidden"
        self.run(
            "Object.defineProperty(document, 'visibilityState',"
            f" {{value: '{state}', configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange')); 0"
        )

    def close(self) -> None:
        self._browser.do("close", page=self._number)


class Site:
    """Web pages of an origin that is not the collector's: documents and scripts by path."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._files = {"/": ("text/html", EMPTY)}
        self.url: str = loop.run(self._start())

    def add_page(self, name: str, html: str) -> str:
        self._files[f"/{name}"] = ("text/html", html)
        return f"{self.url}/{name}"

    def add_app(self, name: str, bundle: Path) -> str:
        self._files[f"/{name}.js"] = ("text/javascript", bundle.read_text(encoding="utf-8"))
        return self.add_page(name, APP.format(name=name))

    def close(self) -> None:
        self._loop.run(self._runner.cleanup())

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_get("/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _handle(self, request: web.Request) -> web.Response:
        content_type, text = self._files.get(request.path, ("text/plain", ""))
        return web.Response(text=text, content_type=content_type)


def bundle(folder: Path, name: str, source: str, write_key: str) -> Path:
    """What a reader's bundler makes of `source`, an entry with the app's own code."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(NODE_MODULES)
    entry = folder / f"{name}.ts"
    entry.write_text(source, encoding="utf-8")
    made = folder / f"{name}.js"
    defined = {"import.meta.env.VITE_SEGMENT_WRITE_KEY": write_key, "APP_VERSION": "1.2.3"}
    subprocess.run(
        [
            *("node", NODE_MODULES / "esbuild" / "bin" / "esbuild", entry),
            *("--bundle", "--format=iife", "--log-level=warning", f"--outfile={made}"),
            *(f"--define:{key}={json.dumps(value)}" for key, value in defined.items()),
        ],
        check=True,
    )
    return made
