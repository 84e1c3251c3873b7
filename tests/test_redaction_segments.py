"""Splitting a text for redaction: every value is a piece, and what was valid stays valid."""

from __future__ import annotations

import ast
import csv
import io
import json
import time
from email import message_from_string
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.redaction.segments import Form, Piece, blobs, join, split

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
SIGNS = (
    r"""{ } [ ] " ' : , ; | ` ``` < > </b> <b> <a~href=' \ \u12 name KEY= |-|-| <!-- --> <![CDATA[ &amp;"""
)
LINES = [
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u202e",
    "\ud800",
    "    ",
    "phone: ",
    '{"name": "',
    "2024-01-02 10:11:12 ERROR ",
]
BLOCKS = [
    "```json\n",
    "def f(x):\n",
    "return x;\n",
    "a,b\n",
    "name,phone\n",
    "data:x/y;base64,AAAA",
    "A" * 513,
]
STRUCTURED = st.lists(
    st.one_of(ANY_TEXT, st.sampled_from([*SIGNS.replace("~", "\t").split(" "), *LINES, *BLOCKS])), max_size=25
).map("".join)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), ANY_TEXT
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | st.just("phone"), inner, max_size=4)
    ),
    max_leaves=12,
)


def said(text: str) -> list[tuple[str, str]]:
    return [(piece.label, piece.text.strip()) for piece in split(text)]


def changed(text: str, new: str) -> str:
    pieces = split(text)
    return join(text, pieces, [new] * len(pieces))


def shape(value: object) -> object:
    """Give what of a document redaction may not change; a number may have become a string."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [shape(inner) for inner in value]
    return "text" if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


# -- what every text is promised -------------------------------------------------------------------------


@pytest.mark.wide
@settings(max_examples=150)
@given(STRUCTURED | ANY_TEXT)
def test_unchanged_pieces_give_the_text_back_and_are_disjoint_and_in_order(text: str) -> None:
    pieces = split(text)
    assert join(text, pieces, [piece.text for piece in pieces]) == text
    edges = [edge for piece in pieces for edge in (piece.start, piece.end)]
    assert edges == sorted(edges)
    assert not edges or (edges[0] >= 0 and edges[-1] <= len(text))


def test_pieces_and_texts_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        join("words", split("words"), [])


@pytest.mark.parametrize(
    "text",
    [
        "My name is Anna; I live in Graz, and (since May) I work there.",
        "Dear Bob,\nI hope, dear,\nall is well, ok\n",
        "Note: I was born in Graz.\nBob: hi there\nAnna: hello",
        "I am <John Smith> and 3 < 4 but x > 2 <bob@example.com>",
        "see [12345678] and [Anna](http://x.example)",
        "I went home; then I slept.\nShe said (twice) hello.\nIt's fine; really.",
        "If you can:\nimport taxes are high (I think).\nReturn it to me;",
    ],
)
def test_prose_is_one_piece(text: str) -> None:
    assert [(p.text, p.form, p.label) for p in split(text)] == [(text, Form.PROSE, "")]


# -- JSON and Python -------------------------------------------------------------------------------------


def test_strings_in_json_are_pieces_that_their_keys_name_and_keys_are_none() -> None:
    text = r'{"name": "Zo\u00eb \ud83d\ude00", "tags": ["a b", {"x": "y"}, "c"], "n": 5, "phone": 5551234}'
    assert said(text) == [
        ("name", "Zoë 😀"),
        ("tags", "a b"),
        ("x", "y"),
        ("tags", "c"),
        ("phone", "5551234"),
    ]
    assert json.loads(changed(text, 'a "b"'))["phone"] == 'a "b"'


def test_a_string_that_holds_json_is_one_piece_to_be_split_again() -> None:
    (outer,) = split(json.dumps({"arguments": json.dumps({"name": "Anna"})}))
    assert outer.nested
    assert said(outer.text) == [("name", "Anna")]


def test_json_is_found_in_prose_in_fences_and_line_by_line() -> None:
    block = json.dumps({"name": "Anna"}, indent=2)
    assert ("name", "Anna") in said(f"Look: {block} is what I sent.")
    assert ("name", "Anna") in said(f"Look:\n```json\n{block}\n```\nBye")
    assert said('{"name": "A"}\n{"name": "B"}\n') == [("name", "A"), ("name", "B")]


def test_json_that_is_cut_off_keeps_the_labels_that_it_had() -> None:
    assert said('{"name": "Anna", "ssn": "078-05') == [("name", "Anna"), ("ssn", "078-05")]


@pytest.mark.wide
@settings(max_examples=60)
@given(JSON, WORDS, st.booleans(), st.sampled_from([None, 2]))
def test_json_stays_json_of_the_same_shape(value: object, new: str, escape: bool, indent: int | None) -> None:  # noqa: FBT001
    document = value if isinstance(value, (dict, list)) else [value]
    text = json.dumps(document, ensure_ascii=escape, indent=indent)
    assert shape(json.loads(changed(text, new))) == shape(document)


@pytest.mark.wide
@settings(max_examples=60)
@given(JSON, WORDS)
def test_a_python_repr_can_still_be_evaluated(value: object, new: str) -> None:
    document = value if isinstance(value, (dict, list)) else [value]
    text = repr(document)
    assert shape(ast.literal_eval(changed(text, new))) == shape(document)


# -- tables ----------------------------------------------------------------------------------------------


def test_cells_of_csv_are_named_by_their_header() -> None:
    text = 'name,phone\nAnna,"1,2 ""x"""\nBob,555\n'
    assert said(text) == [("name", "Anna"), ("phone", '1,2 "x"'), ("name", "Bob"), ("phone", "555")]


