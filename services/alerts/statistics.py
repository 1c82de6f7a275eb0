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


def log_binomial_upper_tail(count: int, trials: int, share: float) -> float:
    """ln P(X >= count) for X ~ Binomial(trials, share), exact.

    P(X >= k) = I_p(k, n - k + 1): M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 26.5.24.
    """
    if count <= 0 or share >= 1:
        return 0.0 if count <= trials else -math.inf
    if count > trials or share <= 0:
        return -math.inf
    return _log_beta_i(count, trials - count + 1, share)


def log_binomial_lower_tail(count: int, trials: int, share: float) -> float:
    """ln P(X <= count) for X ~ Binomial(trials, share), exact."""
    return log_binomial_upper_tail(trials - count, trials, 1 - share)


def log_negative_binomial_upper_tail(count: int, mean: float, shape: float) -> float:
    """ln P(X >= count) for X negative binomial with that mean and a variance of mean + mean^2 / shape.

    P(X >= k) = I_q(k, shape) with q = mean / (mean + shape): Abramowitz and Stegun 26.5.26.
    """
    if count <= 0:
        return 0.0
    if mean <= 0:
        return -math.inf
    return _log_beta_i(count, shape, mean / (mean + shape))


def _log_beta_i(a: float, b: float, x: float) -> float:
    """ln of the regularized incomplete beta function, 0 < x < 1."""
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    if x < (a + 1) / (a + b + 2):
        return min(0.0, front - math.log(a) + math.log(_beta_fraction(a, b, x)))
    other = front - math.log(b) + math.log(_beta_fraction(b, a, 1 - x))
    return math.log1p(-min(math.exp(min(0.0, other)), 1 - 1e-16))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz; fast for x < a / (a + b)."""
    c = 1.0
    d = 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    h = d
    for m in range(1, 100_000):
        for coefficient in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + coefficient * d
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = 1 + coefficient / c
            c = c if abs(c) > _TINY else _TINY
            delta = d * c
            h *= delta
        if abs(delta - 1) < 1e-14:
            break
    return h
