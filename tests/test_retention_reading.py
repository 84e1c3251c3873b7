"""Bad policy files: each gets an error with its place, within a second, and none unfolds or crashes."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from timing import quickest

from vault.errors import ConfigError, PolicyError
from vault.retention.loading import load
from vault.retention.policy import as_label
from vault.retention.reading import LIMIT

GOOD = """\
version: 1
policy: p
classes:
  - name: default
    keep: {at_most: 90d}
"""


def failure(path: Path, content: str | bytes) -> PolicyError:
    """Load a file that can't be loaded; it may take a second."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    told: list[PolicyError] = []

    def refuse() -> None:
        with pytest.raises(PolicyError) as caught:
            load([path])
        told.append(caught.value)

    assert quickest(refuse, 1) < 1
    assert {str(one) for one in told} == {str(told[0])}
    assert str(told[0]).startswith(f"{path}:")
    return told[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p.yaml"


# Where, in GOOD with one thing changed: line:column, what is said, and the hint.
BAD = {
    "an unknown key": (
        "policy: p",
        "policy: p\njurisdiction: NO",
        "3:1: “jurisdiction” is no known key",
        "known here",
    ),
    "nearly a known key": ("at_most", "at_mots", "5:12: “at_mots” is no known key", "did you mean at_most?"),
    "no known word": (
        "90d}",
        "90d, count_from: last_message}",
        "5:38: expected one of message",
        "last-message?",
    ),
    "a doubled key": ("policy: p", "policy: p\nversion: 1", "3:1: “version” is here a second time", ""),
    "a doubled key below": ("90d", "90d, at_most: 1y", "5:26: “at_most” is here a second time", ""),
    "a negative duration": ("90d", "-90d", "5:21: a duration is never negative", ""),
    "an absurd duration": ("90d", "999999y", "5:21: this is longer than 1000 years", ""),
    "an ambiguous duration": ("90d", "6m", "5:21: m may be minutes or months", ""),
    "a number": ("90d", "90", "5:21: expected a duration such as 12h", "between quotes"),
    "nothing": ("90d", "", "5:21: expected a duration", ""),
    "no time": ("90d", "0d", "5:21: at_most is nothing", ""),
    "a list": (
        "90d",
        "[90d]",
        "5:21: expected a duration such as 12h, 7d, 2w, 6mo, 1y or P1Y6M; found a list",
        "",
    ),
    "neither floor nor ceiling": (
        "at_most: 90d",
        "count_from: message",
        "5:11: expected at least one of at_least",
        "",
    ),
    "a missing key": ("policy: p\n", "", "1:1: policy is missing here", "name of the policy"),
    "another version": (
        "version: 1",
        "version: 2",
        "1:10: expected 1, the version of this format; found “2”",
        "",
    ),
    "a name with a slash": ("name: default", "name: a/b", "4:11: expected a name of letters", ""),
    "a name that others take for a number": ("name: default", "name: 1", "4:11: expected a name", "quotes"),
    "no classes": ("\n  - name: default\n    keep: {at_most: 90d}", " []", "3:10: this list is empty", ""),
    "a class alone": ("  - name: default\n   ", "  name: default\n ", "4:3: expected a list; found keys", ""),
    "no time zone": (
        "policy: p",
        "policy: p\ntimezone: Europe/Berlim",
        "3:11: “Europe/Berlim” is no time zone",
        "lin?",
    ),
    "a path for a time zone": (
        "policy: p",
        "policy: p\ntimezone: ../../etc",
        "3:11: expected a time zone",
        "",
    ),
    "a directory for a time zone": (
        "policy: p",
        "policy: p\ntimezone: Europe",
        "3:11: “Europe” is no time zone",
        "",
    ),
    "no schedule": ("policy: p", "policy: p\nschedule: 61 * * * *", "3:11: expected five fields", ""),
    "no share": ("policy: p", "policy: p\nlimits: {max_fraction: 120%}", "3:24: expected a share", ""),
    "no role": ("default\n", "default\n    match: {role: robot}\n", "5:19: expected one of assistant", ""),
    "an empty match": ("default\n", "default\n    match: {}\n", "5:12: expected at least one of role", ""),
    "every session is old": (
        "default\n",
        "default\n    match: {session: {older_than: 0d}}\n",
        "5:35: every session is older than this",
        "",
    ),
    "an anchor": ("keep: {", "keep: &k {", "5:11: anchors and aliases are not read", "write the value out"),
    "an alias": ("{at_most: 90d}", "*k", "5:11: anchors and aliases are not read", ""),
    "a tag": ("90d", "!!str 90d", "5:21: tags are not read here", ""),
    "a tag that makes objects": (
        "90d",
        "!!python/object/apply:os.system [ls]",
        "5:21: tags are not read",
        "",
    ),
    "a merge": ("{at_most: 90d}", "{<<: {at_most: 90d}}", "5:12: this is no known key", ""),
    "a key that is a list": ("policy: p", "policy: p\n? [a]\n: b", "3:3: a key is a word", ""),
    "a second document": (
        "    keep: {at_most: 90d}\n",
        "    keep: {at_most: 90d}\n---\na: b\n",
        "6:1: a second doc",
        "",
    ),
    "no YAML": ("keep: {", "keep: {{", "6:1: this is not YAML: did not find", ""),
    "a tab": ("    keep", "\tkeep", "5:1: this is not YAML", ""),
    "a control character": ("policy: p", "policy: \x07p", "2:9: this is not YAML: a control character", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_an_error_with_its_place(case: str, path: Path) -> None:
    found, put, says, hint = BAD[case]
    assert found in GOOD
    error = failure(path, GOOD.replace(found, put))
    assert str(error).startswith(f"{path}:{says}")
    assert hint in error.hint
    assert isinstance(error, ConfigError)
    assert error.exit_code == 2


@pytest.mark.wide
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "1:1: the file is empty"),
        ("# only words\n", "1:1: the file is empty"),
        ("just words", "1:1: expected keys: version, policy"),
        ("- 1\n- 2", "1:1: expected keys: version, policy"),
        (b"\xff\xfe\x00", "1:1: this is not UTF-8"),
        (GOOD.encode() + b"# \xe9\n", "6:3: this is not UTF-8"),
        (b"SQLite format 3\x00", "1:16: this is not YAML: a control character"),
        (GOOD + "x: " + "[" * 40 + "]" * 40, "6:36: this is nested deeper than 32"),
        ("[" * 100_000, "1:"),
        ("{" * 100_000, "1:"),
        ("- " * 60_000, "1:"),
        ("? " * 60_000, "1:"),
        ("&a " * 40_000, "1:"),
        ("".join(f"k{number}: 1\n" for number in range(10_000)), "1:1: "),
        ("k: 1\n" * 20_000, "2:1: “k” is here a second time"),
    ],
    ids=lambda given: repr(given[:12]),
)
def test_a_file_that_is_no_policy_at_all(content: str | bytes, says: str, path: Path) -> None:
    assert str(failure(path, content)).startswith(f"{path}:{says}")


