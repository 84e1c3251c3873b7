"""Links of HTML, and JSON in its scripts: they lose what the same text loses outside of HTML."""

from __future__ import annotations

import html
import json
import re

import pytest

from vault.redaction.engine import Engine
from vault.redaction.segments import join, split

FAR = [
    "https://clinic.example.com/p?name=Helga+Schmidt&dob=1950-01-02",
    "https://clinic.example.com/p?patient=00482913&name=Helga+Schmidt",
    "https://www.facebook.com/helgaschmidt",
    "https://wa.me/442079460018",
    "sms:+442079460018",
    "/users?email=helga@example.org&phone=02079460018",
    "/p?name=Helga+Schmidt&dob=1950-01-02",
]
ORDINARY = [
    "https://docs.python.org/3/",
    "https://en.wikipedia.org/wiki/Albert_Einstein",
    "/static/app.js",
    "app.js?v=3",
    "/search?q=shoes&page=2",
    "#top",
    "javascript:void(0)",
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("link", FAR)
@pytest.mark.parametrize(
    "tag",
    ['<a class="x" href="{}">there</a>', "<iframe src='{}'></iframe>", '<form action="{}"></form>'],
)
def test_a_link_loses_what_it_loses_in_prose(engine: Engine, tag: str, link: str) -> None:
    prose = engine.redact_text(f"see {link}").text.removeprefix("see ")
    assert prose != link
    said = f"<p>{tag.format(html.escape(link))}</p>"
    redacted = engine.redact_text(said)
    assert redacted.text == f"<p>{tag.format(html.escape(prose))}</p>"
    assert redacted.restore(redacted.text) == said


@pytest.mark.parametrize("link", ORDINARY)
def test_ordinary_links_stay(engine: Engine, link: str) -> None:
    said = f'<p>It is <a href="{html.escape(link)}">there</a> and <img src="{html.escape(link)}" alt=""></p>'
    assert engine.redact_text(said).text == said


def test_what_a_page_loads_stays(engine: Engine) -> None:
    said = (
        '<head><link href="https://fonts.example.net/css2?family=Anna" rel="stylesheet">'
        '<script src="https://cdn.example.net/npm/anna.js"></script></head>'
    )
    assert engine.redact_text(said).text == said
    author = '<head><link rel="me" href="https://www.facebook.com/helgaschmidt"></head>'
    assert engine.redact_text(author).text == '<head><link rel="me" href="&lt;URL_1&gt;"></head>'


def test_a_link_without_quotes_is_read_to_its_end(engine: Engine) -> None:
    said = "<p><a href=https://clinic.example.com/p?name=Helga+Schmidt>there</a></p>"
    assert engine.redact_text(said).text == '<p><a href="&lt;URL_1&gt;">there</a></p>'


def test_a_link_to_mail_is_read_with_its_message(engine: Engine) -> None:
    said = (
        '<a href="mailto:helga@example.org?subject=Hi%20Helga&amp;body=I&#39;m%20Anna%20Kowalski%2C%0Abye">'
        "mail</a><a href='mailto:bob@x.com&#63;subject=Invoice'>ask</a>"
    )
    redacted = engine.redact_text(said)
    links = re.findall(r"href=[\"'](.*?)[\"']", redacted.text)
    assert not any(name in redacted.text for name in ("helga", "Helga", "Kowalski", "bob@"))
    assert html.unescape(links[0]).startswith("mailto:<EMAIL_ADDRESS_1>?subject=Hi%20<PERSON_1>&body=I'm%20")
    assert "subject=Invoice" in links[1]


@pytest.mark.parametrize("kind", ["application/ld+json", "application/json", "application/vnd.api+json"])
def test_json_in_a_script_is_json(engine: Engine, kind: str) -> None:
    person = {"@type": "Person", "name": "Helga Schmidt </b>", "telephone": "020 7946 0018", "n": [1]}
    body = json.dumps(person).replace("</", "<\\/")
    redacted = engine.redact_text(f"<script id=a type='{kind}'>{body}</script><p>x</p>").text
    found = re.search(r"<script id=a type='[^']+'>(.*?)</script><p>x</p>", redacted)
    assert found
    said = json.loads(found[1])
    assert said == {**person, "name": "<PERSON_1> </b>", "telephone": "<PHONE_NUMBER_1>"}


def test_a_page_about_the_world_keeps_its_names_though_it_links_elsewhere(engine: Engine) -> None:
    page = (
        "<html><body><h1>Max Verstappen wins the Monaco Grand Prix</h1>"
        "<p>Max Verstappen beat Lewis Hamilton{}.</p></body></html>"
    )
    plain = engine.redact_text(page.format("")).text
    linked = engine.redact_text(page.format(' <a href="https://sport.example.net/f1">again</a>')).text
    assert plain == page.format("")
    assert linked == page.format(' <a href="&lt;URL_1&gt;">again</a>')


@pytest.mark.wide
@pytest.mark.timeout(20)
def test_links_are_read_in_linear_time() -> None:
    for text in (
        "<a href='mailto:x?" + "&amp;a" * 100_000 + "'>x</a>",
        "<a href='mailto:x?" + "&a=" * 100_000 + "'>x</a>",
        "<a href='/p?" + "a" * 300_000 + "'>x</a>",
        "<a href='/p" + "?" * 300_000 + "'>x</a>",
        "<link href='https://x.example.net' " + "rel " * 50_000 + ">",
        "<script type='application/json'>" * 20_000,
    ):
        pieces = split(text)
        assert join(text, pieces, [piece.text for piece in pieces]) == text


@pytest.mark.parametrize(
    "text",
    [
        '<a:order xmlns:a="http://www.acme.com/schema/order/v1"><a:n>x</a:n></a:order>',
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n>x</n></s:Body></s:Envelope>',
        '<x xsi:schemaLocation="http://www.acme.com/s http://www.acme.com/s.xsd"><y>x</y></x>',
        '<xs:schema targetNamespace="http://www.acme.com/s"><xs:element name="x"/></xs:schema>',
        '{"$id":"https://acme.io/schemas/user.json","type":"object"}',
        '{"$schema":"https://json-schema.org/draft/schema","$ref":"https://acme.io/schemas/address.json"}',
        '{"@context":"https://schema.acme.io/v1","kind":"x"}',
    ],
)
def test_the_name_of_a_schema_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"$id":"Anna Webb"}', "Anna Webb"),
        ('{"$ref":"https://dora:ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/x"}', "ghp_16C7"),
        ('<x xmlns:a="http://acme.com/s"><url>https://blog.acme.com/anna</url></x>', "blog.acme.com/anna"),
    ],
)
def test_what_only_stands_beside_a_schema_is_found(engine: Engine, text: str, value: str) -> None:
    assert value not in engine.redact_text(text).text
