"""How improbable a count is, in natural logarithms, so that nothing underflows."""

from __future__ import annotations

import math

_TINY = 1e-300


def log_upper_tail(count: float, mean: float) -> float:
    """ln P(X >= count) for X ~ Poisson(mean). `count` may be fractional (a count scaled by its dispersion)."""
    if count <= 0:
        return 0.0
    if mean <= 0:
        return -math.inf
    if count <= mean:
        return min(0.0, math.log1p(-min(math.exp(_log_gamma_q(count, mean)), 1 - 1e-16)))
    return min(0.0, _log_gamma_p(count, mean))


def log_lower_tail(count: float, mean: float) -> float:
    """ln P(X <= count) for X ~ Poisson(mean). `count` may be fractional."""
    if count < 0:
        return -math.inf
    if mean <= 0:
        return 0.0
    if count + 1 >= mean:
        return min(0.0, math.log1p(-min(math.exp(_log_gamma_p(count + 1, mean)), 1 - 1e-16)))
    return min(0.0, _log_gamma_q(count + 1, mean))


def _log_gamma_p(a: float, x: float) -> float:
    """ln of the lower regularized incomplete gamma function, by its series; converges fast for x < a + 1."""
    term = total = 1.0
    for n in range(1, 100_000):
        term *= x / (a + n)
        total += term
        if term < total * 1e-15:
            break
    return a * math.log(x) - x - math.lgamma(a + 1) + math.log(total)


def _log_gamma_q(a: float, x: float) -> float:
    """ln of the upper regularized incomplete gamma function; Lentz's continued fraction, for x > a."""
    b = x + 1 - a
    c = 1 / _TINY
    d = 1 / b if b else 1 / _TINY
    h = d
    for n in range(1, 100_000):
        an = -n * (n - a)
        b += 2
        d = an * d + b
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = b + an / c
        c = c if abs(c) > _TINY else _TINY
        delta = d * c
        h *= delta
        if abs(delta - 1) < 1e-14:
            break
    return a * math.log(x) - x - math.lgamma(a) + math.log(h)
