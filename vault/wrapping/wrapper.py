"""What makes the wrappings of a memory, one for each of its sessions."""

from __future__ import annotations

from vault.core import Core
from vault.errors import InputError, UsageError
from vault.messages import check_ids, check_namespace
from vault.wrapping.flows import Waits, Wrapping
from vault.wrapping.shelf import Mode, Shelf


class Wrapper:
    """What makes a wrapping of each session of a memory."""

    def __init__(  # noqa: PLR0913 (what was said of it)
        self,
        core: Core,
        waits: Waits | None,
        user_id: str,
        *,
        namespace: str,
        mode: str,
        adopt: bool,
        trims: bool | None,
    ) -> None:
        if mode not in set(Mode):
            raise UsageError("this is no mode", hint='mode="seal" or mode="record"')
        self._core = core
        self._waits = waits
        self._user_id = user_id
        self._namespace = check_namespace(namespace)
        self._mode = Mode(mode)
        self._adopt = adopt
        self._trims = trims

    def of(self, shelf: Shelf, session_id: object, *, trims: bool = False) -> Wrapping:
        """Wrap one session; `trims` says whether its memory drops the oldest by itself."""
        if not isinstance(session_id, str):
            raise InputError("this memory does not say which session it is of", hint="session_id=…")
        return Wrapping(
            self._core,
            self._waits,
            shelf,
            *check_ids(self._user_id, session_id),
            self._namespace,
            self._mode,
            self._adopt,
            trims if self._trims is None else self._trims,
        )
