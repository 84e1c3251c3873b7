"""A form: one way to write one kind of value, with a sign that stands in it. A table of forms makes recognizers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vault.redaction.folding import Folded
from vault.redaction.gate import Ends
from vault.redaction.patterns import Hit, Recognizer, around


@dataclass(frozen=True, slots=True)
class Form:
    """`pattern` is looked for `before` and `after` the places where `sign` ends; each of its groups is a value.

    Where `where` is not in the text at all, nothing is. `cased` reads the text as it is written and not in lower case. `fits` has the last word: it is given the value as
    it is written, and what stands before it.
    """

    name: str
    sign: str
    pattern: re.Pattern[str]
    before: int
    after: int
    cased: bool = False
    code: bool = False
    where: re.Pattern[str] | None = None
    fits: Callable[[str, str], bool] | None = None


def recognizer(entity: str, form: Form, score: float = 0.6) -> Recognizer:
    """Make the recognizer of a form."""

    def find(folded: Folded, ends: Ends) -> Iterator[Hit]:
        if form.where and not form.where.search(folded.low):
            return
        text = folded.text if form.cased else folded.low
        for match in around(form.pattern, text, ends, form.before, form.after):
            before = folded.low[max(0, match.start() - 40) : match.start()]
            for group in range(1, form.pattern.groups + 1):
                start, end = match.span(group)
                if start >= 0 and (form.fits is None or form.fits(folded.text[start:end], before)):
                    yield Hit(entity, start, end, score)

    return Recognizer(form.name, (form.sign,), find, code=form.code, every=True)
