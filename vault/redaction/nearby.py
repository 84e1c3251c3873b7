"""Which words stand before a place, as Presidio sees them: SpaCy's tokens, without those that say little.

Of a longer text only what stands around each place is cut into tokens: that comes to the same, since no
token reaches over a space.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_WORDS: Final = 6  # of Presidio's LemmaContextAwareEnhancer: five, and the place's own
_TOKENIZED: Final = 4096  # longer texts are cut into what stands between spaces
_WINDOW: Final = 512  # shorter ones are cut as a whole
_BEFORE, _BEHIND = 160, 64  # of a window, at first
_WIDER: Final = 4
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BESIDE_COLON: Final = re.compile(r"([^\s:]+):|:([^\s:]+)")
_WORD: Final = re.compile(r"\w+")


class _Tokens(NamedTuple):
    """The places of all words that count, those words, and where each token ends."""

    at: list[int]
    words: list[str]
    ends: list[int]


class Nearby:
    """The words of a text, to be asked for those near a place."""

    def __init__(self, text: str) -> None:
        self._text = _SURROGATES.sub("\ufffd", text)  # spaCy can't read them; the places stay
        self._low = ""
        self._said: dict[tuple[str, ...], bool] = {}  # whether any of some words stands anywhere
        self._whole: _Tokens | None = None
        self._left = len(text)  # that may be read in windows: then it costs less to read all at once
        if len(text) <= _WINDOW or len(text) > _TOKENIZED or _joins_little_words(self._text):
            self._left = 0

    def has(self, context: Sequence[str], place: int, *, whole: bool) -> bool:
        """Say whether a context word, or a word that holds one, is among the six up to a place."""
        if not self._says(context):
            return False  # most texts say none: nothing has to be cut into tokens
        around = self._around(place)
        if whole:
            return any(word.lower() in around for word in context)
        return any(word.lower() in one for word in context for one in around)

    def _says(self, context: Sequence[str]) -> bool:
        """Say whether a context word stands anywhere in the text; one that is not of ASCII may."""
        words = tuple(context)
        said = self._said.get(words)
        if said is None:
            self._low = self._low or self._text.lower()
            said = self._said[words] = any(not word.isascii() or word.lower() in self._low for word in words)
        return said

    def _around(self, place: int) -> list[str]:
        before, behind = _BEFORE, _BEHIND
        while self._left > 0:
            start, end = _edges(self._text, place - before, place + behind)
            self._left -= end - start
            tokens = _tokens(self._text[start:end])
            first, last = _range(tokens, place - start)
            if (first >= 0 or not start) and (last <= len(tokens.words) or end == len(self._text)):
                return tokens.words[max(0, first) : last]
            before, behind = before * _WIDER, behind * _WIDER
        if self._whole is None:
            self._whole = _rough_tokens(self._text) if len(self._text) > _TOKENIZED else _tokens(self._text)
        first, last = _range(self._whole, place)
        return self._whole.words[max(0, first) : last]


def _range(tokens: _Tokens, place: int) -> tuple[int, int]:
    """Say from which word on to which they stand near a place; that may lie beyond those that there are."""
    # The token that covers the place, or the first one that ends behind it.
    token = bisect_right(tokens.ends, place)
    upto = bisect_right(tokens.at, token)
    # Where the place itself is punctuation, Presidio looks at the next word too.
    is_word = upto and tokens.at[upto - 1] == token
    return upto - _WORDS, upto if is_word else upto + 1


def _edges(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a window until a single space stands at either edge: there no token is cut."""
    while start > 0:
        start = text.rfind(" ", 0, start)
        if start <= 0:
            break
        if not text[start - 1].isspace() and not text[start + 1].isspace():
            start += 1
            break
    while end < len(text):
        end = text.find(" ", end)
        if end < 0 or end + 1 == len(text):
            break
        if not text[end - 1].isspace() and not text[end + 1].isspace():
            return max(start, 0), end
        end += 1
    return max(start, 0), len(text)


def _joins_little_words(text: str) -> bool:
    """Say whether a word that counts for nothing stands at a colon: there Presidio counts it everywhere."""
    if ":" not in text:
        return False
    from spacy.lang.en.stop_words import STOP_WORDS

    said = (word.lower() for found in _BESIDE_COLON.finditer(text) for word in _WORD.findall(found[0]))
    return any(word in STOP_WORDS or word == "be" for word in said)


def _tokens(text: str) -> _Tokens:
    from spacy.attrs import IDX, IS_PUNCT, IS_STOP, LENGTH, LOWER, ORTH

    document = _tokenizer()(text)
    # As columns of numbers: to make a token of each takes longer than to find them.
    columns = document.to_array([IDX, LENGTH, LOWER, ORTH, IS_STOP, IS_PUNCT]).T.tolist()
    starts, lengths, lower, written, stops, marks = columns
    strings = document.vocab.strings
    said = {number: strings[number] for number in set(lower)}
    left_out = {strings["-PRON-"], strings["be"]}
    plain = {
        word
        for word, as_it_is, is_stop, is_mark in zip(lower, written, stops, marks, strict=True)
        if not (is_stop or is_mark or as_it_is in left_out)
    }
    keywords = {part for number in plain for part in said[number].split(":")}
    at = [place for place, number in enumerate(lower) if said[number] in keywords]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    return _Tokens(at, [said[lower[place]] for place in at], ends)


def _rough_tokens(text: str) -> _Tokens:
    found = [(match.end(), match[0].lower()) for match in _WORD.finditer(text)]
    ends = [*(end for end, _ in found), len(text) + 1]
    return _Tokens(list(range(len(found))), [word for _, word in found], ends)


_REMEMBERED: Final = 50_000  # words
_TOKENIZER: list[Any] = []


def _tokenizer() -> Any:
    """SpaCy's tokenizer of English, no model. It keeps every word for good, so it is renewed."""
    if not _TOKENIZER or len(_TOKENIZER[-1].vocab.strings) > _REMEMBERED:
        import spacy

        _TOKENIZER[:] = [spacy.blank("en").tokenizer]
    return _TOKENIZER[-1]
