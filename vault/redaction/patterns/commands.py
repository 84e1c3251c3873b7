"""A user and a password as a command is given them: `docker login -u anna -p Blau-Wal-77`.

`-p` alone is a port, a folder or a project as well. It hands over a password where a user stands before it, or
where the command asks for one, and only what looks like a password is one.
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

_WORD: Final = r"(?P<quote>[\"']?)(?P<value>(?![-$<{%(\[/~.])[^\s\"'`|;&<>]{4,128})(?P=quote)(?![^\s|;&)])"
_USER: Final = re.compile(
    r"(?<!\S)(?:(?:-[uU]|--user(?:name)?|--login)(?:[ =]|(?<=-[uU]))[\"']?|-D [\"']?(?:cn|uid)=)(?P<user>[\w.@\\+-]{2,64})"
    r"(?=[\s\"',])[^\n|;&]{0,100}?\s(?:-[pPw](?:[ =]|(?<=-[pPw]))|--pass(?:word|wd|phrase)?[ =])" + _WORD
)
"""A user and, behind it, a password."""

_ASKED: Final = re.compile(
    r"(?<!\S)(?:7za? [axtel]\b[^\n|;&]{0,100}?\s-p|openssl \w[^\n|;&]{0,100}?\s-(?:k|pass pass:|pass(?:in|out) pass:) ?"
    r"|user(?:add|mod)\b[^\n|;&]{0,80}?\s-p |redis-cli\b[^\n|;&]{0,60}?\s-a |(?:un)?zip\b[^\n|;&]{0,60}?\s-P |net user \S{2,64} |echo [\"']?\w[\w.-]{1,32}:(?=[^\n|]{4,99}\| ?(?:sudo )?chpasswd)"
    r"|htpasswd -\w{0,4}b\w{0,4} \S{1,99} [\w.@-]{1,64} )" + _WORD
)
"""A command that is told a password in a place of its own."""


def _find(folded: Folded, ends: Ends) -> Iterator[Hit]:
    text = folded.text
    for match in around(_USER, text, ends, 90, 260):
        if not _is_password(match["value"]):
            continue
        yield Hit("SECRET", *match.span("value"), 0.9)
        user = match["user"].lower()
        if not (EVERYBODYS.match(user) or NO_NAME.match(user) or "@" in user):
            yield Hit("USERNAME", *match.span("user"), 0.8)
    for match in around(_ASKED, text, ends, 200, 260):
        if _is_password(match["value"]):
            yield Hit("SECRET", *match.span("value"), 0.9)


def _is_password(value: str) -> bool:
    return is_strong(value) and not is_technical(value.lower()) and "/" not in value


RECOGNIZERS = (
    Recognizer(
        "passwords of commands",
        (
            r"\s(?:-u|--user(?:name)?|--login|-d [\"']?(?:cn|uid)=)",
            r"\b(?:7za?|openssl|redis-cli|useradd|usermod|zip|unzip|net user|chpasswd|htpasswd) ?",
        ),
        _find,
        code=True,
        every=True,
    ),
)
