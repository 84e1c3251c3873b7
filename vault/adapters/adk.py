"""`VaultSessionService`: Google ADK's session service, in front of a vault.

    runner = Runner(app_name="shop", agent=agent, session_service=VaultSessionService(vault))

An event is a message; a session's state is a record beside them, which every event writes anew in its own
transaction. `user:` state belongs to the user and is erased with them; `app:` state belongs to nobody.
"""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

from vault.adapters import framework
from vault.adapters.adk_state import APP, Shared, SharedState, shared_place, user_of
from vault.adapters.facing import AnyVault, core_of, passing_over, run
from vault.blobs import in_base64, with_bytes
from vault.chat.records import ABSENT, Put, Record, plain
from vault.clock import to_datetime
from vault.core import Core
from vault.errors import (
    InputError,
    RevisionError,
    SessionForgottenError,
    TamperedError,
    UserForgottenError,
)
from vault.messages import Message, Messages, check_id

framework("google.adk", "adk")  # says how to get it, where the next lines could only fail

from google.adk.errors._stale_session_error import StaleSessionError  # noqa: E402 (as above)
from google.adk.errors.already_exists_error import AlreadyExistsError  # noqa: E402 (as above)
from google.adk.errors.session_not_found_error import SessionNotFoundError  # noqa: E402 (as above)
from google.adk.events.event import Event  # noqa: E402 (as above)
from google.adk.sessions.base_session_service import (  # noqa: E402 (as above)
    BaseSessionService,
    GetSessionConfig,
    ListSessionsResponse,
)
from google.adk.sessions.session import Session  # noqa: E402 (as above)
from google.adk.sessions.state import State  # noqa: E402 (as above)
from pydantic import ValidationError  # noqa: E402 (as above)
from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: E402 (as above)

_OURS = "adk"  # the field of `extra` with what is not said in an event, and the collection of the state
_KEY = "session"


