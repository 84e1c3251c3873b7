"""The gate never misses: what it lets through finds exactly what all of Presidio finds without it."""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from redaction_texts import Texts

from vault.redaction.catalogue import recognizers
from vault.redaction.characters import needed, present
from vault.redaction.finder import Patterns
from vault.redaction.gate import Build, Gate, Sign, mapped
from vault.redaction.presidio import Presidio

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
Found = set[tuple[str, int, int, float]]


class Stock:
    """Presidio as it comes, ungated, on a blank English pipeline whose words are their own lemmas."""

    def __init__(self) -> None:
        import spacy
        from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        class Blank(SpacyNlpEngine):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.nlp = {"en": spacy.blank("en")}

            def is_stopword(self, word: str, language: str) -> bool:
                return bool(super().is_stopword(word, language))

        self.engine = Blank()
        self.recognizers: list[Any] = recognizers()
        self.enhancer = LemmaContextAwareEnhancer()
        self.quick = [_Quick(recognizer) for recognizer in self.recognizers]

    def find(self, text: str) -> Found:
        """What Presidio finds, each recognizer asked as Presidio asks it."""
        results: list[Any] = []
        for recognizer in self.recognizers:
            results += recognizer.analyze(text, recognizer.supported_entities, None) or []
        return self._enhanced(text, results)

    def find_quickly(self, text: str) -> Found:
        """The same in half the time: no recognizer is asked of whose patterns none matches anywhere."""
        results = [one for quick in self.quick for one in quick.analyze(text)]
        return self._enhanced(text, results) if results else set()

    def _enhanced(self, text: str, results: list[Any]) -> Found:
        from presidio_analyzer import EntityRecognizer
        from presidio_analyzer.nlp_engine import NlpArtifacts

        document = self.engine.nlp["en"](text)
        artifacts = NlpArtifacts(
            entities=[],
            tokens=document,
            tokens_indices=[token.idx for token in document],
            lemmas=[token.text for token in document],
            nlp_engine=self.engine,
            language="en",
        )
        results = self.enhancer.enhance_using_context(text, results, artifacts, self.recognizers)
        return {
            (r.entity_type, r.start, r.end, round(r.score, 6))
            for r in EntityRecognizer.remove_duplicates(results)
        }


class _Quick:
    """One of Presidio's recognizers, asked only where it can have an answer.

    One that works by patterns alone has none where `regex`, with its flags, finds none of them.
    Any other one keeps its answer to the last text, for whoever asks next.
    """

    def __init__(self, recognizer: Any) -> None:
        import regex
        from presidio_analyzer import PatternRecognizer

        self.recognizer = recognizer
        self.searches: list[Any] | None = None
        if type(recognizer).analyze is PatternRecognizer.analyze:
            flags = recognizer.global_regex_flags
            self.searches = [regex.compile(p.regex, flags=flags).search for p in recognizer.patterns]
        self.last: tuple[str, list[Any]] = "", []

    def analyze(self, text: str, *_given: object) -> list[Any]:
        if self.searches is None:
            if self.last[0] != text:
                self.last = text, self._asked(text)
            return self.last[1]
        return self._asked(text) if any(search(text) for search in self.searches) else []

    def _asked(self, text: str) -> list[Any]:
        return type(self.recognizer).analyze(self.recognizer, text, self.recognizer.supported_entities) or []


class Gated:
    """All of Presidio's recognizers behind a gate."""

    def __init__(self, cache: Path, build: Any) -> None:
        self.presidio = Presidio(strict=True, cache=cache)
        self.gate = Gate(self.presidio.signs(), cache=cache, build=build)

    def share(self, stock: Stock) -> None:
        """Take the answers of those that ask `phonenumbers` from stock: both ask the same of a text."""
        for mine, quick in zip(self.presidio._load(), stock.quick, strict=True):
            assert type(mine) is type(quick.recognizer)
            if quick.searches is None and not hasattr(mine, "patterns"):
                mine.analyze = quick.analyze

    def find(self, text: str) -> Found:
        found = self.presidio.find(text, self.gate.fired(text))
        return {(f.entity, f.start, f.end, round(f.score, 6)) for f in found}


@pytest.fixture(scope="session")
def stock() -> Stock:
    return Stock()


