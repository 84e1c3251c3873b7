"""What a forked child has to make anew: it is a copy of the memory, with only the thread that forked.

A lock that another thread held would stay locked in the child for ever.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")

_renewals: dict[int, tuple[weakref.ref[Any], Callable[[Any], object]]] = {}
_numbers = itertools.count()


def in_child(owner: T, renew: Callable[[T], object]) -> None:
    """Call `renew` in every child, with its owner, which it must not hold itself, while that lives."""
    number = next(_numbers)
    forget = _renewals.pop
    _renewals[number] = weakref.ref(owner, lambda _: forget(number, None)), renew


def renew_locks(owner: object, *names: str) -> None:
    """Give an owner's attributes of these names a new lock each in every child."""

    def renew(one: object) -> None:
        for name in names:
            setattr(one, name, threading.Lock())

    in_child(owner, renew)


class cached(cached_property[T]):  # noqa: N801 (a decorator)
    """A cached_property; the lock that it has before Python 3.12 is a new one in every child."""

    def __init__(self, func: Callable[[Any], T]) -> None:
        super().__init__(func)
        in_child(self, cached._renew)

    def _renew(self) -> None:
        self.lock = threading.RLock()


def _renew() -> None:
    for reference, renew in list(_renewals.values()):
        owner = reference()
        if owner is not None:
            renew(owner)


os.register_at_fork(after_in_child=_renew)
