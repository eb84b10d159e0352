"""Evaluate expressions of columns, in the syntax of `pandas.eval`.

The syntax tree is evaluated node by node and allows only numbers, columns, operators and a few functions, so
that an expression cannot run other code.
"""

from __future__ import annotations

import ast
import io
import operator
import re
import tokenize
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError
from scaling.tables.written import floats

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
_TESTS: dict[str, Callable[[Any], Any]] = {"isna": pd.isna, "notna": pd.notna}


def evaluate(text: str, frame: pd.DataFrame) -> Any:
    """Evaluate a column name or an expression over `frame` and return a Series or a number.

    A text that equals a column name is that column, even if it contains operators; within an expression such
    a name is written in backticks. Allowed are numbers, text, columns, + - * / // % **, comparisons, in, and,
    or, not; the functions `log` (natural), `log2`, `log10`, `exp`, `sqrt` and `abs` of one value; and `isna`
    and `notna` of a column. Text that spells a number, such as 22.8M, is used as that number.

    Raises TableError for an unknown column, with the nearest names; for an undefined logarithm or root, with
    its row; and for any other syntax.
    """
    _worded(text)
    if text in frame.columns:
        return frame[text]
    body, names = _parsed(text, frame)
    try:
        return _Walk(frame, names, short(text)).value(body)
    except RecursionError:
        raise TableError(_deep(text)) from None


def named(text: str, frame: pd.DataFrame) -> set[str]:
    """Return the names of columns that an expression reads. Raises TableError for any other syntax."""
    _worded(text)
    if text in frame.columns:
        return {text}
    body, names = _parsed(text, frame)
    return {names.get(node.id, node.id) for node in ast.walk(body) if isinstance(node, ast.Name)}


def _worded(text: Any) -> None:
    if not isinstance(text, str):
        raise TableError(f"an expression is given as a {type(text).__name__}; {_HELP}")


def _parsed(text: str, frame: pd.DataFrame) -> tuple[ast.expr, dict[str, str]]:
    """Return the syntax tree of an expression, and the column behind each name that stands for backticks."""
    if len(text) > LONGEST:
        raise TableError(
            f"the expression {short(text)} has {len(text)} characters; write at most {LONGEST}, or add a "
            "column to the table"
        )
    names: dict[str, str] = {}
    # a name that stands for a column in backticks must not be one that the text can write itself
    prefix = next(f"_{'_' * n}column" for n in range(LONGEST) if f"_{'_' * n}column" not in text)

    def stand_in(match: re.Match[str]) -> str:
        name = f"{prefix}{len(names)}_"
        names[name] = match.group(1)
        return name

    try:
        plain = _and_or(re.sub(r"`([^`]*)`", stand_in, text))
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, tokenize.TokenError):
        raise TableError(
            missing(text, frame)
            if re.fullmatch(r"[\w .-]+", text)
            else f"{short(text)} is not an expression; {_HELP}"
        ) from None
    except (RecursionError, MemoryError):
        raise TableError(_deep(text)) from None
    return tree.body, names


LONGEST = 10_000
"""Most characters of an expression."""


def short(text: str) -> str:
    """Return a text in quotes, without its middle if it is long."""
    return repr(text) if len(text) <= 200 else f"{text[:60]!r} … {text[-20:]!r}"


def _deep(text: str) -> str:
    return (
        f"the expression {short(text)} is nested too deep; write a shorter one, or add a column to the table"
    )


_HELP = 'write a column name, or arithmetic such as "flops / (6 * params)", with unusual names in backticks'


def missing(name: str, frame: pd.DataFrame) -> str:
    """Return the error message for an unknown column."""
    columns = [str(c) for c in frame.columns]
    lower = {c.lower(): c for c in columns}
    near = [lower[c] for c in get_close_matches(name[:200].lower(), list(lower), n=3, cutoff=0.5)]
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else "; give one of these"
    shown = ", ".join(columns[:12]) + (", …" if len(columns) > 12 else "")
    return f"the table has no column {short(name)}; it has {shown}{hint}"


def _and_or(plain: str) -> str:
    """Replace & and | by `and` and `or`, which bind more weakly, as in pandas.

    Otherwise Python would read `a > 1 & b < 2` as a > (1 & b) < 2.
    """
    words = {"&": "and", "|": "or"}
    tokens = tokenize.generate_tokens(io.StringIO(plain).readline)
    return " ".join(words.get(token.string, token.string) for token in tokens).strip()


