"""Numba's compiler, with types: what it compiles keeps its signature for mypy."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles at the first call, and remembers the result on disk beside the source, or in the user's cache.

    The function releases the GIL. It must take arrays and numbers only, and must not raise.
    """
    made: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    return made


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, for what is called for every byte or field: a call costs, since each array travels as ten numbers
    and is counted as in use.
    """
    made: Callable[P, R] = numba.njit(cache=True, nogil=True, inline="always")(function)
    return made
