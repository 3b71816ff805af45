# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations worked out where that can be done beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable

from .records import Constant, Expression, Operation, width

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
    constants = [each.value for each in arguments if isinstance(each, Constant)]
    if len(constants) == len(arguments) and name in _FUNCTIONS:
        try:
            return Constant(_worked_out(name, constants))
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
    if isinstance(expression, Constant):
        return Constant((expression.value[min(index, len(expression.value) - 1)],))
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
    if isinstance(expression, Constant):
        pairs = zip(expression.value, REC709, strict=True)
        return Constant((sum(value * weight for value, weight in pairs),))
    return Operation("luminance", (expression,), 1)


def _worked_out(name: str, values: list[tuple[float, ...]]) -> tuple[float, ...]:
    count = max(len(value) for value in values)
    columns = zip(*(value * (count // len(value)) for value in values), strict=True)
    return tuple(float(_FUNCTIONS[name](*column)) for column in columns)


def _is(expression: Expression, value: float) -> bool:
    return isinstance(expression, Constant) and set(expression.value) == {value}
