"""What the patterns find, what they leave alone, and how long bad input takes them."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns
from vault.redaction.findings import Finding, Ground
from vault.redaction.folding import fold
from vault.redaction.overlaps import resolve
from vault.redaction.patterns import cards

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


patterns = pattern_finding.patterns

MARKED = [
    "my card is [4539148803436467] ok",
    "card: [4539 1488 0343 6467], thanks",
    "pay with [４５３９１４８８０３４３６４６７] now",
    "pay with [4539\u200b1488\u200b0343\u200b6467] now",
    "send it to [DE89 3704 0044 0532 0130 00] please",
    "iban [gb82west12345698765432]",
    "write to [jo.smith+news@mail.internal.corp] or [ana@srv.lan1x]",
    "mail me: [maria dot lopez at gmail dot com]",
    "ring me on [+44 7911 204 518] tonight",
    "call [087 455 1923] after four",
    "Zoe, Ph-[98410 55127], Mob.-[9841055127], Contact no-[07911338204], WhatsApp no.-[+84935550127]",
    "Zoe tel-[617-555-0148] cell-[6175550149]",
    "his number is [(312) 555-0184]",
    "see [https://keramik-lindenhof.ch/shop?id=7], it is mine",
    "my profile: [linkedin.com/in/thandivdm]",
    "IP-[81.44.203.17], mine",
    "log in from [81.44.203.17] and [2a02:1210:5e1c:4400::17]",
    "server [81.44.203.17] is down, connect to [81.44.203.18] instead",
    "ping from [81.44.203.17] to [93.12.7.201]",
    "write to [x at firma dot cz] or [office at mail dot museum]",
    "charge [4539.1488.0343.6467] again",
    "write to [pat.o'hara@kerry-mail.ie], not 'ana@mail.lan1x'",
    "router mac is [78-B5-4E-B2-CC-F1]",
    "i live at [1182 Wisteria Ct, Apt 4B] now",
    "my address is [9 Elmhurst Close, Reading RG4 7QT]",
    "Adresse: [Dünenweg 7, 25980 Sylt]",
    "Ich wohne in der [Lister Meile 48, 30161 Hannover].",
    "vivo en la [Calle Olmo 9, 2º izq., 28012 Madrid]",
    "habite au [27 rue des Tanneurs, 68000 Colmar]",
    "write to [PO Box 417]",
    "key [sk_live_nUzUcWvLB6ijPr13LIl6dKCI] leaked",
    "token: [eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4ODIwIn0.q7Lk0ZfVb3mEw1HnX2sPdR8u]",
    "my wifi password is [Mangotree_1998!] ok",
    "pw: [Hurling4eva], thanks",
    "la contraseña es [Miércoles*14]",
    "the pin i set was [7741]",
    "the pin has four digits, it is [7741]",
    "the code i used was [52258], the token [481273]",
    "my token: [52258], the limit is 4096",
    "the code is [12345]",
    "with Wiebke ([47]) and her sister",
    "Smith, b. [3 May 1961]; Jones, b [12/07/1949]",
    "im [5], explain it",
    "RFC [GOMC850214QX3]",
    "[Rue Pasteur 17 bis], bei mir",
    "send 1 btc to [1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2]",
    "eth [0xbd1be9232f5119cba504888769d5c2318ebd8a4e]",
    "my passport is [K48213907]",
    "[K48213907] is my passport",
    "Reisepass [C4J9KX7Z2] läuft ab",
    "driving licence no. please?\n[MORGA753116SM9IJ]",
    "my plate is [LR08 KVT] ok",
    "matrícula [4471 KBT], azul",
    "ssn [227-90-4416]",
    "sort code [40-17-22] acc no [61830925]",
    "routing [071004219]",
    "MRN [00482913], seen today",
    "my nino: [QQ 48 21 07 C]",
    "mi dni es [41524206Y]",
    "el curp [GOVL920314MDFNLR06]",
    '{"passport_no": "[K48213907]"}',
    "my username is [kwabz_the_great]",
    "logged in as [weatherhen], on my old phone",
    "my tiktok: [lunafromspace]",
    "mein nutzername ist [kaffeetante]",
    "login: [octo-anna]",
    "my insta is [@lil.dariusz_07]",
    "2026-03-04 09:16 [faizel.k]: the reader is down",
    "dob [14/02/1957]",
    "geboren am [3. Mai 1990] in Fulda",
    "nací el [14 de marzo de 1992]",
    "née le [12 juin 1979]",
    "im [34] and tired",
    "she is [88 years old]",
    "my son is [6]",
    "tengo [41 años] y dos críos",
    '"age": [27],',
]


@pytest.mark.wide
@pytest.mark.parametrize("marked", MARKED)
def test_it_finds_what_people_write(patterns: Patterns, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    wanted = [piece.split("]")[0] for piece in marked.split("[")[1:]]
    cover = bytearray(len(text))
    for one in patterns.find(text):
        cover[one.start : one.end] = b"\1" * (one.end - one.start)
    for value in wanted:
        at = text.index(value)
        assert all(cover[at : at + len(value)]), (text, found(patterns, text))


CLEAN = [
    "My order 4471-09923 shows in transit since Tuesday",
    "order 204-8817720-5513, tracking JJD0099 4417 2281",
    "What does ISBN 978-0-14-044913-6 refer to?",
    "python 3.11.4 and glibc 2.28.225, kernel 5.15.0.91",
    "log in as student or teacher, sign in as administrator, logged in as usual.",
    "Steam: download, my instagram: down since monday",
    "look at main.py, then at util.rs and stay at point.md",
    "upgrade from 10.4.2.1 to 10.4.3.0, then we migrate it to 11.0.0.2",
    "4539.1488.0343.6468 points of 1234.1234.1234.1234",
    "commit 3fa9c1e2b7d84a5f9c0e1d2b3a4f5e6d7c8b9a01",
    "id 123e4567-e89b-12d3-a456-426614174000 in the log",
    "the meeting is on 2024-11-02 at 14:30, or 3/12/2025",
    "it costs $ 5150 or 1,299.00 EUR, was 1688 before",
    "flight LH 454 to San Francisco, gate B12",
    "the lens model ph-9841055, part tel-44-7122, use zip-81.44.203.17 and mobile-2.4.1",
    "connect to 127.0.0.1 port 5432 or localhost:3000",
    "hashlib.sh and os.path are modules, foo.bar(x) is a call",
    "the Berlin wall fell in 1989, 36 years ago",
    "I ran 5 km in 25 minutes and did 3 sets of 12",
    "what is the capital of Burkina Faso",
    "chapter 12 has 40 pages, see figure 3",
    "the year 1066 and 1 234 567 people",
    "error 0x80070005 and exit code 137",
    "the token limit is 4096, token count: 52258",
    "token limit exceeded: 9217 > 8192",
    "the access token lifetime is 900, otp valid for 300 seconds",
    "the code returns 12345, before the code printed 54321",
    "el codigo devuelve 4096",
    "the code is 4096 lines long, code coverage is 873",
    "pin count: 144, pin length 64",
    '{"code": 40013, "msg": "param error"}',
    "unexpected token } in JSON at position 2118",
    "INSERT INTO t VALUES (1,'x','y',3);",
    "RFC 5322 3.4.1 and RFC 7231 section 6.5.1",
    "7h 12m from Florence to Vienna",
    "close Warehouse B by 31 October",
    '"POST /login HTTP/2" 302',
    "access key alt+1 in the browser",
    "is SSN 000-00-0000 ever given to anybody",
    "burn it: 0x000000000000000000000000000000000000dEaD",
    "what's the policy when I cancel? room 1109",
    "UID:8f14e45f-ceea-467f-a0f6-2b1d9e0c7a55",
    "explain black holes like im five, or explain like I'm 5",
    "Etwa 250 bis 330, je nach Text",
]


@pytest.mark.parametrize("text", CLEAN)
def test_it_leaves_alone_what_is_nobodys(patterns: Patterns, text: str) -> None:
    assert found(patterns, text) == []


def test_in_code_only_ids_that_prove_themselves_mail_secrets_and_fields_of_persons_count(
    patterns: Patterns,
) -> None:
    code = (
        "number = '+49 171 2345678'\nmail = 'ana@example-mail.de'\n"
        "iban = 'DE89370400440532013000'\nage = 34\n"
    )
    assert found(patterns, code, code=True) == ["ana@example-mail.de", "DE89370400440532013000"]


def test_what_proves_itself_says_so(patterns: Patterns) -> None:
    (one,) = resolve(patterns.find("DE89370400440532013000"), "DE89370400440532013000")
    assert (one.entity, one.ground, one.score) == ("IBAN_CODE", Ground.CHECKSUM, 1.0)


BAD = {
    "digits": "1234567890",
    "at signs": "@",
    "dots": "a.",
    "quotes": "\"'",
    "nested": '{"a":["',
    "card groups": "4111 1111 ",
    "full-width digits": "１２３４５",
    "zero-width": "4\u200b1\u200b",
    "surrogates": "\ud800\udfff",
    "colons": "ab:cd:",
    "brackets": "((((",
    "words": "passport is ",
    "letters": "x",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "spaces": " ",
    "hosts": "http://a.",
    "answers": "member id?\nabc one ",
    "handed over": 'login=("a", ',
    "half read": "plate 1?-A? ",
}


@pytest.mark.wide
@pytest.mark.parametrize("name", BAD)
def test_bad_input_takes_time_in_line_with_its_length(patterns: Patterns, name: str) -> None:
    def seconds(length: int) -> float:
        text = (BAD[name] * length)[:length]
        best = float("inf")
        for _ in range(2):
            began = time.thread_time()
            resolve(patterns.find(text), text)
            best = min(best, time.thread_time() - began)
        return best

    assert seconds(12_000) < 8 * seconds(3_000) + 0.05


@pytest.mark.wide
def test_lone_surrogates_and_every_plane_are_read(patterns: Patterns) -> None:
    text = "".join(chr(code) for code in range(0, 0x110000, 211)) + " \ud800 ssn 227-90-4416 \udfff"
    assert "227-90-4416" in found(patterns, text)


def test_places_in_a_folded_text_lead_back_to_the_original() -> None:
    folded = fold("a\u200bb\u0301c４２")
    assert folded.text == "abc42"
    assert folded.span(3, 5) == (5, 7)
    assert folded.span(0, 2) == (0, 3)


@pytest.mark.wide
def test_a_presidio_recognizer_of_the_users_own_is_used(tmp_path: Path) -> None:
    from presidio_analyzer import Pattern, PatternRecognizer

    badge = PatternRecognizer("BADGE", patterns=[Pattern("badge", r"\bBX-\d{4}\b", 0.8)], name="badges")
    patterns = Patterns([badge], cache=tmp_path, build="never")
    (one,) = patterns.find("i lost BX-4417 today")
    assert one == Finding("BADGE", 7, 14, 0.8, "badges", Ground.PATTERN)


@pytest.mark.wide
def test_a_recognizer_without_patterns_runs_on_every_text(tmp_path: Path) -> None:
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Shouting(EntityRecognizer):  # type: ignore[misc]
        def load(self) -> None:
            pass

        def analyze(self, text: str, entities: list[str], nlp_artifacts: object) -> list[RecognizerResult]:
            del entities, nlp_artifacts
            return [RecognizerResult("NOISE", 0, len(text), 0.9)] if text.isupper() else []

    patterns = Patterns([Shouting(["NOISE"])], cache=tmp_path, build="never")
    assert [one.entity for one in patterns.find("HELP")] == ["NOISE"]
    assert patterns.find("help") == []


def test_one_finder_serves_many_threads(patterns: Patterns) -> None:
    text = "dni 41524206Y, card 4539 1488 0343 6467, ssn 227-90-4416"
    wanted = found(patterns, text)
    seen: list[list[str]] = []
    threads = [threading.Thread(target=lambda: seen.append(found(patterns, text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [wanted] * 8


@pytest.mark.wide
def test_importing_redaction_imports_nothing_heavy() -> None:
    import subprocess

    heavy = "('presidio_analyzer', 'spacy', 'hyperscan', 'regex')"
    code = f"import sys, vault.redaction.finder; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.wide
@pytest.mark.parametrize("joint", ["{} 17", "0 {}", "308 {} declined", "12 {} 5"])
def test_p1_a_card_beside_another_number_is_found(patterns: Patterns, joint: str) -> None:
    for number in range(100):
        digits = f"453920187364{number:03}"
        card = next(f"{digits}{last}" for last in range(10) if cards.luhn(f"{digits}{last}"))
        text = joint.format(card)
        assert [text[one.start : one.end] for one in patterns.find(text, code=True)] == [card]


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("ssh jdoe@203.0.113.9", ["USERNAME", "IP_ADDRESS"]),
        ("ssh root@203.0.113.9", ["IP_ADDRESS"]),
        ("scp notes.txt jdoe@10.0.0.5:/srv", ["USERNAME", "IP_ADDRESS"]),
        ("write to jdoe@corvio.net", ["EMAIL_ADDRESS"]),
    ],
)
def test_who_logs_in_at_an_address_has_no_mail_there(text: str, entities: list[str]) -> None:
    assert [one.entity for one in Engine().find(text)] == entities


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "17/05/24, 10:31 - Declan: yes hes at 22 Harbour View\n17/05/24, 10:32 - Fionn: on my way",
            "22 Harbour View",
        ),
        ("[3-5-24] we're at 14 Rosebank Avenue\n3-5-24 left again", "14 Rosebank Avenue"),
        ("VALUES ('7', '14 Rosebank Avenue, Leeds')", "14 Rosebank Avenue, Leeds"),
        ("bio: 'I live at Musterweg 3, 50667 Köln'", "Musterweg 3, 50667 Köln"),
        ("she said 'vivo en Calle Mayor 12, 28013 Madrid'", "Calle Mayor 12, 28013 Madrid"),
    ],
)
def test_an_address_ends_with_its_line_and_its_quotes(patterns: Patterns, text: str, address: str) -> None:
    assert address in found(patterns, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("my number is 98400 then 5 5 then 127", "98400 then 5 5 then 127"),
        ("call me on 0412 then triple 8 then 073", "0412 then triple 8 then 073"),
        ("text me at 0412 triple 8 073", "0412 triple 8 073"),
        ("mein Handy ist 0176 dann 44 dann 5512", "0176 dann 44 dann 5512"),
        ("mi móvil es 612 luego 34 luego 5566", "612 luego 34 luego 5566"),
        ("mon portable : 06 12 puis double 4 puis 5512", "06 12 puis double 4 puis 5512"),
        ("meu telefone é 919 depois 44 depois 5512", "919 depois 44 depois 5512"),
        ("C.C. 1.017.482.093", "1.017.482.093"),
        ("C.E. No. 42.482.093 de Bogotá", "42.482.093"),
        ("née à Lyon le sept juin mille neuf cent soixante-deux", "sept juin mille neuf cent soixante-deux"),
        ("nata a Matera il sette giugno millenovecentosessantadue", "sette giugno millenovecentosessantadue"),
        ("nacida el siete de junio de mil novecientos sesenta", "siete de junio de mil novecientos sesenta"),
        ("nascida em sete de junho de mil novecentos e dois", "sete de junho de mil novecentos e dois"),
        ("geboren am siebten Juni neunzehnhundertzwei", "siebten Juni neunzehnhundertzwei"),
    ],
)
def test_numbers_and_days_are_found_as_they_are_said(patterns: Patterns, text: str, said: str) -> None:
    assert said in found(patterns, text)


@pytest.mark.parametrize(
    "text",
    [
        "call the function with 100 then 200 then 300",
        "first 1200 then 500 then 300 rows",
        "C.C. 1.500.000",
        "né le 4 puis parti",
    ],
)
def test_numbers_that_are_counted_are_nobodys(patterns: Patterns, text: str) -> None:
    assert found(patterns, text) == []
