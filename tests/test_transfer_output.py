"""The file of an export: one writer, one name, and nobody's data under the name of another's."""

from __future__ import annotations

import json
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import names_in

from vault import Vault
from vault.errors import ConfigError, UnknownError, UsageError
from vault.transfer import exporting
from vault.transfer.exporting import Exported, Wish, export
from vault.transfer.output import Position, put_cursor, whole_file
from vault.transfer.subject import Subject, subject_access

Progress = Callable[[int], None]


@pytest.fixture
def where(tmp_path: Path) -> Path:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        for user in ("anna", "ben"):
            vault.transcript(user, "s").extend(
                [{"role": "user", "content": f"{user} {n}"} for n in range(600)]
            )
    return tmp_path / "v"


def plain(vault: Vault, user: str, to: Path, progress: Progress | None = None) -> None:
    export(vault._core, Wish(user_id=user), to, progress)


def zipped(vault: Vault, user: str, to: Path, progress: Progress | None = None) -> None:
    subject_access(vault._core, Subject(wish=Wish(user_id=user)), to, progress)


def users_in(file: Path) -> set[str]:
    data = file.read_bytes()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            data = archive.read("data.jsonl")
    return {json.loads(line)["user_id"] for line in data.splitlines()}


@pytest.mark.wide
@pytest.mark.parametrize("write", [plain, zipped])
def test_of_two_exports_to_one_name_one_is_refused_and_the_file_is_the_others(
    where: Path, tmp_path: Path, write: Callable[..., None]
) -> None:
    out, refused = tmp_path / "out", list[str]()
    with Vault.open(where, redactor=None) as one, Vault.open(where, redactor=None) as two:

        def meanwhile(_done: int) -> None:
            if not refused:
                with pytest.raises(ConfigError, match="another export writes to") as caught:
                    write(two, "ben", out)
                refused.append(str(caught.value))

        write(one, "anna", out, meanwhile)
        assert refused
        assert users_in(out) == {"anna"}
        assert names_in(tmp_path) == {"v", "out"}
        ended = [one.step for one in two.log.entries() if one.kind == "export"]
    assert ended == ["intent", "completed"]  # what never left is not told as begun


@pytest.mark.wide
def test_nobody_goes_on_with_what_another_one_is_writing(where: Path, tmp_path: Path) -> None:
    out, refused = tmp_path / "out", list[str]()
    with Vault.open(where, redactor=None) as vault:

        def meanwhile(_done: int) -> None:
            if not refused:
                with pytest.raises(ConfigError, match="another export writes to") as caught:
                    export(vault._core, Wish(user_id="anna", resume=True), out)
                refused.append(str(caught.value))

        plain(vault, "anna", out, meanwhile)
    assert refused
    assert len(out.read_bytes().splitlines()) == 600
    assert names_in(tmp_path) == {"v", "out"}


def test_what_somebody_puts_in_the_place_of_the_unfinished_file_does_not_get_its_name(tmp_path: Path) -> None:
    out, part = tmp_path / "out", tmp_path / "out.part"

    def write() -> None:
        with whole_file(out, Position(asked="x")) as (sink, _):
            sink.write(b"mine")
            part.unlink()
            part.write_bytes(b"theirs")

    with pytest.raises(ConfigError, match="taken away"):
        write()
    assert names_in(tmp_path) == {"out.part"}
    assert part.read_bytes() == b"theirs"


def test_what_a_killed_export_left_is_made_anew_and_not_only_emptied(tmp_path: Path) -> None:
    out, part = tmp_path / "out", tmp_path / "out.part"
    part.write_bytes(b"of another one, and open to others")
    part.chmod(0o644)
    (tmp_path / "second-name").hardlink_to(part)
    with whole_file(out, Position(asked="x")) as (sink, _):
        sink.write(b"mine")
    assert out.read_bytes() == b"mine"
    assert out.stat().st_mode & 0o777 == 0o600
    assert b"mine" not in (tmp_path / "second-name").read_bytes()


# -- going on ------------------------------------------------------------------------------------------------


class StopError(Exception):
    """What ends an export in the middle."""


