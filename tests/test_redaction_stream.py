"""What goes out of a stream, and when: never what a scan of the whole would redact."""

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from timing import quickest

from vault.errors import InputError, UsageError
from vault.redaction.findings import Finding
from vault.redaction.stream import BLOCK, Stream, redacted, redacted_async

PERSONAL = re.compile(
    r"(?P<KEY>-----BEGIN [A-Z ]+-----[^-]*-----END [A-Z ]+-----)"
    r"|(?P<EMAIL>\b[a-z0-9.]+@[a-z0-9]+(?:\.[a-z0-9]+)+)"
    r"|(?P<CARD>\b\d{4}(?: \d{4}){3}\b)"
    r"|(?P<PERSON>\b[A-Z][a-z]+ [A-Z][a-z]+\b)"
    r"|(?<=password is )(?P<SECRET>\S+)"
)
BODY = "\n".join("MIIEpAIBAAKCAQEA7bq8Zk3f0" * 2 for _ in range(25))
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"
PROSE = "the room is large enough for all of us and we can meet there as soon as it is free again "


def find(text: str) -> list[Finding]:
    return [Finding(m.lastgroup or "", *m.span(), 1.0, "test") for m in PERSONAL.finditer(text)]


def numbering() -> Callable[[str, list[Finding]], str]:
    numbers: dict[str, int] = {}

    def replace(text: str, found: list[Finding]) -> str:
        pieces, at = [], 0
        for finding in found:
            number = numbers.setdefault(text[finding.start : finding.end], len(numbers) + 1)
            pieces += [text[at : finding.start], f"<{finding.entity}_{number}>"]
            at = finding.end
        return "".join([*pieces, text[at:]])

    return replace


def stream() -> Stream:
    return Stream(find, numbering())


def whole(text: str) -> str:
    return numbering()(text, find(text))


def cut(text: str, places: Iterable[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(ends)]


def words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


PIECES = st.sampled_from(
    [
        "anna.berg@example.org",
        "4111 1111 1111 1111",
        "4111 1111",
        "Anna Berg",
        "Maria",
        "Karl Otto Dorn",
        "my password is hunter2",
        "we met in the garden, as always.",
        "12",
        "-----BEGIN",
        "{ x",
        "```python\nimport os\n```",
        '{"name": "Anna Berg", "of": [1, "}"]}',
        KEY,
        "東京都千代田区",
        "naïve café — “no”",
        PROSE,
    ]
)
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from([" ", "\n", ", ", "\n\n", "  "])), max_size=12).map(
    lambda pairs: "".join(piece + gap for piece, gap in pairs)
)


@pytest.mark.wide
@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 5000), max_size=60))
@example(
    PROSE * 12 + "Anna Berg " + PROSE * 12 + KEY + PROSE * 12 + "4111 1111 1111 1111", list(range(0, 5000, 3))
)
def test_however_a_text_is_cut_what_goes_out_is_the_redaction_of_the_whole(
    text: str, places: list[int]
) -> None:
    face = stream()
    assert "".join(redacted(cut(text, places), face)) == whole(text)
    assert face.late == []
    assert face.text == text
    assert face.findings == find(text)


@pytest.mark.wide
@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_a_text_that_comes_sign_by_sign_is_redacted_like_the_whole(text: str) -> None:
    assert "".join(redacted(text[:2500], stream())) == whole(text[:2500])


def test_clean_prose_flows_with_a_delay_of_a_few_words() -> None:
    face, out, worst = stream(), 0, 0
    for fed, word in enumerate(words(PROSE * 20), start=1):
        out += len(words(face.feed(word)))
        worst = max(worst, fed - out)
    assert worst <= 7


def test_prose_flows_on_behind_names_numbers_and_open_code_fences() -> None:
    text = f"in 2019 Anna Berg came to Rome. {PROSE}\n```python\nwhile True: run(1)\n" + PROSE * 3
    face = stream()
    assert len(whole(text)) - len("".join(map(face.feed, words(text)))) < 60


def test_prose_in_capitals_and_names_without_end_flow_on() -> None:
    face = stream()
    out = "".join(map(face.feed, ["SHOUT "] * 300))
    assert len(out) > 250 * 6


