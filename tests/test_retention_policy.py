"""What the classes of a policy, and of several together, must mean; the policies that come with the vault."""

from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import PolicyError, UsageError
from vault.retention import SHIPPED, durations, shipped
from vault.retention.loading import load
from vault.retention.policy import ROLES, Earlier, From, Match, Part, Policies, Then, as_label

ALL = "  - name: all\n    keep: {at_most: 90d}\n"


def policy(classes: str, *, name: str = "p", more: str = "") -> str:
    return f"version: 1\npolicy: {name}\n{more}classes:\n{classes}"


def write(directory: Path, *contents: str) -> list[Path]:
    paths = [directory / f"{number}.yaml" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    return paths


def problems(directory: Path, *contents: str) -> list[str]:
    """Give what is wrong, as file:line: message."""
    try:
        load(write(directory, *contents))
    except PolicyError as error:
        return [f"{Path(one.path).name}:{one.line}: {one.message}" for one in error.all]
    return []


def test_a_policy_is_read_as_it_is_written(tmp_path: Path) -> None:
    classes = """\
  - name: tool-output
    match: {role: [tool, function], namespace: ["a/*", b], metadata: {plan: free}, session: {older_than: 30d}}
    keep: {at_least: 1d, at_most: 7d, count_from: session-start}
    then: keep-redacted
"""
    more = """\
schedule: "0 3 * * 1"
timezone: Europe/Berlin
limits: {max_fraction: 12.5%}
originals: {keep: 30d}
redaction: {language: en, entities: {PERSON: placeholder}, deny: [no, "1"]}
"""
    [path] = write(tmp_path, policy(classes + ALL, more=more))
    [found] = load([path]).policies
    assert (found.name, found.zone, found.max_fraction) == ("p", ZoneInfo("Europe/Berlin"), Fraction(1, 8))
    assert found.schedule.weekday == "mon"
    assert found.redaction == {"language": "en", "entities": {"PERSON": "placeholder"}, "deny": ["no", "1"]}
    rule, other = found.rules
    assert (rule.name, rule.policy, rule.at.line, other.at.line) == ("p/tool-output", "p", 9, 13)
    assert rule.match == Match(
        roles=frozenset({"tool", "function"}),
        namespaces=("a/*", "b"),
        labels=(("plan", frozenset({"free"})),),
        older_than=durations.parse("30d"),
    )
    assert (rule.keep.at_least, rule.keep.at_most) == (durations.parse("1d"), durations.parse("7d"))
    assert (rule.keep.count_from, rule.then) == (From.SESSION_START, Then.KEEP_REDACTED)
    assert rule.originals == durations.parse("30d")
    assert rule.zone == found.zone
    assert (other.match, other.then, other.keep.count_from) == (Match(), Then.ERASE, From.MESSAGE)
    assert load([path]).labels == {"plan"}


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    [found] = load(write(tmp_path, policy(ALL))).policies
    assert (str(found.schedule), found.max_fraction, found.redaction) == ("0 3 * * *", Fraction(1, 5), {})
    assert found.rules[0].originals.usual == 0


# -- what classes mean together --------------------------------------------------------------------------


def test_a_policy_without_a_catch_all_is_refused(tmp_path: Path) -> None:
    classes = "  - name: a\n    match: {role: tool}\n    keep: {at_most: 1d}\n"
    assert problems(tmp_path, policy(classes)) == [
        "0.yaml:3: no class takes all messages, so that some would have no class"
    ]


def test_of_several_policies_one_needs_a_catch_all(tmp_path: Path) -> None:
    some = policy("  - name: a\n    match: {role: tool}\n    keep: {at_most: 1d}\n", name="some")
    assert problems(tmp_path, some, policy(ALL)) == []
    assert problems(tmp_path, policy(ALL), policy(ALL, name="q")) == []
    assert problems(tmp_path, some, some.replace("some", "other")) != []


@pytest.mark.parametrize(
    "match", ["", "    match: {namespace: '*'}\n", "    match: {namespace: [a, '**']}\n"]
)
def test_two_catch_alls_are_refused(match: str, tmp_path: Path) -> None:
    classes = f"  - name: a\n{match}    keep: {{at_most: 1d}}\n{ALL}"
    assert problems(tmp_path, policy(classes)) == [
        f"0.yaml:{6 + match.count(chr(10))}: a second class takes all messages; the first is in line 4"
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("role: tool", "role: tool"),
        ("role: [tool, user]", "role: user"),
        ("namespace: 'a/*'", "namespace: a/b"),
        ("namespace: 'a/*'", "namespace: 'a/b/*'"),
        ("namespace: 'a*'", "namespace: ['a/*', ab]"),
        ("namespace: 'a/*'", "namespace: 'a/*', role: tool"),
        ("metadata: {a: x}", "metadata: {a: x, b: y}"),
        ("metadata: {a: [x, y]}", "metadata: {a: y}"),
        ("session: {older_than: 30d}", "session: {older_than: 60d}"),
        ("session: {older_than: 30d}", "session: {older_than: 2mo}, role: tool"),
        ("role: [user, assistant, system, developer, tool, function]", "role: tool"),
    ],
)
def test_a_class_that_can_never_match_is_refused(earlier: str, later: str, tmp_path: Path) -> None:
    def content(one: str, two: str) -> str:
        return policy(
            "".join(
                f"  - name: c{n}\n    match: {{{m}}}\n    keep: {{at_most: 1d}}\n"
                for n, m in ((1, one), (2, two))
            )
            + ALL
        )

    said = problems(tmp_path, content(earlier, later))
    assert "0.yaml:7: the class “c2” can never match: classes before it take all that it would" in said
    if "developer" not in earlier and earlier != later:
        assert problems(tmp_path, content(later, earlier)) == []


