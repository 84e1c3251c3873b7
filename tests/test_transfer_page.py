"""The page that a person reads: opened in a real browser, where there is one, with the worst content."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from commands import make, run
from hypothesis import given
from strategies import FEW, texts

from vault import Message, Vault
from vault.transfer.formats import Head
from vault.transfer.output import Position
from vault.transfer.page import Html

WORST = [
    "</script><script>document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<svg/onload=fetch('http://127.0.0.1:1/x')>",
    "--><!--<![CDATA[ </div></article></section></main>",
    "javascript:alert(1) &lt;b&gt; &#60;i&#62;",
    "<link rel=stylesheet href=http://127.0.0.1:1/x.css><base href=//127.0.0.1:1>",
]


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def page(message: Message, head: Head) -> str:
    html, at = Html(), Position(asked="")
    pieces = [html.session(head, at), html.message(head, message, at, said=True), html.session_end(head, at)]
    return "".join(map(str, pieces))


@FEW
@given(texts(), texts(), texts())
def test_whatever_was_said_adds_no_tag_and_no_attribute(content: str, name: str, value: str) -> None:
    def seen(content: str, name: str, value: str) -> Tags:
        message = Message("user", content, {name: value}, {name + "x": [value]}, None, 0)
        tags = Tags()
        tags.feed(page(message, Head(user_id=name, session_id=content, namespace=value or "x", messages=1)))
        return tags

    plain, drawn = seen("x <PERSON_1>", "x", "x"), seen(content, name, value)
    assert drawn.found <= plain.found
    assert drawn.attributes <= plain.attributes


@pytest.mark.parametrize("text", WORST)
def test_the_worst_content_is_only_text_everywhere(text: str) -> None:
    tags = Tags()
    message = Message("user", [{"type": "x", text: text}], {text: text}, {text: text}, None, 0)
    tags.feed(page(message, Head(user_id=text, session_id=text, namespace=text, messages=1)))
    assert tags.found.isdisjoint({"script", "img", "svg", "link", "base", "i"})
    assert not any(name.startswith("on") for name in tags.attributes)


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    where = make(tmp_path / "v")
    with Vault.open(where, redactor=None) as vault:
        for number, text in enumerate(WORST):
            chat = vault.transcript("u-42", f"{number} {text}", namespace=text[:200])
            chat.append("user", text, metadata={text: text})
            chat.append(
                {"role": "assistant", "content": f"A <PERSON_1> answer needle-{number}", text: [text]}
            )
    words = ("export", "--user", "u-42", "--format", "html", "--output", tmp_path / "page.html")
    assert run("--vault", where, *words).code == 0
    return tmp_path / "page.html"


def browse(page: Path, *options: str) -> tuple[str, str]:
    """Open a page in a browser without a screen; give the document as it then is, and what was logged."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium is installed")
    fixed = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    net = page.with_name("net.json")
    done = subprocess.run(
        [
            browser, *fixed, f"--user-data-dir={page.parent}/profile", f"--log-net-log={net}",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            *options, page.as_uri(),
        ],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.mark.wide
def test_a_browser_finds_no_error_and_asks_for_nothing(opened: Path) -> None:
    document, log = browse(opened, "--dump-dom")
    assert "CONSOLE" not in log
    assert "<title>Transcripts</title>" in document
    assert re.search(r'id="count"[^>]*>12 messages<', document)  # our own script has run
    assert document.count("<article ") == 12
    assert document.count("<li>") == len(WORST)
    asked = {
        event["params"]["url"]
        for event in json.loads(opened.with_name("net.json").read_text())["events"]
        if "url" in event.get("params", {})
    }
    assert not any("127.0.0.1" in url for url in asked)


@pytest.mark.wide
def test_the_same_browser_would_tell_of_an_error(opened: Path) -> None:
    text = opened.read_text()
    opened.write_text(text.replace("</main>", "<script>alert(1)</script></main>"))
    _, log = browse(opened, "--dump-dom")
    assert "CONSOLE" in log  # the page's own policy refused it
