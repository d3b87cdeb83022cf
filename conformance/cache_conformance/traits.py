"""Asks a backend where it differs from others inside the contract, without waiting for anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cache_conformance.model import Answer, BelowZero, Traits, answer, same

LARGEST_PROMISED = 2**63 - 1


def traits_of(alias: Callable[..., Any]) -> Traits:
    """Return the traits of the backend that ``alias(**settings)`` builds."""
    cache = alias()
    nothing_lasts = alias(TIMEOUT=0)
    nothing_lasts.set("counted", 1, 60)
    nothing_lasts.incr("counted")
    nothing_lasts.set("moved", 1, 60)
    nothing_lasts.incr_version("moved")
    cache.set_many({"low": 1, "negative": -5, "float": 1.5}, 60)
    return Traits(
        below_zero=_below_zero(cache),
        counts_negatives=answer(cache.incr, "negative").error is None,
        counts_floats=answer(cache.incr, "float").error is None,
        counter_limit=LARGEST_PROMISED,
        incr_keeps_timeout=nothing_lasts.has_key("counted"),
        move_keeps_timeout=nothing_lasts.has_key("moved", version=2),
        adds_nothing=bool(nothing_lasts.add("absent", 1)),
        touches_expired=_leaves_the_expired(cache),
        touches_permanent=_touches_the_permanent(cache),
    )


def _leaves_the_expired(cache: Any) -> bool:
    cache.set("expired", 1, 0)
    return answer(cache.touch, "expired", 60) == Answer(False) and not cache.has_key("expired")


def _touches_the_permanent(cache: Any) -> bool:
    cache.set("permanent", 1, None)
    return answer(cache.touch, "permanent", None) == Answer(True)


def _below_zero(cache: Any) -> BelowZero:
    came = answer(cache.decr, "low", 3)
    if came.error is not None:
        return BelowZero.RAISES
    return BelowZero.STOPS if came.value == 0 else BelowZero.GOES_ON


def usable_keys(cache: Any, keys: tuple[Any, ...]) -> list[Any]:
    """Return those of ``keys`` that the backend takes."""
    return [key for key in keys if _returns(cache, key, "v")]


def usable_values(cache: Any, values: tuple[Any, ...]) -> list[Any]:
    """Return those of ``values`` that the backend returns as they were."""
    return [value for value in values if _returns(cache, "k", value)]


def _returns(cache: Any, key: Any, value: Any) -> bool:
    try:
        cache.set(key, value, 60)
        return same(cache.get(key), value)
    except Exception:
        return False
