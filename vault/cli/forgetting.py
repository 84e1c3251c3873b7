"""`forget-user` and `forget-session`: erase on request, with one change of the root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from vault.cli.given import Given, login, pass_given
from vault.cli.talking import (
    Command,
    actor,
    as_json,
    ask_confirm,
    check_confirm,
    counted,
    dry,
    moment,
    new_file,
    put,
    put_facts,
    put_json,
    put_table,
)
from vault.errors import (
    InputError,
    SessionForgottenError,
    TamperedError,
    UnknownError,
    UsageError,
    UserForgottenError,
)

if TYPE_CHECKING:
    from vault.client import Vault
    from vault.evidence.certificate import Certificate
    from vault.requests import Footprint

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """How an erasure is asked for: one field for each option."""

    dry_run: bool
    confirm: str | None
    now: bool
    reason: str
    actor: str | None
    certificate: Path | None
    as_json: bool
    when_released: bool = False
    except_floors: bool = False

    @property
    def said(self) -> dict[str, Any]:
        """What the library is told."""
        return {
            "reason": self.reason,
            "actor": self.actor or login(),
            "now": self.now,
            "when_released": self.when_released,
            "except_floors": self.except_floors,
        }

    @property
    def keeps(self) -> str:
        """What may keep something that is asked for."""
        ways = {"held": self.when_released, "kept by a retention rule": self.except_floors}
        return " or ".join(way for way, waits in ways.items() if waits)


@dataclass(frozen=True, slots=True)
class _Going:
    """What would go, or is gone already."""

    names: dict[str, str]
    sessions: int = 0
    messages: int = 0
    forgotten: bool = False
    kept: int = 0
    kept_until: datetime | None = None
    kept_by: str = ""
    theft: TamperedError | None = None  # why it can't be counted; forgetting destroys the keys all the same


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to be forgotten. Where it is many, answers are lists."""

    name: str
    what: str
    count: Callable[[Vault], list[_Going]]
    erase: Callable[[Vault, _Request], list[Certificate]]
    many: bool = False


def _going(names: dict[str, str], found: Footprint) -> _Going:
    kept = found.kept, found.kept_until, found.kept_by
    return _Going(names, found.sessions, found.messages, False, *kept)


def _users(users: list[str], *, many: bool) -> _Target:
    def count_one(vault: Vault, number: int, user: str) -> _Going:
        try:
            found = vault.footprint(user)
        except UserForgottenError:
            return _Going({"user_id": user}, forgotten=True)
        except TamperedError as error:
            return _Going({"user_id": user}, theft=error)
        except (UnknownError, InputError) as error:
            if not many:
                raise
            raise type(error)(f"the {number}. id of the file: {error}", hint=error.hint) from None
        return _going({"user_id": user}, found)

    return _Target(
        name=str(len(users)) if many else users[0],
        what=counted(len(users), "user") if many else f"user {users[0]}",
        count=lambda vault: [count_one(vault, number, user) for number, user in enumerate(users, 1)],
        erase=lambda vault, request: vault.forget_users(users, **request.said),
        many=many,
    )


def _session(user: str, session: str) -> _Target:
    def count(vault: Vault) -> list[_Going]:
        names = {"user_id": user, "session_id": session}
        try:
            found = vault.footprint(user, session)
        except SessionForgottenError:
            return [_Going(names, forgotten=True)]
        except TamperedError as error:
            return [_Going(names, theft=error)]
        return [_going(names, found)]

    return _Target(
        name=session,
        what=f"session {session} of user {user}",
        count=count,
        erase=lambda vault, request: [vault.forget_session(user, session, **request.said)],
    )


def _request_options(command: F) -> F:
    options = [
        dry,
        click.option("--confirm", metavar="NAME", help="Name again what goes; without it you are asked."),
        click.option("--now", is_flag=True, help="Final at once; no older keyring can be restored then."),
        click.option(
            "--when-released", is_flag=True, help="Under a hold: wait for its end; vault hold queued."
        ),
        click.option(
            "--except-floors",
            is_flag=True,
            help="What a rule keeps goes on the day that it becomes lawful, the rest now.",
        ),
        click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the certificate."),
        actor,
        click.option(
            "--certificate",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write the certificate to a new file.",
        ),
        as_json,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    "forget-user",
    cls=Command,
    examples=(
        "vault forget-user u-42 --dry-run",
        'vault forget-user u-42 --confirm u-42 --reason "request 881" \\',
        "    --certificate 881.json",
        "vault forget-user --from users.txt --confirm 3",
    ),
)
@click.argument("user", required=False)
@click.option(
    "--from",
    "file",
    type=click.File("rb"),
    metavar="FILE",
    help="Many users, one id a line; - is stdin. --confirm is then their number.",
)
@_request_options
@pass_given
def forget_user(given: Given, /, user: str | None, file: BinaryIO | None, **options: Any) -> None:  # noqa: ANN401
    """Erase users, in every copy ever taken.

    The certificate is provisional until the horizon has passed, then final; --now destroys every retired
    root generation at once. Asked again, it gives the same certificate, as far as it has come. Where one of
    them is held nothing is erased, and the exit code is 5.
    """
    if user is not None and file is None:
        _forget(given, _users([user], many=False), _Request(**options))
    elif user is None and file is not None:
        _forget(given, _users(_read_ids(file.read()), many=True), _Request(**options))
    else:
        raise UsageError(
            "name a user, or a file of users",
            hint="vault forget-user u-42 --dry-run, or --from users.txt",
        )


