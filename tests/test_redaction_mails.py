"""Parts of mails that are encoded: what they say is searched, and they are encoded still."""

from __future__ import annotations

import base64
import quopri
import re
from email import message_from_string
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from timing import quickest

from vault import Vault
from vault.redaction.engine import Engine
from vault.redaction.segments import split
from vault.redaction.settings import Redaction

SAID = (
    "Grüße aus dem neuen Büro!\n\n"
    "my new address is 48 Larkspur Crescent, please call me on +44 7911 123846.\n"
    "The password is mondLicht_88x, and the total = 20 pounds.\n\nAnneliese Kortmann\n"
)
GONE = ("Larkspur", "7911", "mondLicht", "Kortmann")
IMAGE = base64.encodebytes(bytes(range(256)) * 4).decode()
TEXT = base64.encodebytes(SAID.encode()).decode()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Redaction(originals=True))


def mail(encoding: str, end: str = "\n", charset: str = "utf-8") -> str:
    data = SAID.encode(charset)
    encode = base64.encodebytes if encoding == "base64" else quopri.encodestring
    return (
        "From: Ben <ben@example.org>\nSubject: moved\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="=_b3f9c1d2-77"\n\n--=_b3f9c1d2-77\n'
        f"Content-Type: text/plain;\n charset={charset}\nContent-Transfer-Encoding: {encoding}\nX-N: 1\n\n"
        f"{encode(data).decode()}\n--=_b3f9c1d2-77\nContent-Type: image/png\n"
        "Content-Transfer-Encoding: base64\n\n"
        f"{IMAGE}--=_b3f9c1d2-77--\n"
    ).replace("\n", end)


def said(text: str) -> str:
    part: Any = message_from_string(text).get_payload(0)
    assert isinstance(part, Message)
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode(str(part.get_param("charset")))


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "BASE64"])
def test_p1_what_an_encoded_part_of_a_mail_says_is_searched(
    engine: Engine, encoding: str, end: str, charset: str
) -> None:
    whole = mail(encoding, end, charset) if encoding.islower() else mail("base64").replace("base64", "BASE64")
    redacted = engine.redact_text(whole)
    now = said(redacted.text)
    assert not any(one in now for one in GONE)
    assert not any(one in redacted.text for one in GONE)
    assert "Grüße aus dem neuen Büro!" in now
    assert "total = 20 pounds" in now
    assert re.search(r"<PHONE_NUMBER_\d>", now)
    assert IMAGE.replace("\n", end if encoding.islower() else "\n") in redacted.text
    assert redacted.restore(redacted.text) == whole


def test_an_attachment_is_dropped_where_blobs_are() -> None:
    redacted = Engine(Redaction(blobs="drop")).redact_text(mail("base64"))
    assert IMAGE[:40] not in redacted.text
    assert "Content-Type: image/png" in redacted.text


@pytest.mark.wide
def test_p1_a_stream_shows_nothing_that_an_encoded_part_hid(tmp_path: Path, engine: Engine) -> None:
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        for number, encoding in enumerate(["base64", "quoted-printable"]):
            chat = vault.transcript("u", f"s{number}")
            text = mail(encoding)
            shown = "".join(chat.stream("assistant", [text[at : at + 7] for at in range(0, len(text), 7)]))
            known = shown + "".join(
                base64.b64decode(line + "=" * (-len(line) % 4)).decode("utf-8", "replace")
                for line in shown.splitlines()
                if re.fullmatch("[A-Za-z0-9+/=]{8,}", line) and line not in IMAGE
            )
            assert not any(one in known for one in GONE)


@pytest.mark.wide
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_parts_of_mails_take_linear_time(engine: Engine, encoding: str) -> None:
    head = f"Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n"
    for text in (
        head * 2_000,
        (head + "\n") * 2_000,
        (head + "\nQUJD=41\n") * 8_000,
        f"{head}\n" + "QUJD\n" * 20_000,
        f"{head}\n" + "=41" * 30_000,
        'Content-Disposition: form-data; name="a"\n' * 20_000,
        'Content-Disposition: form-data; name="a"\n\n' * 20_000 + "--x",
    ):
        assert quickest(partial(engine.redact_text, text), 2) < 2


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "undefined", "x-unknown", "us-ascii"])
def test_p1_a_charset_that_a_part_is_not_in_hides_nothing_and_takes_no_time(
    engine: Engine, charset: str
) -> None:
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    said = head + base64.b64encode("grüezi, my mail is petra@example.org".encode()).decode()
    body = engine.redact_text(said).text.removeprefix(head)
    assert base64.b64decode(body).decode() == "grüezi, my mail is <EMAIL_ADDRESS_1>"
    long = head + base64.b64encode(b"a" * 200_000 + b"-" + b"b" * 200_000).decode()
    assert quickest(partial(engine.redact_text, long), 2) < 2


@pytest.mark.parametrize(
    "part",
    [
        'Content-Disposition: form-data; name="ssn"\n\n232-30-3277',
        f"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{TEXT}",
    ],
)
def test_what_ends_the_last_part_is_no_piece(part: str) -> None:
    sign = "===============5687442585633711598=="
    text = (
        f'Content-Type: multipart/mixed; boundary="{sign}"\n\n' + f"--{sign}\n{part}\n" * 2 + f"--{sign}--\n"
    )
    assert not any("5687442585633711598" in piece.text for piece in split(text))


def test_an_address_of_a_company_stays_whole(engine: Engine) -> None:
    text = (
        'Sure, here it is:\n\nFrom: billing@example.com\nTo: "Support" <help@example.com>\nSubject: Update\n'
        'Date: Mon, 02 Feb 2026 10:00:00 +0000\nContent-Type: text/plain; charset="utf-8"\n'
        "Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\nHi,\n\nplease update:\npassport: A51674747\n"
        "dob: 1955-07-14\nssn: 243-50-7925\napi_key: sk_live_m2qdgfgHFAAxG2j8zbv2etHA\n\nRegards\n"
    )
    assert "From: billing@example.com\n" in engine.redact_text(text).text
