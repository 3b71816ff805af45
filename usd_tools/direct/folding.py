# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations worked out where that can be done beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from .records import Animated, Constant, Expression, Operation, Plain, width

Numbers = tuple[float, ...]

REC709 = (0.2126, 0.7152, 0.0722)
"""Weights of the luminance, as Blender makes a number of a colour."""

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "modulo": lambda a, b: a % b,
    "min": min,
    "max": max,
    "mix": lambda below, above, share: below * (1 - share) + above * share,
    "clamp": lambda a: min(max(a, 0.0), 1.0),
    "absval": abs,
    "acos": math.acos,
    "asin": math.asin,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "ln": math.log,
    "round": round,
    "sign": lambda a: float((a > 0) - (a < 0)),
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
# What changes nothing as the second argument.
_NEUTRAL = {"add": 0.0, "subtract": 0.0, "multiply": 1.0, "divide": 1.0, "power": 1.0}


def folded(name: str, *arguments: Expression) -> Expression:
    """An operation: a constant where all is constant, and nothing that changes nothing.

    See :class:`.records.Operation` for the names.
    """
    plains = [each for each in arguments if isinstance(each, Plain)]
    if len(plains) == len(arguments) and name in _FUNCTIONS:
        try:
            return mapped(partial(_each_channel, _FUNCTIONS[name]), *plains)
        except (ArithmeticError, ValueError):  # one divided by 0 stays as it is
            pass
    if name in ("add", "multiply") and isinstance(arguments[0], Constant):
        arguments = arguments[::-1]
    first, last = arguments[0], arguments[-1]
    if name in _NEUTRAL and _is(last, _NEUTRAL[name]):
        return first
    if name == "mix" and (_is(last, 0.0) or _is(last, 1.0)):
        return arguments[int(_is(last, 1.0))]
    if name == "multiply" and isinstance(first, Operation) and first.name == "multiply":
        inner = first.arguments[-1]
        if isinstance(inner, Constant) and isinstance(last, Constant):
            return folded("multiply", first.arguments[0], folded("multiply", inner, last))
    return Operation(name, tuple(arguments), max(width(each) for each in arguments))


def channel(expression: Expression, index: int) -> Expression:
    """One channel of a colour; of a number, the number."""
    if isinstance(expression, Plain):
        return mapped(lambda value: (value[min(index, len(value) - 1)],), expression)
    if width(expression) == 1:
        return expression
    if isinstance(expression, Operation) and expression.name == "combine":
        return expression.arguments[index]
    return Operation("extract", (expression, Constant((float(index),))), 1)


def combined(channels: tuple[Expression, Expression, Expression]) -> Expression:
    """A colour of its channels."""
    numbers = [each.value[0] for each in channels if isinstance(each, Constant)]
    if len(numbers) == 3:
        return Constant(tuple(numbers))
    first = channels[0]
    if isinstance(first, Operation) and first.name == "extract":
        whole = first.arguments[0]
        if channels == tuple(channel(whole, index) for index in range(3)):
            return whole
    return Operation("combine", channels, 3)


def luminance(expression: Expression) -> Expression:
    """The number that Blender makes of a colour; of a number, the number."""
    if width(expression) == 1:
        return expression
    if isinstance(expression, Plain):
        return mapped(lambda color: (gray(color),), expression)
    return Operation("luminance", (expression,), 1)


def gray(color: Numbers) -> float:
    """The luminance of a colour."""
    return sum(value * weight for value, weight in zip(color, REC709, strict=True))


def worked(function: Callable[[float, float], float], one: Plain, other: Plain) -> Plain:
    """A function of two numbers, for each channel; a single number is that of all channels."""
    return mapped(partial(_each_channel, function), one, other)


def mapped(function: Callable[..., Numbers], *plains: Plain) -> Plain:
    """A function of all channels, at each frame."""
    moving = next((each for each in plains if isinstance(each, Animated)), None)
    if moving is None:
        return Constant(function(*(each.value for each in plains if isinstance(each, Constant))))
    count = len(moving.frames)
    rows = (e.values if isinstance(e, Animated) else (e.value,) * count for e in plains)
    return Animated(moving.frames, tuple(function(*row) for row in zip(*rows, strict=True)))


def _each_channel(function: Callable[..., float], *values: Numbers) -> Numbers:
    count = max(len(value) for value in values)
    columns = zip(*(value * (count // len(value)) for value in values), strict=True)
    return tuple(float(function(*column)) for column in columns)


def _is(expression: Expression, value: float) -> bool:
    return isinstance(expression, Constant) and set(expression.value) == {value}
