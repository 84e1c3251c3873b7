"""P4: nothing that is past its date stays because the talk goes on, and nothing stops who would say so."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from faces import DAY

from vault import Vault
from vault.clock import to_datetime
from vault.daemon.duties import trigger_of
from vault.errors import FlooredError, GuardedError, HeldError, PolicyError
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction
from vault.retention.loading import load
from vault.retention.policy import Match
from vault.retention.schedule import parse
from vault.storage.stores import Stores

HEAD = "version: 1\npolicy: {}\nlimits: {{max_fraction: 100%}}\nclasses:\n"
LAST = "  - name: d\n    keep: {at_most: 5d, count_from: last-message}\n"
LAW = "  - name: d\n    keep: {at_most: 10d}\n"
OLDER = "  - name: long\n    match: {session: {older_than: 3d}}\n    keep: {at_most: 10d}\n"


class Clock:
    now = 1_790_000_000_000_000

    def __call__(self) -> int:
        self.now += 1000
        return self.now


def write(directory: Path, *classes: str, more: str = "") -> list[Path]:
    paths = []
    for name, text in zip("abc", classes, strict=False):
        paths.append(directory / f"{name}.yaml")
        paths[-1].write_text(HEAD.format(name) + text + more)
    return paths


def opened(directory: Path, clock: Clock, policies: object, redactor: object = None) -> Vault:
    return Vault.open(
        directory / "v",
        root=f"file:{directory / 'root.key'}",
        policies=policies,  # type: ignore[arg-type]
        redactor=redactor,  # type: ignore[arg-type]
        clock=clock,
    )


@pytest.mark.wide
@pytest.mark.parametrize("files", [(LAST, LAW), (OLDER + LAST,)])
def test_p4_what_another_rule_makes_due_goes_while_the_session_goes_on(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    clock = Clock()
    with opened(tmp_path, clock, write(tmp_path, *files)) as vault:
        chat = vault.transcript("anna", "s-1")
        for day in range(25):
            chat.append("user", f"day {day}")
            clock.now += DAY
            planned = vault.purge(dry_run=True).messages
            assert vault.purge().messages == planned
        assert not [one for one in vault.explain("anna", "s-1") if one.goes]
        assert 9 <= len(chat.messages()) <= 11


@pytest.mark.wide
def test_p4_originals_go_at_their_date_while_the_session_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    with opened(
        tmp_path,
        clock,
        write(tmp_path, LAST, more="originals: {keep: 10d}\n"),
        Engine(Redaction(originals=True)),
    ) as vault:
        chat = vault.transcript("anna", "s-1")
        for _ in range(20):
            chat.append("user", "I am Zoe Papadopoulos")
            clock.now += DAY
            vault.purge()
        told = [one.content for one in chat.messages(reveal=True, purpose="a test")]
        assert len(told) == 20
        assert 9 <= told.count("I am Zoe Papadopoulos") <= 11


TOOLS = "  - name: tools\n    match: {role: tool}\n    keep: {at_most: 7d}\n"
ENDS = TOOLS + "  - name: d\n    keep: {at_most: 30d, count_from: last-message}\n"
FLOOR = (
    "  - name: all\n    match: {role: [user, assistant]}\n"
    "    keep: {at_least: 30d, count_from: last-message}\n  - name: rest\n    keep: {at_most: 9y}\n"
)


@pytest.mark.wide
@pytest.mark.parametrize("files", [(ENDS,), (TOOLS + LAW.replace("10d", "26d"), FLOOR)])
def test_p5_what_counts_from_the_last_message_stays_as_long_though_that_is_purged(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    clock = Clock()
    with opened(tmp_path, clock, write(tmp_path, *files)) as vault:
        chat = vault.transcript("anna", "s-1")
        chat.append("user", "said first")
        clock.now += 25 * DAY
        chat.append("tool", "said last")
        last = clock.now
        assert vault.purge(yes=True).messages == 0
        for day in (9, 28):
            clock.now = last + day * DAY
            vault.purge(yes=True)
            assert [one.content for one in chat.messages()] == ["said first"]
        clock.now = last + 32 * DAY
        vault.purge(yes=True)
        assert chat.messages() == []


@pytest.mark.parametrize(
    ("said", "field", "values"),
    [
        ("*/60 * * * *", "minute", "0"),
        ("*/25 * * * *", "minute", "0,25,50"),
        ("0 */24 * * *", "hour", "0"),
        ("0 1-5/9 * * *", "hour", "1"),
        ("0 3 1 */12 *", "month", "1"),
        ("0 3 1 jan-dec/3 *", "month", "1,4,7,10"),
        ("0 3 1 jan-3 *", "month", "1,2,3"),
        ("0 3 * * 5-7", "weekday", "sun,fri,sat"),
    ],
)
def test_a_schedule_that_passes_the_check_is_one_for_the_daemon_and_means_the_same(
    tmp_path: Path, said: str, field: str, values: str
) -> None:
    found = parse(said)
    assert getattr(found, field) == values
    assert str(found) == said
    (tmp_path / "p.yaml").write_text(f'{HEAD.format("p")}{LAW}schedule: "{said}"\n')
    [policy] = load([tmp_path / "p.yaml"]).policies
    name = "day_of_week" if field == "weekday" else field
    told = {one.name: str(one) for one in trigger_of(policy).fields}
    assert told[name] == values


@pytest.mark.timeout(20)
@pytest.mark.parametrize("stars", [2, 10, 30])
def test_a_glob_of_many_stars_is_read_in_one_go(stars: int) -> None:
    match = Match(namespaces=("*" + "a*" * stars + "ab",))
    assert match.fits("user", "a" * stars + "ab", {})
    assert match.fits("user", "b" + "xa" * stars + "b/ab", {})
    assert not match.fits("user", "a" * 200, {})
    assert Match(namespaces=("a*b*a*b",)).fits("user", "abab", {})
    assert not Match(namespaces=("a*b*a*b",)).fits("user", "abb", {})


@pytest.mark.timeout(20)
def test_a_pipe_is_no_policy_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    began = time.monotonic()
    with pytest.raises(PolicyError, match="this is no file"):
        load([tmp_path / "p.yaml"])
    assert time.monotonic() - began < 5


KINDS = """\
  - name: {}
    match: {{role: {}}}
    keep: {{at_least: 30d, at_most: 60d}}
  - name: d
    keep: {{at_most: 2d}}