def test_scripts_without_spaces_flow() -> None:
    text = "今日はとても良い天気ですから散歩に行きましょう" * 20
    face = stream()
    assert len(text) - len("".join(map(face.feed, text))) < 40


def test_a_key_block_is_held_until_its_end() -> None:
    face = stream()
    out = "".join(face.feed(token) for token in cut("look: " + KEY, range(0, 5000, 7)))
    assert out.strip() in {"", "look:"}
    out += "".join(map(face.feed, words(" and " + PROSE * 5)))
    assert "<KEY_1> and the room" in out
    assert "MIIE" not in out + face.finish()


def test_a_block_that_never_ends_is_let_go_at_its_bound() -> None:
    face = stream()
    out = "".join(map(face.feed, words("-----BEGIN x " + PROSE * 300)))
    assert len(out) > len(PROSE) * 300 - BLOCK
    assert PROSE.endswith(face.finish())


def test_json_that_begins_a_line_goes_out_whole() -> None:
    text = json.dumps({"notes": [PROSE, 'an odd } and " sign'], "by": "Anna Berg"}, indent=1)
    face = stream()
    assert "".join(map(face.feed, words(text[:-2]))) == ""
    face.feed(text[-2:])
    rest = "".join(map(face.feed, words("\n" + PROSE * 3)))
    assert rest.startswith(whole(text))


def test_an_address_cut_in_the_middle_of_a_token_is_found() -> None:
    assert "".join(redacted(["write to an", "na@exa", "mple.o", "rg ple", "ase"], stream())) == (
        "write to <EMAIL_1> please"
    )


def test_the_token_behind_a_password_is_found_even_if_the_stream_paused_there() -> None:
    face = stream()
    out = "".join(map(face.feed, words(PROSE * 9 + "and my password is ")))
    assert "hunter2" not in out + face.feed("hun") + face.feed("ter2") + face.feed(" ") + face.finish()


def test_placeholders_are_numbered_through_the_whole_message() -> None:
    out = "".join(redacted(words(f"Anna Berg {PROSE} Carl Dorn {PROSE} Anna Berg"), stream()))
    assert re.findall(r"<\w+>", out) == ["<PERSON_1>", "<PERSON_2>", "<PERSON_1>"]


def test_what_only_the_whole_shows_is_told_as_late() -> None:
    def find_late(text: str) -> list[Finding]:
        end = text.find("STOP")
        return [] if end < 0 else [Finding("X", text.index("the room"), end, 1.0, "late")]

    face = Stream(find_late, numbering())
    out = "".join(map(face.feed, words(PROSE * 10 + "STOP")))
    assert out
    assert out + face.finish() == out + "<X_1>STOP"
    assert [finding.by for finding in face.late] == ["late"]
    assert face.late == face.findings


def test_what_went_out_redacted_under_another_name_is_not_late() -> None:
    def renames(text: str) -> list[Finding]:
        entity = "PERSON" if len(text) < 600 else "AUTHOR"
        return [Finding(entity, *m.span(), 1.0, "x") for m in re.finditer("Anna Berg", text)]

    face = Stream(renames, numbering())
    assert "Berg" not in "".join(redacted(words("so Anna Berg said " + PROSE * 8), face))
    assert [finding.entity for finding in face.findings] == ["AUTHOR"]
    assert face.late == []


def test_a_scan_in_an_open_code_fence_is_told_of_it() -> None:
    seen: list[str] = []

    def watch(text: str) -> list[Finding]:
        seen.append(text)
        return []

    face = Stream(watch, numbering())
    lines = "".join(f"x = call({number})\n" for number in range(200))
    inside = f"{PROSE}\n```python\n{lines}"
    for word in words(inside):
        face.feed(word)
    assert seen[-1].startswith("```python\n")
    assert len(seen[-1]) < 700
    for word in words("```\n" + PROSE * 20):
        face.feed(word)
    assert "```" not in seen[-1]


