"""The page that a person reads: opened in a real browser, where there is one, with the worst content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import Tags, asked_for, browse
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


def page(message: Message, head: Head) -> str:
    html, at = Html(), Position(asked="")
    pieces = [html.session(head, at), html.message(head, message, at, said=True), html.session_end(head, at)]
    return "".join(map(str, pieces))


@pytest.mark.wide
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


@pytest.mark.wide
def test_a_browser_finds_no_error_and_asks_for_nothing(opened: Path) -> None:
    document, log = browse(opened)
    assert "CONSOLE" not in log
    assert "<title>Transcripts</title>" in document
    assert re.search(r'id="count"[^>]*>12 messages<', document)  # our own script has run
    assert document.count("<article ") == 12
    assert document.count("<li>") == len(WORST)
    assert not any("127.0.0.1" in url for url in asked_for(opened))


@pytest.mark.wide
def test_the_same_browser_would_tell_of_an_error(opened: Path) -> None:
    text = opened.read_text()
    opened.write_text(text.replace("</main>", "<script>alert(1)</script></main>"))
    _, log = browse(opened)
    assert "CONSOLE" in log  # the page's own policy refused it
