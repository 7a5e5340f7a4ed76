"""Every mutant of a module: its text with one expression or statement replaced.

The operators are those that mutation tools share (comparisons, arithmetic, ``and``/``or``,
conditions, numbers, ``break``/``continue``), and two that the adversarial loop needs: a statement
without effect on a name is deleted, and a keyword argument falls back to its default. What no test
could notice is left alone: annotations, decorators, assertions, and the texts of errors.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

UNTOUCHED = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)
UNTOUCHED_FIELDS = ("annotation", "returns", "decorator_list")
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
PORTABLE = ("encoding", "strict")
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """A module with the bytes from ``start`` to ``end`` replaced: ``old`` by ``new``.

    ``path`` is relative to the root of the tree, ``scope`` the function or class, and ``line`` the
    source line, stripped, in which it begins at ``column``.
    """

    path: str
    scope: str
    line: str
    column: int
    start: int
    end: int
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The mutated text of the module's ``source``."""
        content = source.encode()
        return (content[: self.start] + self.new.encode() + content[self.end :]).decode()

    def diff(self, source: str) -> str:
        """What is replaced, as a unified diff."""
        before, after = source.splitlines(), self.apply(source).splitlines()
        return "\n".join(unified_diff(before, after, self.path, self.path, lineterm="", n=1))

    def rank(self, seed: int, *, place: bool = False) -> str:
        """Where a draw has it: by its text, so that a move or a change elsewhere draws no other."""
        replaced = "" if place else self.new
        text = "\0".join((str(seed), self.scope, self.line, str(self.column), self.old, replaced))
        return hashlib.sha256(text.encode()).hexdigest()


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of the source."""
    lines = source.splitlines()
    starts = [0]
    for line in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for node, scope in _nodes(ast.parse(source), ""):
        for target, new in _replacements(node):
            start = starts[target.lineno - 1] + target.col_offset
            assert target.end_lineno is not None
            assert target.end_col_offset is not None
            end = starts[target.end_lineno - 1] + target.end_col_offset
            old = source.encode()[start:end].decode()
            line = lines[target.lineno - 1]
            column = target.col_offset - (len(line) - len(line.lstrip()))
            found.append(Mutant(path, scope, line.strip(), column, start, end, old, new))
    return found


def draw(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw ``count`` places of the source, and one mutant of each."""
    ranked = sorted(mutants, key=lambda one: (one.rank(seed, place=True), one.rank(seed)))
    of_places = {(one.path, one.start, one.end): one for one in reversed(ranked)}
    return sorted(of_places.values(), key=lambda one: one.rank(seed, place=True))[:count]


def mutants_in(root: Path, paths: list[str]) -> list[Mutant]:
    """Every mutant of some modules below ``root``."""
    return [one for path in paths for one in mutants_of(path, (root / path).read_text("utf-8"))]


def _nodes(node: ast.AST, scope: str) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, UNTOUCHED) or (isinstance(node, ast.keyword) and node.arg in PORTABLE):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "VERSION":
        return  # of a stage: any other number is as good
    yield node, scope
    if isinstance(node, ast.Raise):  # the message is no behaviour that a test should pin
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}".lstrip(".")
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child, scope)


def _replacements(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """The nodes to replace where ``node`` stands, and the text in their place."""
    match node:
        case ast.Compare(ops=[operator]):
            for other in COMPARISONS[type(operator)]:
                yield node, _changed(node, ops=[other()])
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _of_text(node):
            yield node, _changed(node, op=ARITHMETIC[type(node.op)]())
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, _changed(node, op=other)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.If() | ast.While() | ast.IfExp():
            yield node.test, f"(not ({ast.unparse(node.test)}))"
        case ast.comprehension():
            for test in node.ifs:
                yield test, f"(not ({ast.unparse(test)}))"
        case ast.Constant():
            yield from ((node, text) for text in _other_constants(node.value))
        case ast.Name(ctx=ast.Load(), id=name) if name in NAMES:
            yield node, NAMES[name]
        case ast.Call():
            yield from ((node, text) for text in _with_a_default(node))
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"
        case ast.stmt() if _only_acts(node):
            yield node, "pass"


def _changed(node: ast.expr, **fields: object) -> str:
    other = deepcopy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return f"({ast.unparse(other)})"


def _other_constants(value: object) -> list[str]:
    match value:
        case bool():
            return [str(not value)]
        case int():
            return [str(value + 1), f"({value - 1})"]
        case float():
            return [str(value + 1), str(value / 2)] if value else ["1.0"]
        case _:
            return []


def _with_a_default(call: ast.Call) -> Iterator[str]:
    """The call without one of its keyword arguments, but those that only another machine needs."""
    for index, keyword in enumerate(call.keywords):
        if keyword.arg not in (None, *PORTABLE):
            kept = call.keywords[:index] + call.keywords[index + 1 :]
            yield ast.unparse(ast.Call(call.func, call.args, kept))


def _only_acts(statement: ast.stmt) -> bool:
    """Whether a statement binds no name, so that what follows still runs without it."""
    match statement:
        case ast.Assign(targets=targets):
            return all(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            return True
        case _:
            return False


def _of_text(node: ast.BinOp) -> bool:
    """Whether it joins texts or paths, which no other operator could; file names are constants."""
    name = ast.unparse(node.right).rpartition(".")[-1]
    return (isinstance(node.op, ast.Div) and name.isupper() and name.isidentifier()) or any(
        isinstance(one, ast.JoinedStr)
        or (isinstance(one, ast.Constant) and isinstance(one.value, str | bytes))
        or (isinstance(one, ast.BinOp) and _of_text(one))
        for one in (node.left, node.right)
    )
