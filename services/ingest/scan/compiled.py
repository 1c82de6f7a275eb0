"""Numba's compiler, with types: what it compiles keeps its signature for mypy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles at the first call, and remembers the result on disk beside the source, or in the user's cache.

    The function releases the GIL. It must take arrays and numbers only, and must not raise. It must not call a compiled
    function of another file: what is remembered of it would outlive a change there.
    """
    return _compiled(function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, for what is called for every byte or field: a call costs, since each array travels as ten numbers
    and is counted as in use.
    """
    return _compiled(function, inline="always")


def _compiled(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    made: Callable[P, R]
    try:
        made = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError as error:
        # Neither the source's directory nor the user's cache can be written to: every start compiles anew.
        logger.warning("compiled code cannot be remembered; set NUMBA_CACHE_DIR", extra={"error": str(error)})
        made = numba.njit(nogil=True, **options)(function)
    return made