"""


@pytest.mark.wide
@pytest.mark.parametrize("whole_user", [False, True])
def test_p4_a_run_parts_what_a_floor_keeps_of_the_forgotten_where_the_rule_was_edited(
    tmp_path: Path, *, whole_user: bool
) -> None:
    clock = Clock()

    def again() -> Vault:
        return opened(tmp_path, clock, tmp_path / "a.yaml")

    write(tmp_path, KINDS.format("law", "[tool, function]"))
    with again() as vault:
        chat = vault.transcript("anna", "s-1")
        for role in ("user", "tool", "function"):
            chat.append(role, f"said by {role}")
        vault.transcript("ben", "s-1").append("user", "ben's own words")
        if whole_user:
            vault.forget_user("anna", except_floors=True)
        else:
            vault.forget_session("anna", "s-1", except_floors=True)
    write(tmp_path, KINDS.format("law", "tool"))
    clock.now += 3 * DAY
    with again() as vault:
        planned = vault.purge(dry_run=True).messages
        assert (planned, vault.purge().messages) == (2, 2)
        assert vault.transcript("ben", "s-1").messages() == []
        clock.now += 60 * DAY
        assert vault.purge().messages == 1


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("  entitties: {PERSON: mask}", "8:14: setting of redaction: 'entitties' is not known"),
        ("  deny: [x]\n  mode: balancd", "9:9: redaction.mode: 'balancd' is not known"),
        ("  language: de", "8:13: redaction in this language needs a model"),
    ],
)
def test_what_a_policy_says_of_redaction_is_checked_in_its_place(
    tmp_path: Path, said: str, place: str
) -> None:
    [path] = write(tmp_path, LAW, more=f"redaction:\n{said}\n")
    with pytest.raises(PolicyError) as caught:
        load([path])
    error = caught.value
    assert f"{error.line}:{error.column}: {error.message}".startswith(place)
    [path] = write(tmp_path, LAW, more="redaction:\n  language: de\n  models: [spacy:de_core_news_md]\n")
    assert load([path]).policies[0].redaction["language"] == "de"


def test_a_time_zone_of_no_end_is_no_time_zone(tmp_path: Path) -> None:
    [path] = write(tmp_path, LAW, more=f"timezone: {'a/' * 5000}a\n")
    with pytest.raises(PolicyError, match="no time zone"):
        load([path])


@pytest.mark.wide
def test_p4_originals_that_may_no_longer_be_stored_go_though_their_chapter_was_parted(tmp_path: Path) -> None:
    clock = Clock()
    hour = DAY // 24
    clock.now = clock.now // DAY * DAY + 9 * hour

    def again() -> Vault:
        return opened(tmp_path, clock, tmp_path / "a.yaml", Engine(Redaction(originals=True)))

    default = "  - name: d\n    keep: {at_most: 1y}\n"
    write(tmp_path, default, more="originals: {keep: 30d}\n")
    with again() as vault:
        chat = vault.transcript("anna", "s")
        chat.append("tool", "the sister is called Zoe Papadopoulos")
        chat.append("user", "I am Zoe Papadopoulos")
        clock.now += 2 * hour
        chat.append("user", "I am Zoe Papadopoulos again")
    tool = "  - name: tool\n    match: {role: tool}\n    keep: {at_most: 1h}\n"
    write(tmp_path, tool + default, more="originals: {keep: 0d}\n")
    with again() as vault:
        for step in (hour // 2, DAY):
            clock.now += step
            planned = vault.purge(dry_run=True).originals
            assert vault.purge().originals == planned > 0
        told = [one.content for one in vault.transcript("anna", "s").messages(reveal=True, purpose="a test")]
        assert not [one for one in told if "Zoe" in str(one)]


@pytest.mark.parametrize(
    ("act", "kept_by"), [("clear", "hold"), ("pop", "hold"), ("forget", "hold"), ("forget", "floor")]
)
def test_p5_a_clock_that_is_ahead_of_the_databases_ends_no_hold_and_no_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, kept_by: str
) -> None:
    clock = Clock()
    start = clock.now
    rule = "  - name: d\n    keep: {at_most: 1y}\n"
    with opened(
        tmp_path,
        clock,
        write(tmp_path, rule.replace("{", "{at_least: 30d, ") if kept_by == "floor" else rule),
    ) as vault:
        monkeypatch.setattr(Stores, "server_clock", lambda _self, _connection: start + DAY)
        chat = vault.transcript("anna", "s-1")
        chat.append("user", "hello")
        if kept_by == "hold":
            vault.hold("anna", reason="a case", until=to_datetime(start + 10 * DAY))
        clock.now += 40 * DAY
        if act == "forget":
            with pytest.raises(HeldError if kept_by == "hold" else FlooredError):
                vault.forget_user("anna")
            assert [one.content for one in chat.messages()] == ["hello"]
            return
        getattr(chat, act)()
        hidden = chat.messages(include_hidden=True, purpose="the case")
        assert [one.content for one in hidden] == ["hello"]


def guarded(directory: Path, clock: Clock, more: str = "") -> Vault:
    return opened(directory, clock, write(directory, LAW, more=more))


def test_a_run_by_a_clock_that_was_ahead_counts_no_more_once_somebody_has_said_so(tmp_path: Path) -> None:
    clock = Clock()
    with guarded(tmp_path, clock) as vault:
        vault.purge()
        right = clock.now
        clock.now += 90 * DAY
        vault.purge()
        clock.now = right + DAY
        with pytest.raises(GuardedError, match="before the last run"):
            vault.purge()
        vault.purge(yes=True)
        for _ in range(3):
            clock.now += DAY
            vault.purge()
        clock.now -= 2 * DAY
        with pytest.raises(GuardedError, match="before the last run"):
            vault.purge()
        clock.now = right + 200 * DAY
        with pytest.raises(GuardedError, match="long after the last run"):
            vault.purge()


@pytest.mark.parametrize(
    ("said", "days", "is_guarded"),
    [
        ("0 3 1 1,7 *", 184, False),
        ("0 3 1 1,7 *", 300, True),
        ("0 3 * * *", 99, False),
        ("0 3 * * *", 101, True),
    ],
)
def test_the_guard_knows_how_rarely_a_policy_runs(
    tmp_path: Path, said: str, days: int, *, is_guarded: bool
) -> None:
    clock = Clock()
    with guarded(tmp_path, clock, more=f'schedule: "{said}"\n') as vault:
        vault.purge()
        clock.now += days * DAY
        if not is_guarded:
            vault.purge()
            return
        with pytest.raises(GuardedError, match="long after the last run"):
            vault.purge()


@pytest.mark.wide
@pytest.mark.parametrize("known_by", ["the log", "an epoch", "an import"])
def test_the_first_run_compares_the_clock_with_what_the_vault_knows_of(tmp_path: Path, known_by: str) -> None:
    clock = Clock()
    made = clock.now
    with guarded(tmp_path, clock) as vault:
        chat = vault.transcript("anna", "s-1")
        if known_by == "an epoch":
            clock.now += 60 * DAY
            chat.append("user", "hello")
        elif known_by == "an import":
            chat.append("user", "hello", created_at=to_datetime(clock.now - 8 * DAY))
        before = clock.now
        clock.now = made + 50 * 365 * DAY
        for dry_run in (True, False):
            with pytest.raises(GuardedError, match=r"no run yet.*long after the newest") as caught:
                vault.purge(dry_run=dry_run)
        assert f"{to_datetime(before):%Y-%m-%d}" in str(caught.value)
        assert "vault purge --yes" in caught.value.hint
        clock.now = before
        assert len(chat.messages()) == (known_by != "the log")
        clock.now += 99 * DAY
        vault.purge()
        clock.now += 101 * DAY
        with pytest.raises(GuardedError, match="long after the last run"):
            vault.purge()


def test_the_first_run_by_a_clock_that_is_far_ahead_is_made_where_somebody_has_looked(tmp_path: Path) -> None:
    clock = Clock()
    with guarded(tmp_path, clock) as vault:
        vault.transcript("anna", "s-1").append("user", "hello")
        clock.now += 500 * DAY
        assert vault.purge(yes=True).messages == 1


@pytest.mark.parametrize(
    ("said", "days"), [("0 3 * * 1", 62), ("0 3 1 * *", 62), ("0 3 1 4,10 *", 217), ("0 3 29 2 *", 2959)]
)
def test_how_long_may_lie_between_two_runs(said: str, days: int) -> None:
    assert parse(said).longest_gap == days
