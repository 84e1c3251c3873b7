"""Sections of settings, as TOML and INI have them: a name in brackets, and lines of keys below it."""

from __future__ import annotations

import re

_NAMED = r"\[{1,2}[^\[\]\n=]{1,80}+\]{1,2}"
_NAME = r"""[\w."'-]{1,60}+[ \t]*+=[ \t]*+"""
_STRING = r"""\"(?:[^"\\\n]|\\.)*+\"|'[^'\n]*+'"""
_LINES = r"""\"{3}(?:[^"\\]++|\\.|"(?!""))*+(?:\"{3}|\Z)|'{3}(?:[^']++|'(?!''))*+(?:'{3}|\Z)"""
_INNER = rf"""\[(?:[^\[\]"'#=]++|{_STRING})*+\]|\{{(?:[^{{}}"'\n]++|{_STRING})*+\}}"""
_LIST = rf"""\[(?:[^\[\]{{"'#=]++|#[^\n]*+|{_STRING}|{_INNER})*+(?:\]|\Z)"""
_GOES_ON = r"(?:\n[ \t]++[^\s=#;\[][^\n=]*+(?=\n|\Z))*+"
_SETTING = rf"(?:{_LINES}|{_LIST})[^\n]*+|[^\n]*+{_GOES_ON}"
SECTION = re.compile(
    rf"^[ \t]*+{_NAMED}[ \t\r]*+(?:[#;][^\n]*+)?\n"
    rf"(?:[ \t\r]*+(?:[#;][^\n]*+|{_NAMED}[^\n=]*+|{_NAME}(?:{_SETTING}))?(?:\n|\Z))++",
    re.MULTILINE,
)
"""A list, a string of three quotes or what is indented may go on in other lines; what is open, to the end."""

_NAMES = re.compile(rf"^[ \t]*+{_NAMED}[^\n]*+\n", re.MULTILINE)
_OPEN = re.compile(rf"^[ \t]*+{_NAME}(?=\"{{3}}|'{{3}}|\[)(?:{_LINES}|{_LIST})\Z", re.MULTILINE)


def section_at_end(lines: str) -> str:
    """Give the line that names the section in which whole lines end, if they do in one.

    Where a list or a string is open at their end, the line that opens it follows.
    """
    for found in SECTION.finditer(lines):
        if found.end() == len(lines) and "=" in found[0]:
            name = [*_NAMES.finditer(found[0])][-1][0]
            goes_on = _OPEN.search(lines, found.start())
            first, line_ends, _ = goes_on[0].partition("\n") if goes_on else ("", "", "")
            return name + first + line_ends if line_ends else name
    return ""
