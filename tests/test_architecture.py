"""The import rules of the package, read from its source: what stands on which floor, and who may know whom."""

import ast
import importlib
import re
import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
from setuptools import find_packages

from skrnn import SUBMODULES

ROOT = Path(__file__).parents[1] / "skrnn"
# An import goes to a floor further up in this list, or stays in its own part of the package; "" is skrnn itself.
FLOORS = [
    {"_messages", "_public", "_runtime", "_version", "_warnings"}, {"exceptions", "kernels"}, {"_plain", "_sklearn"},
    {"_parameters", "_pickling"}, {"_data"}, {"_network"}, {"_training"}, {"preprocessing", "_estimators"},
    {"_language", "datasets", "metrics"}, {"forecasting"}, {"_storage", "convert", "export", "inspection"},
    {"dask"}, {""},
]
# What is public, by module
PUBLIC = {
    module: importlib.import_module(module).__all__ for module in ("skrnn", *(f"skrnn.{name}" for name in SUBMODULES))
}
# The only part that may know what scikit-learn does not document
PRIVATE_API = "_sklearn"
# An attribute by which scikit-learn knows an estimator: it is private to no part
PROTOCOL = {"_parameter_constraints"}
CYTHON_IMPORT = re.compile(
    r"""^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+c?import[ \t]+(?:\((?P<inside>[^)]*)\)|(?P<names>[^(\n#]+))
    |c?import[ \t]+(?P<modules>[\w., \t]+)|include[ \t]+["'](?P<include>[^"']+)["'])""",
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Use:
    """A name of another module, imported or read as its attribute."""

    user: str       # module that uses it
    line: int
    module: str     # where it comes from
    name: str       # empty for the module as a whole

    def __str__(self):
        return f"{self.user}:{self.line} uses {self.module}{'.' * bool(self.name)}{self.name}"


def is_private(name):
    return name.startswith("_") and not name.endswith("__")


class Package:
    """The modules of a package, and what they use of each other and of scikit-learn, all read from its source."""

    def __init__(self, root):
        self.root = root
        self.files = {self.module_name(path): path for path in sorted(root.rglob("*")) if self.is_source(path)}
        self.uses = [use for name in self.files for use in self.uses_of(name)]

    @staticmethod
    def is_source(path):
        return path.suffix in {".py", ".pyx", ".pxd", ".pxi"}

    def module_name(self, path):
        """Dotted; an included file, which is no module, keeps its suffix."""
        parts = path.relative_to(self.root.parent).parts
        if path.suffix == ".pxi":
            return ".".join(parts)
        return ".".join([*parts[:-1], path.stem]).removesuffix(".__init__")

    def part(self, module):
        """The sub-package, or the module beside them, that a module is in."""
        return module.split(".")[1] if "." in module else ""

    def uses_of(self, name):
        path = self.files[name]
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            yield from self.uses_in_python(name, ast.parse(text), path.name == "__init__.py")
        else:
            yield from self.uses_in_cython(name, text, path)

    def uses_in_python(self, user, tree, is_package):
        aliases = {}    # local name -> dotted path of a module, or of a name in one
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield self.use(user, node.lineno, alias.name)
                    aliases[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if node.level:
                    base = user.split(".")[: len(user.split(".")) - node.level + is_package]
                    module = ".".join([*base, *module.split(".")] if module else base)
                for alias in node.names:
                    yield self.use(user, node.lineno, f"{module}.{alias.name}")
                    aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
        for node in ast.walk(tree):
            dotted = self.dotted(node) if isinstance(node, ast.Attribute) else None
            if dotted and dotted[0] in aliases:
                yield self.use(user, node.lineno, ".".join([aliases[dotted[0]], *dotted[1:]]))

    def dotted(self, node):
        """The names of `a.b.c`, or None where it does not begin with a name."""
        if isinstance(node, ast.Name):
            return [node.id]
        before = self.dotted(node.value) if isinstance(node, ast.Attribute) else None
        return before and [*before, node.attr]

    def uses_in_cython(self, user, text, path):
        for match in CYTHON_IMPORT.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if match["include"]:
                included = self.module_name((path.parent / match["include"]).resolve())
                yield Use(user, line, included, "")
                continue
            names = match["inside"] or match["names"] or match["modules"]
            names = [name.split(" as ")[0].strip() for name in re.sub(r"#.*", "", names).split(",")]
            for name in filter(None, names):
                yield self.use(user, line, f"{match['module']}.{name}" if match["module"] else name)

    def use(self, user, line, dotted):
        """The longest beginning of a dotted path that is a module, and the rest."""
        parts = dotted.split(".")
        length = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in self.files), 0)
        if not length:      # of another package, all of whose names count
            return Use(user, line, parts[0], ".".join(parts[1:]))
        return Use(user, line, ".".join(parts[:length]), ".".join(parts[length:]))

    @property
    def internal(self):
        return [use for use in self.uses if use.module in self.files]

    def parts(self):
        return {self.part(module) for module in self.files}

    def upward(self, floors):
        """Uses of a floor above one's own, or of another part of the same floor."""
        floor = {part: number for number, parts in enumerate(floors) for part in parts}
        return [
            use for use in self.internal
            if (user := self.part(use.user)) != (used := self.part(use.module)) and floor[used] >= floor[user]
        ]

    def circle(self):
        """The modules of a circle of imports, if there is one."""
        graph = {module: set() for module in self.files}
        for use in self.internal:
            if use.module != use.user:
                graph[use.user].add(use.module)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            return error.args[1]
        return None

    def foreign_private(self):
        """Uses of underscore names across the border of a sub-package, which may have an underscore itself."""
        return [
            use for use in self.internal
            if self.part(use.user) != self.part(use.module)
            and any(map(is_private, {*use.module.split(".")[2:], *use.name.split(".")} - PROTOCOL))
        ]

    def private_api(self, of, allowed):
        """Uses of another package's underscore modules and names outside of the module that may."""
        return [
            use for use in self.uses
            if use.module == of and self.part(use.user) != allowed and any(map(is_private, use.name.split(".")))
        ]