class VaultSessionService(BaseSessionService):
    """The sessions of all users. Give a `Vault`, or an `AsyncVault` where one loop runs everything.

    The namespace of a session is its app, unless another is given: retention rules can name it.
    """

    def __init__(self, vault: AnyVault, *, namespace: str | None = None) -> None:
        self._vault = vault
        self._stored = _Stored(core_of(vault), namespace)
        self._locks: weakref.WeakValueDictionary[tuple[object, ...], asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Make a session, with its first state."""
        name = (session_id or "").strip() or str(uuid4())
        await run(self._vault, self._stored.create, app_name, user_id, name, _jsonable(state or {}))
        made = await self.get_session(app_name=app_name, user_id=user_id, session_id=name)
        if made is None:
            raise SessionNotFoundError("The session was deleted while it was made.")
        return made

    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        """Give a session with its events and all state; None for one that never was, or was deleted."""
        found = await run(self._vault, self._stored.read, app_name, user_id, session_id.strip())
        if found is None:
            return None
        record, messages = found
        session = await self._session(app_name, user_id, session_id.strip(), record)
        events = [_event(message) for message in messages]
        if config and config.after_timestamp is not None:
            events = [event for event in events if event.timestamp >= config.after_timestamp]
        if config and config.num_recent_events is not None:
            events = events[len(events) - min(len(events), config.num_recent_events) :]
        session.events = events
        return session

    async def list_sessions(self, *, app_name: str, user_id: str | None = None) -> ListSessionsResponse:
        """Give the sessions of a user, or of all users, without their events, the latest at the end."""
        names = await run(self._vault, self._stored.names, app_name, user_id)
        await run(self._vault, self._stored.shared, app_name, APP + app_name)  # raises for all
        found = []
        for user, name in names:
            is_named = user_id is not None
            with passing_over(SessionForgottenError), passing_over(UserForgottenError, unless=is_named):
                one = await run(self._vault, self._stored.record, app_name, user, name)
                if one is not None:
                    found.append(await self._session(app_name, user, name, one))
        found.sort(key=lambda session: (session.last_update_time, session.user_id, session.id))
        return ListSessionsResponse(sessions=found)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Erase a session. State of the user stays until the user is forgotten."""
        await run(self._vault, self._stored.delete, app_name, user_id, session_id.strip())

    async def get_user_state(self, *, app_name: str, user_id: str) -> dict[str, Any]:
        """Give the state that a user's sessions share, without its prefix."""
        return await run(self._vault, self._stored.shared, app_name, user_id)

    async def append_event(self, session: Session, event: Event) -> Event:
        """Store an event and the state that it changes; StaleSessionError where the session has gone on.

        One that is stored is not stored again: who was not told whether it is may give it once more.
        """
        if event.partial:
            return event
        where = (asyncio.get_running_loop(), session.app_name, session.user_id, session.id)
        lock = self._locks.setdefault(where, asyncio.Lock())
        async with lock:  # whoever shares a session object goes one after another, and none is stale
            self._apply_temp_state(session, event)
            event = self._trim_temp_delta_state(event)
            marker = session._storage_update_marker  # noqa: SLF001 (ADK's own)
            seen = [one.id for one in session.events]
            delta = _jsonable(dict(event.actions.state_delta))
            names = session.app_name, session.user_id, session.id
            given = _Given(names, marker, seen, _message(event), delta)
            try:
                revision = await run(self._vault, self._stored.append, given)
            except RevisionError:
                raise StaleSessionError("The session was changed in storage after it was loaded.") from None
            if revision is None:
                return event
            session._storage_update_marker = str(revision)  # noqa: SLF001 (ADK's own)
            session.last_update_time = event.timestamp
            return self._commit_event_to_session(session, event)

    async def _session(self, app: str, user: str, name: str, record: Record) -> Session:
        shared = await run(self._vault, self._stored.shared, app, user)
        own = await run(self._vault, self._stored.shared, app, APP + app)
        state = {**record.value["state"]}
        state |= {f"{State.APP_PREFIX}{key}": value for key, value in own.items()}
        state |= {f"{State.USER_PREFIX}{key}": value for key, value in shared.items()}
        session = Session(
            id=name, app_name=app, user_id=user, state=state, last_update_time=record.value["updated"]
        )
        session._storage_update_marker = str(record.revision)  # noqa: SLF001 (ADK's own)
        return session


class _Given(NamedTuple):
    """An event for a session as its caller knows that: by its revision, or by the ids of all its events."""

    session: tuple[str, str, str]
    marker: str | None
    seen: list[str]
    said: Message
    delta: dict[str, Any]


class _Stored:
    """What the service stores. Its methods run on the core of either face."""

    def __init__(self, core: Core, namespace: str | None) -> None:
        self._core = core
        self._namespace = namespace
        self._shared = SharedState(core, namespace)

    def create(self, app: str, user: str, name: str, state: dict[str, Any]) -> None:
        own, shared = _split(state)
        waiting = self._shared.waiting(app, user, shared)
        put = _put(own, to_seconds(self._core.stores.clock()), waiting, ABSENT)
        try:
            self._keep(app, user_of(user), _place(app, name), [put])
        except RevisionError:
            raise AlreadyExistsError("A session with this id already exists.") from None
        self._shared.write(app, user, shared)

    def append(self, event: _Given) -> int | None:
        """Store an event in the session as its caller knows it.

        The revision of the session with it; None where it is stored, and is not all that is new to them.
        """
        with suppress(RevisionError):
            return self._append(event)
        return self._append(event)  # it may be this very event that has come: a cancelled call goes on

    def _append(self, event: _Given) -> int | None:
        (app, user, name), marker, seen, said, delta = event
        found = self.read(app, user, name)
        if found is None:
            raise SessionNotFoundError("The session was not found.")
        record, messages = found
        stored, new = [_facts(message) for message in messages], _facts(said)
        ids = [one[0] for one in stored]
        if new in stored:
            is_all = stored[-1] == new and new[0] not in seen and seen[-1:] == ids[:-1][-1:]
            return record.revision if is_all else None
        if (marker or seen) != (str(record.revision) if marker else ids):
            raise RevisionError("the session has gone on")
        own, shared = _split(delta)
        state, waiting = {**record.value["state"], **own}, self._shared.waiting(app, user, shared)
        put = _put(state, said.extra[_OURS]["timestamp"], waiting, record.revision)
        [after] = self._keep(app, user_of(user), _place(app, name), [put], [said])
        self._shared.write(app, user, shared)
        return after

    def read(self, app: str, user: str, name: str) -> tuple[Record, Messages] | None:
        """Give a session's record and its messages, of one moment."""
        before = self.record(app, user, name)
        while before is not None:
            messages = self._core.messages(
                user_of(user), _place(app, name), last=None, before=None, reveal=False, purpose=""
            )
            after = self.record(app, user, name)
            if after is not None and after.revision == before.revision:
                self._shared.complete(app, user, after)
                return after, messages
            before = after
        return None

    def record(self, app: str, user: str, name: str) -> Record | None:
        place = _place(app, name)
        return next(iter(self._core.records.read(user_of(user), place, _OURS, keys=[_KEY])), None)

    def names(self, app: str, user: str | None) -> list[tuple[str, str]]:
        """Give the users and sessions of an app."""
        users = [user] if user is not None else []
        after: int | None = None if user is not None else 0
        while after is not None:
            page, after = self._core.lister.users_page(after)
            users += [one for one in page if not one.startswith(APP)]
        begin, found = shared_place(app), list[tuple[str, str]]()
        for one in users:
            with passing_over(UserForgottenError, unless=user is not None):
                found += [
                    (one, summary.session_id.removeprefix(begin))
                    for summary in self._core.lister.sessions(user_of(one))
                    if summary.session_id.startswith(begin) and summary.session_id != begin
                ]
        return found

    def delete(self, app: str, user: str, name: str) -> None:
        self._core.requests.delete(user_of(user), _place(app, name))

    def shared(self, app: str, owner: str) -> dict[str, Any]:
        """Give the state of a user, or of the app."""
        return self._shared.read(app, owner if owner == APP + app else user_of(owner))

    def _keep(
        self, app: str, user: str, place: str, puts: Sequence[Put], given: Sequence[Message] = ()
    ) -> list[int]:
        namespace = app if self._namespace is None else self._namespace
        return self._core.keep(user, place, namespace, puts, (), given)


def to_seconds(at: int) -> float:
    """Give a stored time as ADK counts it."""
    return to_datetime(at).timestamp()


def _place(app: str, name: str) -> str:
    return shared_place(app) + check_id(name, "session id")


def _put(state: dict[str, Any], at: float, waiting: dict[str, Any], revision: int) -> Put:
    return plain(_OURS, _KEY, {"state": state, "updated": at, **waiting}, revision=revision)


def _split(state: dict[str, Any]) -> tuple[dict[str, Any], Shared]:
    """Tell a session's own state from what is shared; what is temporary is not stored."""
    own: dict[str, Any] = {}
    shared: Shared = {State.USER_PREFIX: {}, State.APP_PREFIX: {}}
    for key, value in state.items():
        prefix = next((one for one in shared if key.startswith(one)), None)
        if prefix is not None:
            shared[prefix][key.removeprefix(prefix)] = value
        elif not key.startswith(State.TEMP_PREFIX):
            own[key] = value
    return own, shared


def _jsonable(state: dict[str, Any]) -> dict[str, Any]:
    try:
        done: dict[str, Any] = to_jsonable_python(state)
    except (PydanticSerializationError, ValueError):
        pass  # raised out of its reach: it holds what was given (P1)
    else:
        return done
    raise InputError("state has a value that can't be encoded", hint="use what JSON can hold")


def _message(event: Event) -> Message:
    written = event.model_dump(mode="json", exclude_none=True, warnings=False)
    fields = with_bytes(written, event.model_dump(exclude_none=True, warnings=False))
    content = fields.pop("content", None)
    parts = content.pop("parts", None) if content else None
    is_result = any("function_response" in part for part in parts or [])
    role = "tool" if is_result else "user" if event.author == "user" else "assistant"
    if content is not None:
        fields["content"] = content
    return Message(role, parts, {}, {"name": fields.pop("author"), _OURS: fields})


def _facts(message: Message) -> tuple[object, ...]:
    """Give what tells an event from all others, and redaction leaves as it is."""
    fields = message.extra.get(_OURS)
    if not isinstance(fields, dict):
        return f"seq-{message.seq}", None, None
    return fields.get("id"), fields.get("timestamp"), message.extra.get("name")


def _event(message: Message) -> Event:
    fields = message.extra.get(_OURS)
    if not isinstance(fields, dict):  # an app said it in other words than ADK's
        fields = {
            "id": f"seq-{message.seq}",
            "content": {"role": "user" if message.role == "user" else "model"},
        }
        at = message.created_at
        fields["timestamp"] = at.timestamp() if at else 0.0
    given = {**fields, "author": message.extra.get("name", message.role)}
    said = message.content
    if said is not None:
        parts = [{"text": said}] if isinstance(said, str) else said
        given["content"] = {**fields.get("content", {}), "parts": parts}
    try:
        return Event.model_validate_json(json.dumps(given, default=in_base64))
    except ValidationError:
        pass  # raised out of its reach: it holds what was said (P1)
    raise TamperedError("an event is of a form that this release of ADK does not know")
