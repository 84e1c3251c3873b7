"""What a label alone tells of the value under it: a first name, a name in any script, a password of words.

A model reads sentences, and a cell says little; what stands under `last_name` is a name all the same.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vault.redaction.findings import Finding, Ground
from vault.redaction.patterns.phrases import is_phrase
from vault.redaction.patterns.strength import is_strong
from vault.redaction.segments import Form, Piece
from vault.redaction.segments.labels import is_part_of_a_name, is_password, names_a_person
from vault.redaction.segments.lines import one_line
from vault.redaction.technical import is_technical

_CAPITAL: Final = r"[^\W\d_a-z][^\W\d_]*(?:['\u2019.-]{1,2}[^\W\d_]+)*\.?"
_NAME: Final = re.compile(rf"{_CAPITAL}(?: (?:[a-z]{{1,3}} ){{0,2}}{_CAPITAL}){{0,3}}")
_NO_NAMES: Final = (
    "first last middle full given family name string text unknown none null test example anonymous user"
    " customer true false required optional varchar nan n/a na tbd various john doe"
)
_NOBODY: Final = frozenset(_NO_NAMES.split())
_KANA: Final = r"\u3005\u3040-\u30ff\u3400-\u9fff"  # and what is written of Chinese among it
_HAN: Final = re.compile(
    rf"[\u3005\u3400-\u9fff]{{2,4}}|[{_KANA}]{{2,6}}[ \u3000]?[{_KANA}]{{0,6}}|[\uac00-\ud7a3]{{2,5}}"
)
_LETTERS: Final = re.compile(r"[^\W\d_A-Za-z][\w'\u2019.-]*(?: [^\W\d_A-Za-z][\w'\u2019.-]*){0,3}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?")
_CALLED: Final = re.compile(r"(?:name|nombre|nom|nome)s?\b", re.IGNORECASE)
_BIRTH: Final = re.compile(r"dob\b|birth|geburt|nacimiento|naissance|nascimento", re.IGNORECASE)
_FILLED_IN: Final = re.compile(r"[<{$%\[(]{1,3}[\w .-]*[>})\]%]{0,3}$|\$\w|[\w.]+\(")
"""What will be filled in, or is called."""

_BARE: Final = re.compile(r"[^\s\"'`,;]++")
_COMMENT: Final = re.compile(r"\s+#.*$")
_SCORE: Final = 0.9


def by_label(found: list[Finding], piece: Piece, label: str, shift: int) -> list[Finding]:
    """Add what the label of a piece tells of it, `shift` characters behind where it stands.

    A model that takes a surname for a user, or for an address of mail, knows less than the label.
    """
    if not label or piece.form is not Form.PROSE or "\n" in piece.text:
        return found
    said = piece.text.rstrip()
    start = shift + len(said) - len(said.lstrip())
    if is_password(label):
        said = _COMMENT.sub("", said) if piece.write is one_line else said
        if is_technical(said.strip()) or not _is_secret(said, label, is_string=piece.write is not one_line):
            return found
        return [*found, Finding("SECRET", start, shift + len(said), _SCORE, "labels")]
    if _MOMENT.fullmatch(said.strip()) and _BIRTH.search(label):
        return [*found, Finding("DATE_OF_BIRTH", start, shift + len(said), _SCORE, "labels")]
    said = said.strip()
    is_in_part = _CALLED.search(label) is not None and any(
        one.entity == "PERSON" and start <= one.start and one.end <= start + len(said) for one in found
    )
    if not (_is_name(said, label) or (is_in_part and _NAME.fullmatch(said))):
        return found
    name = Finding("PERSON", start, start + len(said), _SCORE, "labels", Ground.MODEL)
    return [*(one for one in found if one.ground is not Ground.MODEL or one.end <= start), name]


def _is_secret(said: str, label: str, *, is_string: bool) -> bool:
    is_whole = len(said.split()) == 1 and (is_string or _BARE.fullmatch(said) is not None)
    if is_whole and is_strong(said) and not _FILLED_IN.match(said):
        return True
    bare = unicodedata.normalize("NFKD", said.strip().lower())
    low = "".join(letter for letter in bare if not unicodedata.combining(letter))
    first = said.lstrip().partition(" ")[0]
    in_a_sentence = label.isalpha() or (" " in label and is_strong(first))  # which may go on behind it
    return is_phrase(low, whole=is_string or not in_a_sentence)


def _is_name(said: str, label: str) -> bool:
    if is_part_of_a_name(label):
        return _LETTERS.fullmatch(said) is not None or (
            _NAME.fullmatch(said) is not None and _NOBODY.isdisjoint(said.lower().split())
        )
    if said.isascii() or not names_a_person(label):
        return False
    return _HAN.fullmatch(said) is not None or (" " in said and _LETTERS.fullmatch(said) is not None)