class _Walk:
    """An evaluator of the allowed nodes of a syntax tree."""

    def __init__(self, frame: pd.DataFrame, names: dict[str, str], text: str) -> None:
        self.frame, self.names, self.text = frame, names, text

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | bool):
            # As floats, 9 ** 9 ** 9 overflows at once; as integers it would compute for years.
            number = node.value
            return self._guard(lambda: float(number) if type(number) is int else number)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._backticked(node.value)
        if isinstance(node, ast.Name):
            name = self.names.get(node.id, node.id)
            if name not in self.frame.columns:
                raise TableError(missing(name, self.frame))
            return self.frame[name]
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            sides = _alike(self.value(node.left), self.value(node.right))
            if not isinstance(node.op, ast.Add):  # text is only joined: % would format it, * repeat it
                self._calculable(*sides)
            return self._guard(partial(_BINARY[type(node.op)], *sides))
        if isinstance(node, ast.UnaryOp):
            inner = self.value(node.operand)
            if isinstance(node.op, ast.USub | ast.UAdd):
                inner = _numbers(inner)
                return self._guard(lambda: -inner if isinstance(node.op, ast.USub) else inner)
            return self._guard(lambda: ~self._truth(inner))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(self.value(part)) for part in node.values]
            result = parts[0]
            for part in parts[1:]:
                result = result & part if isinstance(node.op, ast.And) else result | part
            return result
        if isinstance(node, ast.List | ast.Tuple):
            return [self.value(part) for part in node.elts]
        if isinstance(node, ast.Call):
            return self._call(node)
        kinds = {
            ast.Attribute: "an attribute",
            ast.Subscript: "a subscript",
            ast.Lambda: "a lambda",
        }
        what = kinds.get(type(node), "something other than columns and arithmetic")
        raise TableError(f"the expression {self.text} contains {what}, which is not allowed; {_HELP}")

    def _call(self, node: ast.Call) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS and name not in _TESTS:
            raise TableError(
                f"the expression {self.text} calls a function that is not allowed; use "
                f"{', '.join((*_FUNCTIONS, *_TESTS))}; {_HELP}"
            )
        if len(node.args) != 1 or node.keywords:
            raise TableError(f"{name} in the expression {self.text} takes one value, such as {name}(loss)")
        inner = self.value(node.args[0])
        if name in _TESTS:
            if not isinstance(inner, pd.Series):
                raise TableError(f"{name} in the expression {self.text} takes a column, such as {name}(loss)")
            return _TESTS[name](inner)
        inner = _numbers(inner)
        self._calculable(inner)
        with np.errstate(all="ignore"):
            result = self._guard(lambda: _FUNCTIONS[name](inner))
        before, after = np.atleast_1d(inner), np.atleast_1d(result)
        lost = np.flatnonzero(~np.isfinite(after) & np.isfinite(before))
        if len(lost):
            raise TableError(
                f"{name} of {before[lost[0]]:g} in row {lost[0] + 1} is not a finite number in the "
                f"expression {self.text}; correct that row, or leave it out with --where"
            )
        return result

    def _compare(self, node: ast.Compare) -> Any:
        left, result = self.value(node.left), None
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator)
            if isinstance(op, ast.In | ast.NotIn):
                if not isinstance(left, pd.Series) or not isinstance(right, list):
                    raise TableError(
                        f"the expression {self.text} uses in without a column and a list; write for example "
                        "family in ['a', 'b']"
                    )
                inside = self._guard(partial(left.isin, right))
                part = inside if isinstance(op, ast.In) else ~inside
            elif type(op) in _COMPARE:
                part = self._guard(partial(_COMPARE[type(op)], *_alike(left, right)))
            else:
                raise TableError(
                    f"the expression {self.text} has a comparison that is not allowed; use == != < <= > >= in"
                )
            result = part if result is None else self._guard(partial(operator.and_, result, part))
            left = right
        return result

    def _calculable(self, *values: Any) -> None:
        if any(map(_text, values)):
            raise TableError(
                f"the expression {self.text} cannot be computed (it calculates with text); check that its "
                "columns are numbers"
            )

    def _backticked(self, text: str) -> str:
        """Return a text constant with the backticks that stood in it."""
        for name, column in self.names.items():
            text = text.replace(name, f"`{column}`")
        return text

    def _guard(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except (TypeError, ValueError, ArithmeticError, NotImplementedError, MemoryError) as error:
            raise TableError(
                f"the expression {self.text} cannot be computed ({error}); check that its columns are numbers"
            ) from None

    def _truth(self, value: Any) -> Any:
        if not (isinstance(value, pd.Series) and pd.api.types.is_bool_dtype(value)):
            raise TableError(
                f"the expression {self.text} combines a value that is not true or false; write a "
                "comparison, such as loss < 4"
            )
        return value


def _text(value: Any) -> bool:
    """Return whether a value is text, a list, or a column that is not all numbers."""
    if isinstance(value, pd.Series):
        return not pd.api.types.is_numeric_dtype(value)
    return not isinstance(value, int | float | np.number)


def _numbers(value: Any) -> Any:
    """Return a text column as numbers if all its values are numbers; return any other value unchanged."""
    if not isinstance(value, pd.Series) or pd.api.types.is_numeric_dtype(value):
        return value
    found = floats(value)
    return found if found.isna().equals(value.isna()) else value


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Return both operands as numbers if both can be; otherwise return both unchanged."""
    found = _numbers(left), _numbers(right)
    both = all(
        pd.api.types.is_number(v) or pd.api.types.is_numeric_dtype(getattr(v, "dtype", object)) for v in found
    )
    return found if both else (left, right)