def test_lines_without_a_header_are_csv_only_where_nothing_else_is_likely() -> None:
    assert said("Anna,Graz,5\nBob,Wien,6\nCem,Linz,7")[0] == ("", "Anna")
    assert len(split("Anna,Graz\nBob,Wien")) == 1


@pytest.mark.wide
@settings(max_examples=60)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), WORDS, st.sampled_from(",;\t"))
def test_csv_keeps_its_columns(rows: list[tuple[str, str, str]], new: str, delimiter: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([("name", "e-mail", "city"), *rows])
    after = list(csv.reader(io.StringIO(changed(file.getvalue(), new), newline=""), delimiter=delimiter))
    assert [len(row) for row in after] == [3] * (len(rows) + 1)


def test_cells_of_a_markdown_table_are_named_by_their_header_or_their_field() -> None:
    table = "| Name | Phone |\n|---|:-:|\n| Anna \\| B | 555 |\n"
    assert said(table)[2:] == [("Name", "Anna | B"), ("Phone", "555")]
    assert said("| Field | Value |\n|---|---|\n| Phone | 555 |")[-1] == ("Phone", "555")


@pytest.mark.wide
@given(WORDS)
def test_a_markdown_table_keeps_its_columns(new: str) -> None:
    table = "| Name | Phone |\n|---|---|\n| Anna | 555 |\n| Bob | 556 |"
    lines = changed(table, new).split("\n")
    assert [line.count("|") - line.count("\\|") for line in lines] == [3, 3, 3, 3]


# -- markup ----------------------------------------------------------------------------------------------


def test_texts_and_attributes_of_markup_are_pieces() -> None:
    text = '<p>Dear <b>Bob</b> &amp; Co<a href="mailto:b@x.example">w</a>'
    text += '<input name="email" value="y@x.example"></p>'
    found = said(text)
    assert ("", "& Co") in found
    assert ("href", "mailto:b@x.example") in found
    assert ("email", "y@x.example") in found
    assert said("<user><phone>555</phone></user>") == [("phone", "555")]


def test_scripts_are_code() -> None:
    pieces = split("<html><script>if (a<b) { c }</script><p>Anna</p></html>")
    assert [(p.form, p.text) for p in pieces] == [(Form.CODE, "if (a<b) { c }"), (Form.PROSE, "Anna")]


@pytest.mark.wide
@settings(max_examples=60)
@given(WORDS, WORDS, WORDS)
def test_xml_stays_well_formed(name: str, note: str, new: str) -> None:
    root = ET.Element("user", {"title": note})
    ET.SubElement(root, "name").text = name
    root[0].tail = note
    text = ET.tostring(root, encoding="unicode")
    after = ET.fromstring(changed(text, new))
    assert [element.tag for element in after.iter()] == ["user", "name"]


@pytest.mark.wide
@given(WORDS)
def test_html_keeps_its_tags(new: str) -> None:
    class Tags(HTMLParser):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.seen: list[str] = []
            self.feed(text)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.append(tag + " ".join(name for name, _ in attrs))

    text = "<div title=x><p>Anna<br>Graz</p><!-- Bob --><img alt='Cem' src=\"a.png\"></div>"
    assert Tags(changed(text, new)).seen == Tags(text).seen


# -- lines, logs, code, blobs ----------------------------------------------------------------------------


def test_keys_of_fields_name_the_rest_of_their_line_and_names_of_people_do_not() -> None:
    text = 'Name: Anna\nBob: hi\nDB_PASSWORD=hunter2\nexport KEY="a b"'
    text += "\nFecha de nacimiento: 1.2.90\n**Phone:** 5"
    assert said(text) == [
        ("Name", "Anna"),
        ("", "Bob: hi"),
        ("DB_PASSWORD", "hunter2"),
        ("KEY", "a b"),
        ("Fecha de nacimiento", "1.2.90"),
        ("Phone", "5"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "my card 4932 8350 9308 9914",
        "phone 07911 338204",
        "SSN 412-68-0937",
        "my ip 75.176.166.22",
        "fecha de nacimiento 12.05.1971",
        "pin 4 4 7 1",
        "age 34",
    ],
)
def test_p1_words_that_hold_a_number_are_no_key(words: str) -> None:
    assert said(f"{words}: is that right?") == [("", f"{words}: is that right?")]
    assert said(f"Name: Anna\n{words}: no answer")[1] == ("", f"{words}: no answer")
    assert said("Address line 2: Poznan") == [("Address line 2", "Poznan")]


@pytest.mark.parametrize("sign", ["*c", "{{x}}", "it's"])
def test_yaml_keeps_its_anchors_tags_comments_and_quotes(sign: str) -> None:
    lines = (
        "a: &x Anna  # hers\nb: *x\nc: !!str Anna # x\nd: 'it''s Anna'\ne: \"Anna \\u00e9\" # y"
        "\nf: &y\n  g: 'Anna' # z\nh: #none\ni: an#na\n"
    )
    text = f"```yaml\n{lines}```"
    pieces = split(text)
    assert ("a", "Anna") in said(text)
    assert ("d", "it's Anna") in said(text)
    written = join(text, pieces, [piece.text.replace("Anna", sign) for piece in pieces])
    read = yaml.safe_load(written[8:-3])
    assert [read[key] for key in "abcdef"] == [
        sign, sign, sign, f"it's {sign}", f"{sign} \u00e9", {"g": sign},
    ]  # fmt: skip
    text = "```yaml\na: 'Anna\n\n  # b'\n```"
    pieces = split(text)
    assert join(text, pieces, [piece.text.replace("Anna", "Ben") for piece in pieces]) == text.replace(
        "Anna", "Ben"
    )
    comments = [line.partition("# ")[2] for line in written.split("\n") if "# " in line]
    assert comments == ["hers", "x", "y", "z"]


def test_the_time_and_level_of_a_line_of_a_log_are_left_alone() -> None:
    text = "2024-01-02 10:11:12,123 INFO user Bob\n2024-01-02 10:11:13 ERROR Anna left\n"
    assert said(text) == [("", "user Bob"), ("", "Anna left")]


@pytest.mark.parametrize(
    "code",
    [
        "def greet(name):\n    # by Anna\n    return name + 1\n\ngreet(3)",
        "const x = 5;\nfunction f(a) {\n  return a;\n}",
        '#include <stdio.h>\nint main(void) {\n  puts("hi");\n}',
        "SELECT name FROM users;\nINSERT INTO users VALUES ('Anna');",
        "package main\n\nfunc main() {\n\tx := 5\n}",
    ],
)
def test_code_is_code_fenced_or_not(code: str) -> None:
    assert {piece.form for piece in split(code)} == {Form.CODE}
    assert [p.form for p in split(f"Look at this:\n\n{code}\n\nThanks, Anna")] == [
        Form.PROSE,
        Form.CODE,
        Form.PROSE,
    ]
    assert [p.form for p in split(f"Hi\n```\n{code}\n```\nBye")] == [Form.PROSE, Form.CODE, Form.PROSE]


@pytest.mark.parametrize("context", ["", " def load(name):", " of Anna"])
def test_where_a_patch_counts_its_lines_is_no_piece(context: str) -> None:
    counts = [f"@@ -100,16 +100,27 @@{context}", "@@ -1 +1,2 @@"]
    patch = f"--- a/users.txt\n+++ b/users.txt\n{counts[0]}\n-Anna Kowalski\n+Ben\n{counts[1]}\n x"
    pieces = split(patch)
    assert "Anna Kowalski" in "".join(piece.text for piece in pieces)
    assert not any("@@" in piece.text for piece in pieces)
    assert split("mail anna @@ -1 and +1")[0].text == "mail anna @@ -1 and +1"


@pytest.mark.parametrize(
    "sign", ["Apple-Mail-GplpErf8", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "===============2588364838=="]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_parts_a_mail_or_a_form_is_no_piece(sign: str, end: str) -> None:
    parts = ["Call Anna Kowalski.", "Ben wrote this."]
    lines = [f'Content-Type: multipart/mixed; boundary="{sign}"', ""]
    for part in parts:
        lines += [f"--{sign}", "Content-Type: text/plain", "", part, ""]
    mail = end.join([*lines, f"--{sign}--", ""])
    pieces = split(mail)
    assert not any(sign in piece.text for piece in pieces)
    assert all(any(part in piece.text for piece in pieces) for part in parts)
    read = message_from_string(join(mail, pieces, [piece.text.replace("Anna", "<A>") for piece in pieces]))
    assert [str(one.get_payload()).strip() for one in read.walk()][1:] == ["Call <A> Kowalski.", parts[1]]


@pytest.mark.parametrize("line", ["--Anna-Kowalski", "--+442079460018", "--a1@b.example"])
def test_a_line_of_dashes_may_be_personal(line: str) -> None:
    assert line.strip("-") in "".join(
        piece.text for piece in split(f"{line}\nContent-Type: text/plain\n\nhi")
    )


def test_inline_code_is_named_by_the_words_before_it() -> None:
    _, code, _ = split("my password is `hunter2` you know")
    assert (code.label, code.text, code.form) == ("my password is", "hunter2", Form.CODE)


def test_blobs_are_no_pieces_and_tokens_are_no_blobs() -> None:
    blob = "iVBO" * 200
    text = f"Anna sent data:image/png;base64,{blob} and {blob} to Bob"
    assert [p.text for p in split(text)] == ["Anna sent ", " and ", " to Bob"]
    assert [text[start:end] for start, end in blobs(text)] == [f"data:image/png;base64,{blob}", blob]
    assert split(json.dumps({"image": blob})) == []
    assert blobs(f"eyJhbGciOi.{blob}.{blob}") == []


# -- time ------------------------------------------------------------------------------------------------


def seconds(text: str) -> float:
    start = time.thread_time()
    split(text)
    return time.thread_time() - start


@pytest.mark.wide
@pytest.mark.parametrize(
    "sign", ["{", "[", '"', "|", "<", "`", "\\", ",", "\n", '{"a":', "<a b='", "` ", "a: b\n", "[[,"]
)
def test_bad_input_takes_linear_time(sign: str) -> None:
    assert seconds(sign * (120_000 // len(sign))) < 2  # what is quadratic takes minutes


@pytest.mark.wide
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_a_value_nested_100_000_deep_is_found(opening: str, closing: str) -> None:
    pieces: list[Piece] = split(opening * 100_000 + '"Anna"' + closing * 100_000)
    assert [piece.text for piece in pieces] == ["Anna"]