@pytest.fixture
def talking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Two users, two sessions each, of three pages."""
    monkeypatch.setattr(exporting, "PAGE", 2)
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        for user in ("anna", "ben"):
            for session in ("s-1", "s-2"):
                say(vault, user, session, "old")
        yield vault


def say(vault: Vault, user: str, session: str, what: str) -> None:
    said = [{"role": "user", "content": f"{what} {number}"} for number in range(6)]
    vault.transcript(user, session).extend(said)


def begin_anew(vault: Vault, user: str, session: str) -> None:
    vault.transcript(user, session).clear()
    say(vault, user, session, "new")


def leave_and_come_back(vault: Vault) -> None:
    vault.forget_user("anna")
    vault.enroll("anna")
    for session in ("s-1", "s-2"):
        say(vault, "anna", session, "new")


def interrupt(vault: Vault, wish: Wish, to: Path, after: int) -> None:
    def stop(done: int) -> None:
        if done >= after:
            raise StopError

    with pytest.raises(StopError) as caught:
        export(vault._core, wish, to, stop)
    assert caught.value.__notes__ == [
        f"what was written so far waits in {to}.part: --resume goes on, or remove it"
    ]


def transcripts_in(file: Path) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for line in file.read_bytes().splitlines():
        one = json.loads(line)
        found.setdefault((one["user_id"], one["session_id"]), []).append(one["content"])
    return found


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_p1_what_a_full_disk_leaves_of_an_export_is_told(tmp_path: Path) -> None:
    to, start = tmp_path / "out", Position(asked="all")

    def write() -> None:
        with full_disk(1500), whole_file(to, start) as (sink, _):
            sink.write(b"said " * 200)
            sink.reach(Position(asked="all", messages=200))
            sink.write(b"more " * 200)
            sink.reach(Position(asked="all", messages=400))

    with pytest.raises(OSError, match="too large") as caught:
        write()
    assert caught.value.__notes__ == [
        f"what was written so far waits in {to}.part: --resume goes on, or remove it"
    ]
    with whole_file(to, start, resume=True) as (sink, position):
        assert position.messages == 200
        sink.write(b"more " * 200)
    assert to.read_bytes() == b"said " * 200 + b"more " * 200


def test_a_cursor_for_which_there_is_no_room_leaves_the_one_before_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    cursor = tmp_path / "cursor"
    put_cursor(cursor, b"before")
    with full_disk(1500), pytest.raises(OSError, match="too large") as caught:
        put_cursor(cursor, b"after" * 1000)
    assert caught.value.filename == str(cursor)
    assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == [(cursor, b"before")]


@pytest.mark.parametrize("seq", [-4, 2**63])
def test_a_cursor_that_was_damaged_accuses_nobody_of_tampering(
    talking: Vault, tmp_path: Path, seq: int
) -> None:
    out = tmp_path / "out"
    interrupt(talking, Wish(), out, 2)
    cursor = tmp_path / "out.cursor"
    cursor.write_text(json.dumps(json.loads(cursor.read_bytes()) | {"seq": seq}))
    with pytest.raises(ConfigError, match="another export"):
        export(talking._core, Wish(resume=True), out)
    assert [entry.kind for entry in talking.log.entries() if entry.kind == "integrity"] == []


@pytest.mark.wide
@pytest.mark.parametrize("who", ["anna", None])
@pytest.mark.parametrize(
    ("after", "meanwhile"),
    [
        (2, lambda vault: begin_anew(vault, "anna", "s-1")),  # in the middle of it
        (6, lambda vault: begin_anew(vault, "anna", "s-1")),  # at its end: it comes after the next one then
        (8, lambda vault: begin_anew(vault, "anna", "s-1")),  # before it: it would be there twice
        (8, lambda vault: begin_anew(vault, "anna", "s-2")),
        (8, leave_and_come_back),
    ],
)
def test_p7_nothing_goes_on_in_a_session_that_was_begun_anew(
    talking: Vault, tmp_path: Path, who: str | None, after: int, meanwhile: Callable[[Vault], None]
) -> None:
    out = tmp_path / "out"
    with talking as vault:
        interrupt(vault, Wish(user_id=who), out, after)
        meanwhile(vault)
        with pytest.raises(UsageError, match="gone since"):
            export(vault._core, Wish(user_id=who, resume=True), out)
        assert not out.exists()
        export(vault._core, Wish(user_id=who), out)
    assert all(len({text.split()[0] for text in said}) == 1 for said in transcripts_in(out).values())


@pytest.mark.wide
@pytest.mark.parametrize("after", [2, 6, 8, 12, 14])
def test_an_export_goes_on_where_only_what_comes_later_was_begun_anew(
    talking: Vault, tmp_path: Path, after: int
) -> None:
    out = tmp_path / "out"
    with talking as vault:
        interrupt(vault, Wish(), out, after)
        begin_anew(vault, "ben", "s-2")
        export(vault._core, Wish(resume=True), out)
    said = transcripts_in(out)
    assert [one[0] for one in said.values()] == ["old 0", "old 0", "old 0", "new 0"]
    assert [len(one) for one in said.values()] == [6, 6, 6, 6]


def once(work: Callable[[], None], at: int) -> Progress:
    """Do something in the middle of an export."""
    done = list[int]()

    def step(count: int) -> None:
        if count >= at and not done:
            done.append(count)
            work()

    return step


@pytest.mark.wide
@pytest.mark.parametrize("end", [begin_anew, lambda v, u, s: v.transcript(u, s).delete()])
def test_p7_a_session_that_ends_under_an_export_is_told(
    talking: Vault, tmp_path: Path, end: Callable[[Vault, str, str], None]
) -> None:
    with talking as vault, Vault.open(tmp_path / "v", redactor=None) as other:
        done: Exported = export(
            vault._core, Wish(), tmp_path / "all", once(lambda: end(other, "anna", "s-1"), 2)
        )
        assert done.left == 1
        assert transcripts_in(tmp_path / "all")["anna", "s-1"] == ["old 0", "old 1"]
        with pytest.raises(UnknownError, match="ended or begun anew"):
            export(
                vault._core,
                Wish(user_id="anna"),
                tmp_path / "anna",
                once(lambda: end(other, "anna", "s-2"), 2),
            )
        assert not (tmp_path / "anna").exists()


@pytest.mark.wide
def test_p7_the_page_of_a_zip_shows_what_its_data_hold_or_there_is_none(
    talking: Vault, tmp_path: Path
) -> None:
    with talking as vault:
        with pytest.raises(UnknownError, match="ended or begun anew"):
            zipped(vault, "anna", tmp_path / "out.zip", once(lambda: begin_anew(vault, "anna", "s-1"), 12))
        assert names_in(tmp_path) == {"v"}