def test_an_alias_bomb_is_refused_at_its_first_anchor(path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert str(failure(path, bomb)).startswith(f"{path}:1:4: anchors and aliases")


def test_a_file_of_100_megabytes_is_refused_unread(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)

    def refuse() -> None:
        with pytest.raises(PolicyError, match=f"1:1: the file has more than {LIMIT:,} bytes"):
            load([path])

    assert quickest(refuse, 0.2) < 0.2


def classes_of(*namespaces: list[str]) -> str:
    classes = [
        f"  - {{name: c{number}, match: {{namespace: {json.dumps(one)}}}, keep: {{at_most: 1d}}}}\n"
        for number, one in enumerate(namespaces)
    ]
    return GOOD.replace("  - name", "".join(classes) + "  - name")


@pytest.mark.wide
@pytest.mark.parametrize(
    "names",
    [
        [f"tenant-{number}/*" for number in range(3000)],
        [f"n{number}" for number in range(6000)],
        [f"{number}*n" for number in range(100)],
    ],
    ids=["starts", "names", "globs"],
)
def test_classes_with_very_many_namespaces_are_compared_within_a_second(path: Path, names: list[str]) -> None:
    error = failure(path, classes_of(names, names[::-1]))
    assert "the class “c1” can never match" in str(error)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("match", "number"),
    [
        ("metadata: {{a: x{0}}}", 1900),
        ("metadata: {{a: [x{0}, y{0}]}}", 1700),
        ("metadata: {{a: [p, q], b: x{0}}}", 1600),
        ("metadata: {{a: [p, q], b: [x{0}, y{0}]}}", 1400),
        ("session: {{older_than: {1}d}}", 1650),
        ("metadata: {{a: x}}, session: {{older_than: {1}d}}", 1350),
    ],
)
def test_very_many_classes_are_compared_within_a_second(path: Path, match: str, number: int) -> None:
    many = "".join(
        f"  - {{name: c{n}, match: {{{match.format(n, 9000 - n)}}}, keep: {{at_most: 1d}}}}\n"
        for n in range(number)
    )
    path.write_text(content := GOOD.replace("  - name", many + "  - name"))
    assert LIMIT * 0.9 < len(content) <= LIMIT
    assert quickest(lambda: load([path]), 1) < 1


@pytest.mark.wide
def test_of_globs_that_must_be_tried_one_by_one_there_are_few(path: Path) -> None:
    globs, names = [f"*a{number}*" for number in range(100)], [f"n{number}" for number in range(10_000)]
    failure(path, classes_of([*globs[1:], "*n*"], names))
    error = failure(path, classes_of([*globs, "*n*"], names))
    assert "more than 100 namespaces have a * before their end" in str(error)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_can_not_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"1:1: the file can't be read: "):
        load([tmp_path / name])