@pytest.fixture(scope="module")
def package():
    return Package(ROOT)


class TestImports:
    def test_every_part_has_a_floor_and_every_floor_is_there(self, package):
        assert package.parts() == set.union(*FLOORS)

    def test_go_downwards(self, package):
        assert not [str(use) for use in package.upward(FLOORS)]

    def test_form_no_circle(self, package):
        assert package.circle() is None

    def test_leave_alone_what_another_part_keeps_to_itself(self, package):
        assert not [str(use) for use in package.foreign_private()]

    def test_the_private_api_of_scikit_learn_is_known_to_one_part(self, package):
        assert not [str(use) for use in package.private_api("sklearn", PRIVATE_API)]
        assert any(use.module == "sklearn" and package.part(use.user) == PRIVATE_API for use in package.uses)

    def test_are_found_at_all(self, package):
        """In every kind of file."""
        assert {package.files[use.user].suffix for use in package.internal} >= {".py", ".pyx"}
        assert package.part("skrnn.kernels.engine.pxi") == "kernels"
        included = {use.module for use in package.internal if use.module.endswith(".pxi")}
        assert included == {name for name in package.files if name.endswith(".pxi")}


class TestWalker:
    """What it finds in a package made for it."""

    floors = ({"low"}, {"high", "beside"}, {""})
    clean: ClassVar = {
        "__init__.py": "from made.high import thing\n",
        "low/__init__.py": "",
        "low/base.py": "_own = 1\ndef function():\n    pass\n",
        "low/other.py": "from made.low.base import _own, function\n",
        "low/fast.pyx": (
            "from libc.math cimport (\n    exp, log)\nfrom made.low.base import function\ninclude 'part.pxi'\n"
        ),
        "low/part.pxi": "cdef int x\n",
        "high/__init__.py": "from made.high.thing import thing\n",
        "high/thing.py": (
            "from made.low import base\nfrom sklearn import base as b\nthing = base.function, b.BaseEstimator\n"
        ),
        "beside/__init__.py": "",
    }

    def findings(self, folder, name="", text=""):
        """Numbers of upward uses, modules in a circle, foreign private names, private names of scikit-learn."""
        files = {name: text} if name else {}
        for path, content in (self.clean | files).items():
            path = folder / "made" / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        package = Package(folder / "made")
        return (
            len(package.upward(self.floors)), len(package.circle() or ()), len(package.foreign_private()),
            len(package.private_api("sklearn", "low")),
        )

    def test_finds_nothing_where_nothing_is(self, tmp_path):
        assert self.findings(tmp_path) == (0, 0, 0, 0)

    @pytest.mark.parametrize(("name", "text", "expected"), [
        # upwards, at the top of a module, in a function, relative, by attribute, in Cython
        ("low/new.py", "from made.high.thing import thing", (1, 0, 0, 0)),
        ("low/new.py", "def f():\n    from ..high import thing", (1, 0, 0, 0)),
        ("low/new.py", "import made.high.thing as t", (1, 0, 0, 0)),
        ("low/new.py", "from made import thing", (1, 0, 0, 0)),
        ("low/new.pyx", "cimport made.high.thing", (1, 0, 0, 0)),
        ("low/part.pxi", "from made.high cimport thing", (1, 0, 0, 0)),
        # to the other part of one's floor
        ("beside/new.py", "from made.high.thing import thing", (1, 0, 0, 0)),
        # in a circle, which is named from its first module to its first module
        ("low/base.py", "from made.low import other", (0, 3, 0, 0)),
        ("low/base.py", "def f():\n    from . import other", (0, 3, 0, 0)),
        ("low/part.pxi", "from made.low import fast", (0, 3, 0, 0)),
        # private names: imported, as attributes of a module or of a name, private modules
        ("high/new.py", "from made.low.base import _own", (0, 0, 1, 0)),
        ("high/new.py", "from made.low import base\nbase._own", (0, 0, 1, 0)),
        ("high/new.py", "import made.low.base\nprint(made.low.base._own)", (0, 0, 1, 0)),
        ("high/new.py", "from made.low.base import function\nfunction._cache.clear()", (0, 0, 2, 0)),
        ("high/new.pyx", "from made.low.base import (\n    function,  # a\n    _own as own)", (0, 0, 1, 0)),
        ("high/new.py", "from made.low.base import function\nfunction.__name__", (0, 0, 0, 0)),
        # scikit-learn's private modules and names
        ("high/new.py", "from sklearn.utils._param_validation import Interval", (0, 0, 0, 1)),
        ("high/new.py", "from sklearn.base import BaseEstimator, _fit_context", (0, 0, 0, 1)),
        ("high/new.py", "import sklearn.utils\nsklearn.utils._metadata_requests", (0, 0, 0, 1)),
        ("low/new.py", "from sklearn.base import _fit_context", (0, 0, 0, 0)),
    ])
    def test_finds_what_breaks_a_rule(self, tmp_path, name, text, expected):
        assert self.findings(tmp_path, name, text) == expected