@pytest.fixture(scope="session")
def cache() -> Path:
    """One for all test runs: the database is the same as long as the patterns are."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transcript-vault-tests"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def gated(cache: Path) -> Gated:
    return Gated(cache, "now")


@pytest.mark.wide
def test_hyperscan_reads_every_sign_and_the_database_is_cached(cache: Path) -> None:
    """A sign that it can't read is let through always, and then each process compiles all anew."""
    patterns = Patterns(cache=cache, build="now")
    patterns.warm_up()
    gate = patterns._built().gate
    assert gate._always == frozenset()
    assert gate._path() in set(cache.iterdir())


def _texts(stock: Stock, seed: int) -> Texts:
    patterns = [p.regex for r in stock.recognizers for p in getattr(r, "patterns", [])]
    return Texts(patterns, seed)


def _same(stock: Stock, gated: Gated, count: int, seed: int) -> None:
    texts = _texts(stock, seed)
    gated.share(stock)
    for _ in range(count):
        text = texts.text()
        try:
            wanted = stock.find_quickly(text)
        except UnicodeEncodeError:
            continue  # spaCy itself can't read a lone surrogate
        except (LookupError, TypeError, ValueError):
            gated.find(text)  # where Presidio's own sums break on digits of another script, ours must not
            continue
        assert gated.find(text) == wanted, repr(text)


@pytest.mark.wide
def test_digits_that_break_a_sum_of_presidios_are_redacted_all_the_same() -> None:
    text = "codice fiscale IXXWWFMLETMZV\u096a\u0966F"
    assert [text[one.start : one.end] for one in Patterns().find(text)] == ["IXXWWFMLETMZV\u096a\u0966F"]


@pytest.mark.wide
def test_asking_stock_presidio_quickly_gives_what_it_gives(stock: Stock) -> None:
    texts = _texts(stock, seed=5)
    found = 0
    for _ in range(100):
        text = texts.text().replace("\ud800", "")
        try:
            wanted = stock.find(text)
        except (LookupError, TypeError, ValueError) as error:
            with pytest.raises(type(error)):
                stock.find_quickly(text)
            continue
        assert stock.find_quickly(text) == wanted
        found += len(wanted)
    assert found > 100


@pytest.mark.wide
def test_the_gate_loses_nothing_that_presidio_finds(stock: Stock, gated: Gated) -> None:
    _same(stock, gated, int(os.environ.get("VAULT_GATE_TEXTS", "200")), seed=1)


@pytest.mark.wide
def test_the_gate_lets_through_whatever_finds_something(stock: Stock, gated: Gated) -> None:
    """The same without Presidio's context words, which cost most of the time."""
    texts = _texts(stock, seed=2)
    for _ in range(1000):
        text = texts.text()
        fired = gated.gate.fired(text)
        for at, recognizer in enumerate(stock.recognizers):
            if 2 * at not in fired:
                assert not _finds(recognizer, text), (recognizer.name, repr(text))


def _finds(recognizer: Any, text: str) -> bool:
    patterns = getattr(recognizer, "patterns", None)
    if patterns is None:
        return any(map(str.isdecimal, text)) and bool(recognizer.analyze(text, recognizer.supported_entities))
    import regex

    flags = recognizer.global_regex_flags
    return any(regex.search(p.regex, text, flags=flags) for p in patterns)


@pytest.mark.slow
def test_the_gate_loses_nothing_in_twenty_thousand_texts(stock: Stock, gated: Gated) -> None:
    _same(stock, gated, int(os.environ.get("VAULT_GATE_TEXTS", "20000")), seed=3)


@pytest.mark.wide
def test_the_plain_gate_loses_nothing_either(stock: Stock, cache: Path) -> None:
    plain = Gated(cache, "never")
    assert not plain.gate.compiled
    _same(stock, plain, 100, seed=4)


@pytest.mark.wide
def test_a_word_behind_punctuation_is_context_too(stock: Stock, gated: Gated) -> None:
    text = "kennzeichen-L89495396@pan. 8524763999"
    assert gated.find(text) == stock.find(text)


@pytest.mark.wide
def test_every_character_keeps_its_class_in_the_gate() -> None:
    import regex

    every = [chr(code) for code in range(0x80, 0x110000, 61)]
    for character, byte in zip(every, mapped("".join(every)), strict=True):
        for kind in (r"\w", r"\d", r"\s"):
            seen = bool(regex.match(kind, chr(byte), regex.ASCII))
            assert seen == bool(regex.match(kind, character)), (kind, hex(ord(character)))