def test_all_that_is_wrong_is_said_at_once_and_in_order(path: Path) -> None:
    content = GOOD.replace("90d", "90") + "colour: red\nredaction: none\n"
    error = failure(path, content.replace("version: 1", "version: one"))
    assert [(one.line, one.column) for one in error.all] == [(1, 10), (5, 21), (6, 1), (7, 12)]
    assert all(one.path == str(path) for one in error.all)


def test_of_very_many_problems_the_first_are_enough(path: Path) -> None:
    assert len(failure(path, "".join(f"k{number}: 1\n" for number in range(1000))).all) == 20


def test_p1_what_does_not_look_like_a_policy_is_not_repeated(path: Path) -> None:
    secret = "Call me on 020 7946 0018, my name is Anna and my card is 4111 1111 1111 1111"
    for content in (
        f'{{"{secret}": "{secret}"}}',
        f"- {secret}",
        secret,
        f"{secret}: 1\n{secret}: 2",
        f"a: '{secret}",
    ):
        error = failure(path, content)
        for one in error.all:
            assert "7946" not in f"{one} {one.hint}"
            assert one.__cause__ is None
            assert one.__context__ is None or isinstance(one.__context__, PolicyError)


def test_there_is_no_norway_problem(path: Path) -> None:
    """NO is a country here, and a boolean nowhere."""
    match = "match: {metadata: {jurisdiction: [NO, SE], eu: false, level: 3}}"
    path.write_text(
        GOOD.replace("  - name", f"  - name: norway\n    {match}\n    keep: {{at_most: 1y}}\n  - name")
    )
    norway, _ = load([path]).rules
    assert norway.match.fits("user", "", {"jurisdiction": "NO", "eu": "false", "level": "3"})
    assert not norway.match.fits("user", "", {"jurisdiction": "false", "eu": "false", "level": "3"})


def labelled(path: Path, value: str) -> frozenset[str]:
    match = f"match: {{metadata: {{legal: {value}}}}}"
    path.write_text(
        GOOD.replace("  - name", f"  - name: law\n    {match}\n    keep: {{at_least: 6y}}\n  - name", 1)
    )
    [(name, values)] = load([path]).rules[0].match.labels
    assert name == "legal"
    return values


@pytest.mark.parametrize("said", ["true", "True", "TRUE", "[x, True]"])
def test_p5_a_floor_for_what_is_true_keeps_it_however_that_is_written(path: Path, said: str) -> None:
    assert as_label(True) in labelled(path, said)


def test_what_stands_between_quotes_is_a_text(path: Path) -> None:
    assert labelled(path, "'True'") == {"True"}


@pytest.mark.parametrize("number", [0, 3, -7, 10**30, 0.5, 1000.0, 1e300, -0.0])
def test_p5_a_floor_for_a_number_keeps_it_as_it_is_printed(path: Path, number: float) -> None:
    assert as_label(number) in labelled(path, str(number))


@pytest.mark.parametrize(
    "said", ["1e3", "1E3", "1.50", "1.", ".5", "+5", "007", "0x1F", "0o17", "-0", ".inf", ".NaN", "[1, 1e3]"]
)
def test_p5_a_number_that_metadata_says_in_other_words_is_refused_in_its_place(path: Path, said: str) -> None:
    with pytest.raises(PolicyError, match="compared as it is printed") as caught:
        labelled(path, said)
    assert path.read_text().splitlines()[caught.value.line - 1][caught.value.column - 1 :][:1] in said
    assert "between quotes" in caught.value.hint
    word = said.strip("[]").split()[-1]
    assert word in labelled(path, f"'{word}'")


@given(st.binary(max_size=300))
@example(GOOD.encode())
def test_any_bytes_are_a_policy_or_an_error_with_a_place(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    check_any(tmp_path_factory.getbasetemp() / "any.yaml", content)


@pytest.mark.wide
@given(st.data())
def test_any_change_to_a_policy_leaves_a_policy_or_an_error_with_a_place(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    stop = data.draw(st.integers(start, min(len(GOOD), start + 8)))
    put = data.draw(st.text(st.sampled_from("{}[]&*!|>-:?,#'\"\n\t 019adNO%@`~"), max_size=6))
    check_any(tmp_path_factory.getbasetemp() / "any.yaml", (GOOD[:start] + put + GOOD[stop:]).encode())


def check_any(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    found: tuple[PolicyError, ...] = ()
    try:
        load([path])
    except PolicyError as error:
        found = error.all
    lines = content.count(b"\n") + content.count(b"\r") + 2
    assert all(1 <= one.line <= lines and one.column >= 1 for one in found)