def test_positions_are_those_of_the_text_behind_an_open_fence_too() -> None:
    text = f"{PROSE}\n```text\n" + "a line of a long listing\n" * 60 + "by Anna Berg\n" + PROSE
    assert "".join(redacted(words(text), stream())) == whole(text)


def test_a_finder_that_fails_lets_nothing_out() -> None:
    def fails(text: str) -> list[Finding]:
        if "boom" in text:
            raise RuntimeError
        return find(text)

    face = Stream(fails, numbering())
    out = "".join(map(face.feed, words(PROSE)))
    for word in words("Anna Berg boom Anna Berg"):
        try:
            out += face.feed(word)
        except RuntimeError:
            out += ""
    with pytest.raises(RuntimeError):
        face.finish()
    assert "Berg" not in out


def test_tokens_that_end_with_an_error_leave_the_held_text_inside() -> None:
    def breaks() -> Iterable[str]:
        yield from words(PROSE + "then came Anna ")
        raise ConnectionError

    out: list[str] = []
    with pytest.raises(ConnectionError):
        out.extend(redacted(breaks(), stream()))
    assert "Anna" not in "".join(out)


def test_a_finished_stream_takes_nothing_more() -> None:
    face = stream()
    assert face.feed("Anna") + face.finish() + face.finish() == "Anna"
    with pytest.raises(UsageError):
        face.feed("Berg")


@pytest.mark.parametrize("token", [None, b"Anna", 5])
def test_a_token_is_a_text(token: Any) -> None:
    face = stream()
    with pytest.raises(InputError, match="a token is a text") as caught:
        face.feed(token)
    assert "None" in caught.value.hint
    assert face.feed("Anna") + face.finish() == "Anna"


def test_an_empty_message_is_empty() -> None:
    assert list(redacted([], stream())) == []
    assert list(redacted(["", ""], stream())) == []


def test_the_async_face_gives_the_same() -> None:
    text = PROSE * 4 + "Anna Berg and anna@example.org " + PROSE * 4

    async def tokens() -> AsyncIterator[str]:
        for word in words(text):
            await asyncio.sleep(0)
            yield word

    async def collected() -> list[str]:
        return [safe async for safe in redacted_async(tokens(), stream())]

    assert asyncio.run(collected()) == list(redacted(words(text), stream()))


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        "x" * 300_000,
        "{\n" * 60_000,
        "-----BEGIN " * 20_000,
        "1 " * 60_000,
        '["' * 60_000,
        "Anna Berg " * 12_000,
        "a,b\n" * 15_000,
        'a,"b\n' * 25_000,
        "insert into a (b) values ('" * 5_000,
    ],
    ids=["unbroken", "open braces", "open keys", "digits", "open strings", "names", "rows", "quotes", "sql"],
)
def test_scans_stay_linear_in_the_text(text: str) -> None:
    scanned = 0

    def counts(seen: str) -> list[Finding]:
        nonlocal scanned
        scanned += 1_000 + len(seen)
        return []

    rng = random.Random(7)
    before = time.thread_time()
    tokens = cut(text, [rng.randrange(len(text)) for _ in range(300)])
    list(redacted(tokens, Stream(counts, numbering())))
    assert scanned < 40 * len(text) + 300 * 2_000
    assert time.thread_time() - before < 3


@pytest.mark.bench
def test_the_cost_of_a_token_with_a_find_of_fifty_microseconds_and_a_half_more_a_word() -> None:
    def costs(text: str) -> list[Finding]:
        until = time.perf_counter() + 50e-6 + 1.5e-6 * (text.count(" ") + 1)
        while time.perf_counter() < until:
            pass
        return []

    text = PROSE * 60
    tokens = [text[at : at + 4] for at in range(0, len(text), 4)]
    face = Stream(costs, numbering())
    before = time.perf_counter()
    for token in tokens:
        face.feed(token)
    assert (time.perf_counter() - before) / len(tokens) < 150e-6


def test_words_behind_a_recovery_phrase_are_counted_in_no_time() -> None:
    text = "my recovery phrase " + "abcde " * 6
    assert quickest(lambda: Stream(lambda _: [], lambda said, _: said).feed(text), 0.2) < 0.2
