"""Expressions of Tcl: text to a tree of closures, parsed once (Tcl manual, page expr)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias

from resim.common.limits import TCL_DEPTH
from resim.common.tcl.arithmetic import (
    FUNCTIONS,
    Operand,
    binary,
    finite,
    number_of,
    truth,
    wanted_integer,
    wanted_number,
)
from resim.common.tcl.values import TclError
from resim.common.tcl.words import Part, parse_text, parse_variable

Substitute: TypeAlias = Callable[[Part], str]
"""Gives the value of a variable or of a script in brackets."""
Node: TypeAlias = Callable[[Substitute], Operand]
"""A parsed expression: the way to its value."""

_SYMBOL: Final = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&^|?:!~(),])"
    r"|(?P<other>[$\[\"{]))"
)
_LEVELS: Final = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("in", "ni"), ("eq", "ne"), ("==", "!="), ("<", ">", "<=", ">="),
    ("<<", ">>"), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip
_STRENGTH: Final = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
"""How strongly binary operators bind, 0 the weakest; `**` and the unary ones bind stronger still."""
_NO_OPERATOR: Final = -1


def evaluate(text: str, substitute: Substitute) -> Operand:
    """Value of an expression.

    Args:
        text: the expression, with its variables and brackets.
        substitute: gives their values.

    Raises:
        TclError: it is wrong, has no finite value, or is too large.
    """
    return _parse(text)(substitute)


@lru_cache(maxsize=1000)
def _parse(text: str) -> Node:
    parser = _Parser(text)
    node = parser.condition()
    if parser.symbol():
        raise TclError(f'syntax error in expression "{text.strip()[:60]}"')
    return node


class _Parser:
    """Reads an expression from left to right, by the strength of its operators."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def symbol(self) -> str:
        """The next symbol without taking it; empty at the end."""
        found = _SYMBOL.match(self.text, self.at)
        if found is None:
            if self.text[self.at :].strip():
                self.fail()
            return ""
        return found[0].strip()

    def take(self) -> str:
        found = _SYMBOL.match(self.text, self.at)
        if found is None:
            self.fail()
        self.at = found.end()
        return found[0].strip()

    def fail(self) -> NoReturn:
        raise TclError(f'syntax error in expression "{self.text.strip()[:60]}"')

    def expect(self, symbol: str) -> None:
        if self.symbol() != symbol:
            self.fail()
        self.take()

    def condition(self) -> Node:
        self.depth += 1
        if self.depth > TCL_DEPTH:
            raise TclError(f"an expression is nested deeper than {TCL_DEPTH}")
        node = self.operation(0)
        if self.symbol() == "?":
            self.take()
            yes = self.condition()
            self.expect(":")
            node = _conditional(node, yes, self.condition())
        self.depth -= 1
        return node

    def operation(self, weakest: int) -> Node:
        """Operands with binary operators of at least this strength.

        It calls itself only where a stronger operator may follow, so that parentheses as deep as the limit stay far
        from Python's own limit on calls.
        """
        node = self.power()
        while (strength := self.strength()) >= weakest:
            rest = []
            while self.strength() == strength:
                rest.append((self.take(), self.operation(strength + 1)))
            node = _chain(node, tuple(rest))
        return node

    def strength(self) -> int:
        """That of the next symbol."""
        return _STRENGTH.get(self.symbol(), _NO_OPERATOR)

    def power(self) -> Node:
        operands = [self.unary()]
        while self.symbol() == "**":
            self.take()
            operands.append(self.unary())
        node = operands.pop()
        while operands:  # from right to left
            node = _chain(operands.pop(), (("**", node),))
        return node

    def unary(self) -> Node:
        signs = []
        while self.symbol() in {"-", "+", "!", "~"}:
            signs.append(self.take())
            if len(signs) > TCL_DEPTH:
                self.fail()
        node = self.operand()
        for sign in reversed(signs):
            node = _sign(sign, node)
        return node

    def operand(self) -> Node:
        symbol = self.symbol()
        if symbol == "(":
            self.take()
            node = self.condition()
            self.expect(")")
            return node
        if symbol in {"$", "[", '"', "{"}:
            return self.quoted(symbol)
        if symbol[:1].isdigit() or symbol[:1] == ".":
            value = number_of(self.take())
            return _constant(self.fail() if value is None else value)
        if not symbol[:1].isalpha():
            self.fail()
        self.take()
        return self.call(symbol) if self.symbol() == "(" else self.word(symbol)

    def word(self, name: str) -> Node:
        if name.lower() in {"true", "false", "yes", "no", "on", "off"}:
            return _constant(name)
        raise TclError(f'invalid bareword "{name[:40]}"')

    def quoted(self, symbol: str) -> Node:
        """A variable, a script, or text in quotes or braces."""
        self.at = self.text.index(symbol, self.at)
        if symbol in {"$", "["}:
            part, self.at = parse_variable(self.text, self.at)
            return lambda substitute: substitute(part)
        end = self.text.find({'"': '"', "{": "}"}[symbol], self.at + 1)
        if end < 0:
            self.fail()
        inner, self.at = self.text[self.at + 1 : end], end + 1
        if symbol == "{":
            return _constant(inner)
        parts = parse_text(inner)
        return lambda substitute: "".join(p.text if p.kind == "text" else substitute(p) for p in parts)

    def call(self, name: str) -> Node:
        self.take()
        arguments = [] if self.symbol() == ")" else [self.condition()]
        while self.symbol() == ",":
            self.take()
            arguments.append(self.condition())
        self.expect(")")
        if name not in FUNCTIONS:
            raise TclError(f'unknown math function "{name[:40]}"')
        function, counts = FUNCTIONS[name]
        if len(arguments) not in counts:
            few = len(arguments) < counts[0]
            raise TclError(f'too {"few" if few else "many"} arguments for math function "{name}"')
        return lambda substitute: finite(function, [wanted_number(node(substitute)) for node in arguments])


def _constant(value: Operand) -> Node:
    return lambda _: value


def _conditional(test: Node, yes: Node, no: Node) -> Node:
    return lambda substitute: yes(substitute) if truth(test(substitute)) else no(substitute)


def _sign(sign: str, node: Node) -> Node:
    def value(substitute: Substitute) -> Operand:
        operand = node(substitute)
        if sign == "!":
            return int(not truth(operand))
        number = wanted_number(operand)
        if sign == "~":
            return ~wanted_integer(number)
        return -number if sign == "-" else number

    return value


def _chain(first: Node, rest: tuple[tuple[str, Node], ...]) -> Node:
    """Operators of one level, from left to right; `&&` and `||` stop when the answer is known."""

    def value(substitute: Substitute) -> Operand:
        left = first(substitute)
        for operator, node in rest:
            if operator in {"&&", "||"}:
                if truth(left) == (operator == "||"):
                    return int(operator == "||")
                left = int(truth(node(substitute)))
            else:
                left = binary(operator, left, node(substitute))
        return left

    return value