def test_a_class_that_several_cover_together_is_refused() -> None:
    user, tool = frozenset({"user"}), frozenset({"tool"})
    before = Earlier([Match(roles=user), Match(roles=tool, namespaces=("a/*",))])
    both = frozenset({"user", "tool"})
    assert before.take_all_of(Match(roles=both, namespaces=("a/x", "a/y/*")))
    assert not before.take_all_of(Match(roles=both, namespaces=("a/x", "b")))
    assert not before.take_all_of(Match(roles=both))
    assert not before.take_all_of(Match(namespaces=("a/*",)))


GLOBS = st.text("ab*", min_size=1, max_size=4)
MATCHES = st.builds(
    Match,
    roles=st.none() | st.frozensets(st.sampled_from(sorted(ROLES)[:3]), min_size=1),
    namespaces=st.lists(GLOBS, max_size=3).map(tuple),
    labels=st.dictionaries(
        st.sampled_from("ab"), st.frozensets(st.sampled_from("0123456789"), min_size=1), max_size=2
    ).map(lambda labels: tuple(sorted(labels.items()))),
    older_than=st.none() | st.sampled_from(["3d", "1mo", "30d", "31d"]).map(durations.parse),
)


@pytest.mark.wide
@given(st.lists(MATCHES, max_size=4), MATCHES)
def test_what_earlier_classes_take_is_what_they_take_one_by_one(earlier: list[Match], rule: Match) -> None:
    def takes(one: Match, role: str, namespace: str) -> bool:
        bare = Match(roles=one.roles, namespaces=one.namespaces)
        wanted, given = dict(one.labels), dict(rule.labels)
        labels = all(name in given and given[name] <= values for name, values in wanted.items())
        older = one.older_than is None or (
            rule.older_than is not None and one.older_than.longest <= rule.older_than.shortest
        )
        return labels and older and bare.fits(role, namespace, {})

    one_by_one = all(
        any(takes(one, role, namespace) for one in earlier)
        for role in rule.roles or ROLES
        for namespace in rule.namespaces or ("*",)
    )
    assert Earlier(earlier).take_all_of(rule) == one_by_one


@pytest.mark.parametrize(
    ("keep", "says"),
    [
        ("at_least: 2y, at_most: 1y", "at_most 1y may end before at_least 2y does"),
        ("at_least: 30d, at_most: 1mo", "at_most 1mo may end before at_least 30d does"),
        ("at_least: 1y, at_most: 365d", "at_most 365d may end before at_least 1y does"),
        ("at_least: P1M1D, at_most: 1mo", "at_most 1mo may end before at_least P1M1D does"),
        ("at_least: 0d", "at_least is nothing; nothing can be kept for no time"),
        ("at_least: 1y, at_most: 1y", None),
        ("at_least: 1mo, at_most: 31d", None),
        ("at_least: 365d, at_most: 1y", None),
        ("at_least: 12mo, at_most: P1Y1D", None),
        ("at_least: 1y", None),
    ],
)
def test_a_floor_above_its_own_ceiling_is_refused(keep: str, says: str | None, tmp_path: Path) -> None:
    said = problems(tmp_path, policy(f"  - name: a\n    keep: {{{keep}}}\n"))
    assert said == ([f"0.yaml:5: {says}"] if says else [])


