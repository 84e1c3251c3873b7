"""An export as one page that a person can read: no network, nothing to install, nothing that runs but ours.

Whatever was said is text: it is escaped, and the page's policy lets no other script run, even if that failed.
"""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from vault.messages import Message

if TYPE_CHECKING:
    from vault.transfer.formats import Head
    from vault.transfer.output import Position

_PLACEHOLDER = re.compile(r"&lt;([A-Z][A-Z_]{1,40}(?:_\d{1,9}|:[0-9a-f]{12}))&gt;")
# A lone carriage return would be read as another line, a NUL as another character, and neither is one.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


class Html:
    """A page with a search field, for a screen in light or dark, a phone, or paper."""

    suffix = "html"

    def __init__(self, title: str = "Transcripts", words: Sequence[str] = ()) -> None:
        self._title = title
        self._words = words

    def begin(self, exported_at: datetime) -> str | bytes:
        """Give the head of the page."""
        style, script = _asset("page.css"), _asset("page.js")
        words = "".join(
            f"<p>{text(one)}</p>" for one in (*self._words, f"Exported {day_and_time(exported_at)}.")
        )
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {_sum(style)}; script-src \
{_sum(script)}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{text(self._title)}</title>
<style>{style}</style>
</head>
<body>
<div class="wrap"><header class="top"><h1>{text(self._title)}</h1>{words}</header></div>
<div class="bar" role="search" hidden><div class="wrap">
<input id="find" type="search" placeholder="Search" aria-label="Search the messages" autocomplete="off" \
spellcheck="false">
<span id="count" role="status"></span>
<button id="back" type="button" aria-label="Previous" disabled>↑</button>
<button id="on" type="button" aria-label="Next" disabled>↓</button>
</div></div>
<div class="wrap sheet">
<nav aria-label="Sessions"><h2>Sessions</h2><ol></ol></nav>
<main>
<p class="empty">No message holds this.</p>
"""

    def session(self, head: Head, at: Position) -> str | bytes:
        """Open a session."""
        where = f" · {text(head.namespace)}" if head.namespace else ""
        when = _days(head)
        return (
            f'<section id="s{at.sessions + 1}" data-when="{when}"><header>'
            f'<h2 dir="auto">{text(head.session_id)}</h2>'
            f"<p>{when + ' · ' if when else ''}<bdi>{text(head.user_id)}</bdi>{where}</p></header>\n"
        )

    def message(self, head: Head, message: Message, at: Position, *, said: bool) -> str | bytes:
        """Give a message."""
        from vault.transfer.formats import texts  # noqa: PLC0415 (formats name this one)

        del head
        role, place = text(message.role), f"s{at.sessions}m{message.seq}"
        kept = "<span>as it was said</span>" if said else ""
        parts = "".join(
            f"<details><summary>{text(name)}</summary>{_prose(value)}</details>" if name else _prose(value)
            for name, value in texts(message)
        )
        return (
            f'<article class="{role}" id="{place}"><header><b>{role}</b>{_time(message.created_at)}{kept}'
            f'<a href="#{place}">#{message.seq}</a></header>{parts}</article>\n'
        )

    def session_end(self, head: Head, at: Position) -> str | bytes:
        """Close a session; say what is missing."""
        del head
        note = ""
        if at.purged_here:
            note = f'<p class="note">{at.purged_here:,} more were erased: their time was up.</p>'
        elif not at.here:
            note = '<p class="note">No messages.</p>'
        return f"{note}</section>\n"

    def end(self, at: Position) -> str | bytes:
        """Close the page."""
        said = f"{_counted(at.sessions, 'session')}, {_counted(at.messages, 'message')}"
        return (
            "</main></div>\n"
            f'<div class="wrap"><footer class="end">{said}. Times are UTC. A word such as '
            '<span class="put">&lt;PERSON_1&gt;</span> stands where a personal detail was replaced before '
            "anything was stored.</footer></div>\n"
            f"<script>{_asset('page.js')}</script>\n</body>\n</html>\n"
        )


def text(value: str) -> str:
    """Make a text harmless in a page, within an attribute too."""
    return html.escape(_ODD.sub("\ufffd", value.replace("\r\n", "\n")))


def _prose(value: str) -> str:
    marked = _PLACEHOLDER.sub(r'<span class="put">&lt;\1&gt;</span>', text(value))
    return f'<div class="text" dir="auto">{marked}</div>'


def day_and_time(at: datetime) -> str:
    """Show a time as people write it."""
    return at.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC").lstrip("0")


def _time(at: datetime | None) -> str:
    if at is None:
        return ""
    return f'<time datetime="{at.astimezone(UTC).isoformat()}">{day_and_time(at).removesuffix(" UTC")}</time>'


def _days(head: Head) -> str:
    days = [at.astimezone(UTC).strftime("%d %b %Y").lstrip("0") for at in (head.first_at, head.last_at) if at]
    return " \u2013 ".join(dict.fromkeys(days))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@cache
def _asset(name: str) -> str:
    return resources.files("vault.transfer").joinpath("assets", name).read_text(encoding="utf-8").strip()


def _sum(inline: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
