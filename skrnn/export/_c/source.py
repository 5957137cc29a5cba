"""A file of C99 in the making: sizes, a state, arrays of constants, functions.

Functions that nets share are in `templates/`, one a file, as C that begins with ``net_``: in its place comes the name
of the net. Which of them a file needs is seen from its calls.
"""

import re
from functools import cache
from importlib.resources import files
from textwrap import wrap

import numpy as np

from skrnn.exceptions import ExportError

MAX_WIDTH = 120
LITERALS_PER_LINE = {"float": 7, "double": 4}
TEMPLATES = files(__package__) / "templates"
NAME = re.compile(r"\bnet_(\w+)")
PREFIX = re.compile(r"\b(net|NET)_")
# What in a comment is read as its end, another one's beginning, or a trigraph
BEGINS_OR_ENDS = re.compile(r"(\*(?=/)|/(?=\*)|\?(?=\?))")
KEPT = "\0"     # before the underscore of a prefix in text of the user


@cache
def templates():
    """The text of each template, by its name."""
    paths = [*TEMPLATES.iterdir(), *(TEMPLATES / "cells").iterdir()]
    return {path.name[:-2]: path.read_text(encoding="utf-8") for path in paths if path.name.endswith(".c")}


class Function:
    """A function that a net has to itself.

    Parameters
    ----------
    head : str
        Its declaration, without a semicolon.
    comment : str
        What it does.
    """

    def __init__(self, head, comment):
        self.head, self.comment, self.locals, self.lines = head, comment, [], []

    def array(self, name, n):
        """An array of n numbers of its own; its name."""
        self.locals.append(f"net_real {name}[{n}];")
        return name

    def do(self, function, *arguments):
        """A call of a function, as a statement."""
        self.say(f"net_{function}({', '.join(map(str, arguments))});")

    def say(self, *lines):
        """Lines of C."""
        self.lines += lines

    @property
    def body(self):
        """Its definition, without its comment."""
        return "\n".join([self.head, "{", *(f"    {line}" for line in self.locals + self.lines), "}"])


class Source:
    """A file of C.

    Parameters
    ----------
    dtype : dtype
        float32 or float64, of ``net_real``.
    """

    def __init__(self, dtype):
        self.dtype, self.real = np.dtype(dtype), "float" if dtype == np.float32 else "double"
        self.sizes, self.members, self.constants, self.internal, self.exported = {}, [], [], [], []

    def member(self, name, n=None):
        """A number of the state, or n of them; how functions call it."""
        self.members.append(name if n is None else f"{name}[{n}]")
        return f"s->{name}"

    def function(self, head, comment, *, exported=False):
        """A `Function` that comes after those that there are."""
        function = Function(head, comment)
        (self.exported if exported else self.internal).append(function)
        return function

    def number(self, value, what):
        """A literal; `what` is what messages call it."""
        return self._literals(value, what)[0]

    def constant(self, name, values, comment):
        """An array of constants; how functions call it."""
        literals = self._literals(values, comment)
        n = LITERALS_PER_LINE[self.real]
        rows = [", ".join(literals[i : i + n]) for i in range(0, len(literals), n)]
        lines = [comment_of(verbatim(comment)), f"static const net_real net_{name}[{len(literals)}] = {{"]
        self.constants.append("\n".join([*lines, *(f"    {row}," for row in rows), "};"]))
        return f"net_{name}"

    def _literals(self, values, what):
        """The shortest literals of values that are read as these; an ExportError for those that C cannot hold."""
        with np.errstate(over="ignore"):
            numbers = np.ravel(values).astype(self.dtype)
        if not np.isfinite(numbers).all():
            raise ExportError(f"{what} is too large for {self.dtype}; export the net with dtype='float64'")
        return [f"{number!s}f" if self.real == "float" else str(number) for number in numbers]

    def text(self, name, about):
        """The file.

        Parameters
        ----------
        name : str
            In the place of ``net``.
        about : list of str
            Lines of the comment at its beginning.
        """
        internal = [f"{comment_of(function.comment)}\nstatic {function.body}" for function in self.internal]
        own = [*internal, *(function.body for function in self.exported)]
        parts = [
            comment_of(*about), "#ifndef NET_H\n#define NET_H", *self._declarations(), "#endif",
            "#ifndef NET_DECLARATIONS", "#include <math.h>\n#include <string.h>", templates()[self.real].rstrip(),
            *shared_functions("\n".join(own)), *self.constants, *own, "#endif",
        ]
        text = PREFIX.sub(lambda match: f"{name if match[1] == 'net' else name.upper()}_", "\n\n".join(parts) + "\n")
        return text.replace(KEPT, "")

    def _declarations(self):
        members = "".join(f"    net_real {member};\n" for member in self.members)
        return [
            "\n".join(f"#define NET_{size} {n}" for size, n in self.sizes.items()), f"typedef {self.real} net_real;",
            f"typedef struct {{\n{members}}} net_state;", '#ifdef __cplusplus\nextern "C" {\n#endif',
            *(f"{comment_of(function.comment)}\n{function.head};" for function in self.exported),
            "#ifdef __cplusplus\n}\n#endif",
        ]


def shared_functions(text):
    """The templates that C calls, each after those that it calls itself."""
    found, visited = [], set()

    def visit(text):
        for name in NAME.findall(text):
            if name in templates() and name not in visited:
                visited.add(name)
                visit(templates()[name])
                found.append(templates()[name].rstrip())

    visit(text)
    return found


def verbatim(text):
    """Text of the user, in which no name of the net comes in the place of anything."""
    return PREFIX.sub(rf"\1{KEPT}_", text)


def comment_of(*lines):
    """A comment of lines of text, in ASCII and without what would end it, or a trigraph."""
    lines = [BEGINS_OR_ENDS.sub(r"\1 ", line) for line in lines]
    lines = [line.encode("ascii", "backslashreplace").decode() for line in lines]
    wrapped = [
        part for line in lines
        for part in wrap(line, MAX_WIDTH - 6, subsequent_indent=" " * (len(line) - len(line.lstrip()))) or [""]
    ]
    return "/* " + "\n".join(f"   {line}".rstrip() for line in wrapped).lstrip() + " */"
