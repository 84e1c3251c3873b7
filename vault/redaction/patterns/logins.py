"""Who logs in, in code: `connect(user="m.oduya", password="...")`, `page.fill("#password", "Blau-Wal-77")`.

A name in code is nobody's, but beside a password that is written out it is somebody's. What a call is handed
behind the name of a password's field, or types into it, is the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around
from vault.redaction.patterns.handles import EVERYBODYS, NO_NAME
from vault.redaction.patterns.strength import is_strong
from vault.redaction.technical import is_technical

_USER: Final = r"(?:user(?:_?(?:name|id))?|login(?:_?(?:name|id))?|usr|uid)"
_CUE: Final = r"(?:pass(?:word|wd|phrase|wort)?|pwd|passcode|contrasena|senha|kennwort|mdp)"
_SET: Final = r"[\"'`]?\s{0,3}(?::=|=>|[:=])\s{0,3}"
_HANDED: Final = (  # the end of a selector, and what is typed there
    r"[\]\"'`)]{1,4}(?:\s?,\s?|\s{0,24}\.\s?(?:\w{1,20}\(\)\s?\.\s?)?"
    r"(?:send_?keys|type|fill|press_?sequentially|set_?(?:value|text)|enter_?text|input|val|value|set)\(\s?)"
)
_VALUE: Final = r"(?P<quote>[\"'`])(?P<value>[^\s\"'`<>{}]{3,128})(?P=quote)"
_NAMED: Final = re.compile(
    rf"(?<![a-z])(?:(?P<user>{_USER})|(?P<pass>{_CUE}))(?:(?P<set>{_SET})|(?:[\w-]{{0,12}}{_HANDED})){_VALUE}"
)
_RULE: Final = re.compile(
    r"(?:required|nullable|optional|confirmed|string|type|min|max|input|css|xpath|name|id)\b"
)
"""What a field must be, or where it is."""

_NEAR: Final = 240  # characters between a user and a password


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    waiting: tuple[int, int] | None = None  # a user that no password has told of yet
    last = -_NEAR  # where a password ended
    for match in around(_NAMED, folded.low, ends, 48, 220):
        start, end = match.span("value")
        if match["pass"]:
            value = folded.text[start:end]
            if not is_strong(value) or is_technical(match["value"]) or _RULE.match(match["value"]):
                continue
            if not match["set"]:
                yield Hit("SECRET", start, end, 0.9)
            if waiting and start - waiting[1] < _NEAR:
                yield Hit("USERNAME", *waiting, 0.7)
            waiting, last = None, end
        elif _is_somebody(match["value"]):
            if start - last < _NEAR:
                yield Hit("USERNAME", start, end, 0.7)
            else:
                waiting = (start, end)


def _is_somebody(value: str) -> bool:
    named = EVERYBODYS.match(value) or NO_NAME.match(value) or is_technical(value)
    return not named and "@" not in value and any(map(str.isalpha, value))


RECOGNIZERS = (
    Recognizer(
        "logins in code",
        (rf"(?:{_USER}|{_CUE})[\w-]{{0,12}}[\"'`\]):= ]",),
        _find,
        code=True,
        every=True,
    ),
)