BUILDS: list[Build] = ["now", "never"]
SIGNS = [Sign(0, r"\bid \d{4}"), Sign(1, r"[a-z]+@", every=True), Sign(2, r"(?<=no |number )\d")]


def test_a_sign_without_a_fixed_look_behind_is_read_as_text_before_it() -> None:
    gate = Gate(SIGNS, build="now")
    assert set(gate.fired("number 7")) == {2}


def test_where_a_sign_ends_is_told_for_every_match() -> None:
    for build in BUILDS:
        gate = Gate(SIGNS, build=build)
        assert gate.fired("abc@ and b@")[1][-1] == 11


@pytest.mark.parametrize(
    ("pattern", "is_so"),
    [
        (r"id \d{4}", True),
        (r"(?=[a-z]*\d)[a-z0-9]{4}", True),  # the digit that it looks at is one of the four
        (r"(?:[0-9]|7)x", True),
        (r"(?:\d|a)x", False),
        (r"(?=\d|a)\w", False),
        (r"(?!\d)x", False),
        (r"x\d?", False),
        (r"[^a-z]x", False),
        (r"[\da]x", False),
        (r"(?:(?=\d)[a-z0-9])?x", False),
    ],
)
def test_what_needs_a_digit_is_told_from_its_pattern(pattern: str, *, is_so: bool) -> None:
    assert needed(pattern, re.IGNORECASE).has_digit is is_so


def test_a_digit_that_is_looked_at_is_counted_once() -> None:
    assert needed(r"(?:(?=.*\d)a)\d", 0).met(present("a1"))


def test_where_no_digit_is_all_that_needs_none_is_still_looked_for() -> None:
    gate = Gate(SIGNS, build="now")
    assert set(gate.fired("abc@")) == {1}
    assert set(gate.fired("abc@ id 1234, no 7")) == {0, 1, 2}
    assert set(gate.fired("number \u0667")) == {2}
    assert gate.fired("number") == {}


def test_the_cache_is_ours_alone_and_used_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = Gate(SIGNS, cache=cache, build="now")
    (file,) = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second = Gate(SIGNS, cache=cache, build="background")
    assert second.compiled  # at once: nothing had to be compiled
    assert second.fired("id 1234") == first.fired("id 1234")


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "readable by others", "a link"])
def test_a_cache_that_is_damaged_or_not_ours_is_made_anew(tmp_path: Path, harm: str) -> None:
    cache = tmp_path / "cache"
    Gate(SIGNS, cache=cache, build="now")
    (file,) = cache.iterdir()
    body = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(body[:-100])
        case "flipped":
            file.write_bytes(body[:200] + bytes([body[200] ^ 1]) + body[201:])
        case "emptied":
            file.write_bytes(b"")
        case "readable by others":
            file.chmod(0o666)
        case _:
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
    gate = Gate(SIGNS, cache=cache, build="now")
    assert set(gate.fired("id 1234")) == {0}
    assert not file.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes()[-100:] == body[-100:]


def test_a_cache_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    Gate(SIGNS, cache=cache, build="now")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not Gate(SIGNS, cache=cache, build="never").compiled
    assert set(Gate(SIGNS, cache=cache, build="now").fired("id 1234")) == {0}


def test_without_a_cache_that_can_be_written_it_still_works(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("no directory")
    assert set(Gate(SIGNS, cache=occupied / "cache", build="now").fired("id 1234")) == {0}


def test_one_gate_serves_many_threads() -> None:
    gate = Gate(SIGNS, build="now")
    wrong: list[object] = []

    def work(number: int) -> None:
        seen = [set(gate.fired(f"id {number:04} " * 50)) for _ in range(300)]
        wrong.extend(one for one in seen if one != {0})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.wide
@pytest.mark.usefixtures("no_network")
def test_nothing_ever_opens_a_socket(gated: Gated, cache: Path) -> None:
    text = "mail ana@example.co.uk, ssn 457-55-5462, dni 12345678Z, call +49 171 2345678, https://a.example.org/x"
    assert {"EMAIL_ADDRESS", "US_SSN", "URL"} <= {entity for entity, *_ in gated.find(text)}
    assert Patterns(cache=cache, build="never").find(text)