def test_doubled_names_are_refused(tmp_path: Path) -> None:
    classes = "  - name: all\n    match: {role: tool}\n    keep: {at_most: 1d}\n"
    assert problems(tmp_path, policy(classes + ALL)) == [
        "0.yaml:7: a class “all” is there already, in line 4"
    ]
    [said] = problems(tmp_path, policy(ALL), policy(ALL))
    assert said.startswith("1.yaml:3: a policy “p” is there already, in ")


def test_keep_redacted_without_a_ceiling_is_refused(tmp_path: Path) -> None:
    classes = "  - name: a\n    keep: {at_least: 1d}\n    then: keep-redacted\n"
    assert problems(tmp_path, policy(classes)) == [
        "0.yaml:6: keep-redacted says what happens at at_most, which is missing"
    ]


def test_the_problems_of_several_files_are_said_together(tmp_path: Path) -> None:
    said = problems(tmp_path, policy(ALL).replace("90d", "90"), policy(ALL, name="q"), "x: 1")
    assert [one.partition(": ")[0] for one in said] == ["0.yaml:5", "2.yaml:1"]


def test_policies_without_a_class_for_all_can_not_be_made() -> None:
    with pytest.raises(ValueError, match="no class takes all"):
        Policies(())
    with pytest.raises(UsageError, match="no policy file is named"):
        load([])


# -- matching --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "fits", "fits_not"),
    [
        (
            "billing/*",
            ["billing/", "billing/eu", "billing/eu/x"],
            ["billing", "xbilling/eu", "Billing/eu", ""],
        ),
        ("*", ["", "a", "a/b", "a\nb"], []),
        ("*/eu", ["support/eu", "a/b/eu"], ["eu", "support/eu/x"]),
        ("a.c[x]+?", ["a.c[x]+?"], ["abc[x]+?", "a.cx"]),
    ],
)
def test_a_namespace_is_matched_by_a_glob(glob: str, fits: list[str], fits_not: list[str]) -> None:
    match = Match(namespaces=(glob,))
    assert all(match.fits("user", one, {}) for one in fits)
    assert not any(match.fits("user", one, {}) for one in fits_not)


def test_metadata_is_matched_as_it_is_written() -> None:
    assert [as_label(value) for value in (True, False, 3, "NO", 0.5)] == ["true", "false", "3", "NO", "0.5"]
    others: list[object] = [None, [], {}, b"x"]
    assert [as_label(value) for value in others] == [None] * 4


# -- what comes with the vault ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_that_comes_with_the_vault_is_valid_and_names_its_sources(name: str) -> None:
    path = shipped(name)
    [found] = load([path]).policies
    assert found.name == name
    head = path.read_text().partition("\nversion:")[0]
    assert all(line.startswith("#") or not line for line in head.splitlines())
    assert "Article" in head or "Sources" in head
    assert "compliant" not in path.read_text().lower()


def test_all_that_come_with_the_vault_can_be_in_force_together() -> None:
    assert len(load(map(shipped, SHIPPED)).policies) == len(SHIPPED)


def test_only_what_lies_in_the_directory_is_shipped() -> None:
    assert {path.stem for path in shipped("gdpr").parent.iterdir()} == set(SHIPPED)
    with pytest.raises(UsageError, match="no policy of this name"):
        shipped("../pyproject")


def test_parts_have_classes_and_epochs_of_their_own(tmp_path: Path) -> None:
    [rule] = load(write(tmp_path, policy(ALL, more="originals: {keep: 3d}\n"))).rules
    assert (rule.class_of(), rule.class_of(Part.ORIGINALS)) == ("p/all", "p/all:originals")
    assert (rule.unit(), rule.unit(Part.ORIGINALS)) == (24 * durations.HOUR, durations.HOUR)
