"""`VaultSession`: the OpenAI Agents SDK's `Session`, in front of a transcript.

    vault = Vault.open("chat-vault")
    session = VaultSession("s-1", vault, user_id="u-42")
    result = await Runner.run(agent, "Hello", session=session)

Items come back field for field, but for what redaction has replaced in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from vault.adapters import framework
from vault.adapters.facing import AnyVault, Awaited, awaited, whose
from vault.blobs import decoded, encoded
from vault.errors import InputError, UsageError
from vault.messages import ROLES, Message

if TYPE_CHECKING:
    from agents import RunContextWrapper, SessionSettings, TResponseInputItem

_APART = {"metadata", "created_at"}  # fields that a Message has itself, with another meaning


class VaultSession:
    """A session of one user. Give a `Vault`, or an `AsyncVault` where one loop runs everything.

    The user is `user_id`, or what `user_from` finds in a run, as `lambda run: run.context.user` does.
    """

    session_id: str
    session_settings: SessionSettings | None

    def __init__(  # noqa: PLR0913 (one for each setting)
        self,
        session_id: str,
        vault: AnyVault,
        user_id: str | None = None,
        *,
        user_from: Callable[[RunContextWrapper[Any]], str] | None = None,
        user_from_session: bool = False,
        namespace: str = "",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        if user_from is None:
            user_id = whose(user_id, session_id, user_from_session=user_from_session)
            awaited(vault, user_id, session_id, namespace=namespace)  # what can't be right is refused now
        if isinstance(session_settings, dict):
            session_settings = framework("agents", "openai-agents").SessionSettings(**session_settings)
        self.session_id = session_id
        self.session_settings = cast("SessionSettings | None", session_settings)
        self._vault = vault
        self._user_id = user_id
        self._user_from = user_from
        self._namespace = namespace

    async def get_items(
        self, limit: int | None = None, *, wrapper: RunContextWrapper[Any] | None = None
    ) -> list[TResponseInputItem]:
        """Give the latest items, in order; all of them where nothing limits them."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        return [_item(message) for message in await self._chat(wrapper).messages(last=limit)]

    async def add_items(
        self, items: list[TResponseInputItem], *, wrapper: RunContextWrapper[Any] | None = None
    ) -> None:
        """Add items, all or none."""
        await self._chat(wrapper).extend([_message(item) for item in items])

    async def pop_item(self, *, wrapper: RunContextWrapper[Any] | None = None) -> TResponseInputItem | None:
        """Take the latest item out and give it."""
        message = await self._chat(wrapper).pop()
        return None if message is None else _item(message)

    async def clear_session(self, *, wrapper: RunContextWrapper[Any] | None = None) -> None:
        """Erase the session's items; it starts anew."""
        await self._chat(wrapper).clear()

    def _chat(self, wrapper: RunContextWrapper[Any] | None) -> Awaited:
        return awaited(self._vault, self._user(wrapper), self.session_id, namespace=self._namespace)

    def _user(self, wrapper: RunContextWrapper[Any] | None) -> str:
        if self._user_from is None or (wrapper is None and self._user_id is not None):
            return cast("str", self._user_id)
        if wrapper is None:
            raise UsageError("outside a run there is no context to take the user from", hint="user_id=…")
        user_id = self._user_from(wrapper)
        if self._user_id is not None and user_id != self._user_id:
            raise UsageError("the run belongs to another user than the session")
        return user_id


def _message(given: object) -> Message:
    """Take a message as one; anything else is the content of one, whole."""
    if not isinstance(given, dict):
        raise InputError("an item is a dict")
    item = decoded(given)
    role, kind = item.get("role"), item.get("type")
    is_result = isinstance(kind, str) and kind.endswith("_output")
    if not isinstance(role, str) or role not in ROLES:
        return Message("tool" if is_result else "assistant", item)
    if isinstance(item.get("content"), str | list) and _APART.isdisjoint(item):
        return Message.of(item)
    return Message(role, item)


def _item(message: Message) -> TResponseInputItem:
    is_whole = isinstance(message.content, dict)
    return cast("TResponseInputItem", encoded(message.content if is_whole else message.to_dict()))
