"""Pages as a parser sees them, and opened in a real browser, where there is one."""

from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def browse(page: Path) -> tuple[str, str]:
    """Open a page in a browser without a screen; give the document as it then is, and what was logged."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium is installed")
    fixed = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    done = subprocess.run(
        [
            browser, *fixed, f"--user-data-dir={page.parent}/profile", f"--log-net-log={_net_log(page)}",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--dump-dom", page.as_uri(),
        ],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout, done.stderr


def asked_for(page: Path) -> set[str]:
    """Give the addresses that the browser asked for when it opened the page."""
    events = json.loads(_net_log(page).read_text())["events"]
    return {event["params"]["url"] for event in events if "url" in event.get("params", {})}


def _net_log(page: Path) -> Path:
    return page.with_name("net.json")