@click.command(
    "forget-session",
    cls=Command,
    examples=(
        "vault forget-session u-42 s-1 --dry-run",
        'vault forget-session u-42 s-1 --confirm s-1 --reason "request 882"',
    ),
)
@click.argument("user")
@click.argument("session")
@_request_options
@pass_given
def forget_session(given: Given, /, user: str, session: str, **options: Any) -> None:  # noqa: ANN401
    """Erase a session, in every copy ever taken.

    --confirm names the session again. The certificate is provisional until the horizon has passed.
    """
    _forget(given, _session(user, session), _Request(**options))


def _forget(given: Given, target: _Target, request: _Request) -> None:
    if not request.dry_run:
        check_confirm(target.name, request.confirm)
    with given.open(None) as vault:  # with its policies: their floors count (P5)
        going = target.count(vault)
        if request.dry_run:
            _refuse_thefts(going)
            _tell_going(target, going, request)
            return
        ask_confirm(f"forgetting {target.what}: {_sum(going)}", target.name, request.confirm)
        with new_file(request.certificate) as write:
            certificates = target.erase(vault, request)
            try:
                write(certificates if target.many else certificates[0])
            finally:
                _tell_certificates(target, going, certificates, request)


def _read_ids(data: bytes) -> list[str]:
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InputError("the file of users is not UTF-8") from None
    users = list(dict.fromkeys(line for line in (line.removesuffix("\r") for line in lines) if line.strip()))
    if not users:
        raise InputError("the file names no user", hint="one id a line")
    return users


def _sum(going: list[_Going]) -> str:
    sessions, messages = sum(one.sessions for one in going), sum(one.messages for one in going)
    already = sum(one.forgotten for one in going)
    words = f"{counted(sessions, 'session')}, {counted(messages, 'message')}"
    words += "".join(f"; {one.theft}" for one in going if one.theft is not None)
    return f"{words}; {already} of {len(going)} forgotten already" if already else words


def _refuse_thefts(going: list[_Going]) -> None:
    """What can't be counted is no zero."""
    for one in going:
        if one.theft is not None:
            raise one.theft


def _tell_going(target: _Target, going: list[_Going], request: _Request) -> None:
    facts = [
        {
            **one.names,
            "sessions": one.sessions,
            "messages": one.messages,
            "forgotten": one.forgotten,
            "kept": one.kept,
            "kept_until": one.kept_until,
            "kept_by": one.kept_by,
        }
        for one in going
    ]
    if request.as_json:
        put_json(facts if target.many else facts[0])
        return
    if target.many:
        columns = ("user", "sessions", "messages", "")
        rows = [(one["user_id"], one["sessions"], one["messages"], _mark(one)) for one in facts]
        put_table(columns, rows)
    put(f"would forget {target.what}: {_sum(going)}")
    for one in going:
        if one.kept:
            put(f"a rule keeps {counted(one.kept, 'message')} ({one.kept_by})")


def _mark(fact: dict[str, Any]) -> str:
    return "forgotten already" if fact["forgotten"] else ""


def _tell_certificates(
    target: _Target, going: list[_Going], certificates: list[Certificate], request: _Request
) -> None:
    if request.as_json:
        put_json(certificates if target.many else certificates[0])
    elif target.many:
        put_table(
            ("user", "status", "sessions", "messages", "pseudonym", "due"),
            [
                (one.names["user_id"], done.status, done.sessions, done.messages, done.pseudonym, done.due_at)
                for one, done in zip(going, certificates, strict=True)
            ],
        )
    else:
        waits = certificates[0].status == "requested"
        put(
            f"{target.what} is {request.keeps}: forgotten when that ends"
            if waits
            else f"{target.what} is forgotten"
        )
        put_facts(_facts(certificates[0], request))


def _facts(done: Certificate, request: _Request) -> list[tuple[str, object]]:
    if done.final_at is not None:
        reach = f"since {moment(done.final_at)}: nothing that was ever copied opens it"
    elif done.due_at is not None:
        reach = f"until {moment(done.due_at)}: an older keyring and a kept root generation still open it"
    else:
        rest = request.except_floors and not request.when_released
        reach = f"it waits: {'all that no rule keeps is erased' if rest else 'nothing is erased yet'}"
    return [
        ("status", f"{done.status}, {reach}"),
        ("erased", f"{counted(done.sessions, 'session')}, {counted(done.messages, 'message')}"),
        ("pseudonym", done.pseudonym),
        ("certificate", done.id),
        ("receipt", done.receipt or "none yet"),
    ]