# What users are shown, and write themselves
SHOWN = [
    *sorted((ROOT.parent / "examples").glob("*.py")), ROOT.parent / "README.md",
    *sorted((ROOT.parent / "docs").rglob("*.md")), *sorted((ROOT.parent / "tests/typing").glob("*.py")),
]


def code_of(path):
    """The Python code of a file, or of the blocks of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    return text


def not_public(package, code):
    """The private names that code uses: of skrnn whatever is in no `__all__`, of others those with an underscore."""
    tree = ast.parse(code)
    for use in package.uses_in_python("code", tree, False):
        if use.module in package.files:
            names = {*PUBLIC[use.module], "__all__", ""} if use.module in PUBLIC else ()
            if use.name.partition(".")[0] not in names:
                yield f"{use.module}.{use.name}"
    for node in ast.walk(tree):
        of_itself = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in ("self", "cls")
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not of_itself:
            yield node.attr


class TestPublicNames:
    """What is public is what the API reference lists, and that is what the public modules list in `__all__`."""

    def test_the_reference_lists_all_public_modules(self):
        page = (ROOT.parent / "docs/api/index.md").read_text(encoding="utf-8")
        listed = re.findall(r"^\.\. public-api:: (\S+)$", page, re.MULTILINE)
        assert sorted(listed) == sorted(PUBLIC)

    @pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.relative_to(ROOT.parent).as_posix())
    def test_what_users_are_shown_uses_no_other_names(self, package, path):
        assert [*not_public(package, code_of(path))] == []

    def test_code_is_found(self):
        assert len([path for path in SHOWN if "skrnn" in code_of(path)]) > 40

    @pytest.mark.parametrize(("code", "found"), [
        ("from skrnn import RNNClassifier, dask\nfrom skrnn.dask import DaskRNNClassifier", []),
        ("import skrnn\nskrnn.dask.DaskRNNClassifier\nskrnn.__version__\nskrnn.load('net').predict", []),
        ("class A:\n    def f(self):\n        return self._x", []),
        ("from skrnn._data.ragged import RaggedArray", ["skrnn._data.ragged.RaggedArray"]),
        ("from skrnn.metrics import TargetRows", ["skrnn.metrics.TargetRows"]),
        ("import skrnn.kernels as k\nk.CELLS", ["skrnn.kernels.", "skrnn.kernels.CELLS"]),
        ("import skrnn\nskrnn.SUBMODULES", ["skrnn.SUBMODULES"]),
        ("net.fit(X, y)._fitted.model", ["_fitted"]),
    ])
    def test_private_names_are_found(self, package, code, found):
        assert [*not_public(package, code)] == found


def test_packages_and_compiled_modules_are_found(package):
    """Every folder with source is a package that is installed, and everything that is to be compiled has been."""
    folders = {path.parent.relative_to(ROOT.parent) for path in package.files.values() if path.suffix == ".py"}
    assert {".".join(folder.parts) for folder in folders} == set(find_packages(ROOT.parent, include=["skrnn*"]))
    for name, path in package.files.items():
        if path.suffix == ".pyx" and name != "skrnn.kernels._kernels":      # built under other names
            assert find_spec(name).origin.endswith(tuple(EXTENSION_SUFFIXES)), name


@pytest.mark.parametrize("module", PUBLIC)
def test_completion_lists_what_is_public(module):
    found = importlib.import_module(module)
    names = {*PUBLIC[module], *(SUBMODULES if module == "skrnn" else ())}
    assert set(dir(found)) == names
    assert all(hasattr(found, name) for name in names)


@pytest.mark.slow
def test_submodules_are_there_without_an_import():
    code = (
        "import sys, skrnn\n"
        "assert callable(skrnn.preprocessing.SlidingWindow) and callable(skrnn.datasets.load_co2)\n"
        "for name in ('nothing', 'find_specs'):\n"
        "    assert not hasattr(skrnn, name)\n"
        "assert skrnn.inspection.TrainingDisplay\n"
        "assert not {'dask', 'distributed', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
