"""The stubs say what the code does: what calls return, and which values parameters may have."""

import ast
import typing
import warnings
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType

import numpy as np
import pytest

import skrnn.dask
from skrnn._sklearn import StrOptions

PROGRAM = Path(__file__).parent / "typing/program.py"
PACKAGE = Path(skrnn.__file__).parent
ESTIMATORS = [
    skrnn.RNNClassifier, skrnn.RNNRegressor, skrnn.RNNSurvival, skrnn.RNNOutlierDetector, skrnn.RNNLanguageModel,
    skrnn.dask.DaskRNNClassifier, skrnn.dask.DaskRNNRegressor, skrnn.dask.DaskRNNLanguageModel,
    skrnn.preprocessing.SequenceScaler, skrnn.preprocessing.SequenceImputer, skrnn.preprocessing.SlidingWindow,
    skrnn.forecasting.ForecastWindows, skrnn.forecasting.SeasonalNaive, skrnn.forecasting.WindowTable,
    skrnn.forecasting.ConformalForecaster,
]


def is_of(value, kind):
    """Whether a value has a type, as type checkers write it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return True
    if hasattr(origin, "__value__"):            # NDArray since NumPy 2.5
        return is_of(value, origin.__value__[arguments])
    if origin in (typing.Union, UnionType):
        return any(is_of(value, one) for one in arguments)
    if origin is np.ndarray:
        scalar = typing.get_args(arguments[1])[0]
        return isinstance(value, np.ndarray) and (scalar is typing.Any or issubclass(value.dtype.type, scalar))
    if origin is dict:
        return type(value) is dict and all(is_of(k, arguments[0]) and is_of(v, arguments[1]) for k, v in value.items())
    if origin in (list, tuple):
        return type(value) is origin and all(is_of(one, arguments[0]) for one in value)
    return type(value) is (NoneType if kind is None else kind)


def assert_type(value, kind):
    assert is_of(value, kind), f"{value!r} is no {kind}"
    return value


@pytest.mark.parametrize(("value", "kind", "expected"), [
    (1, int, True), (True, int, False), (np.float64(1), float, False), (None, None, True), (None, float | None, True),
    ([1.0], list[float], True), ([1], list[float], False), ((1, 2), tuple[int, ...], True),
    ({"a": 1}, dict[str, int], True), ({"a": "b"}, dict[str, int], False),
    (np.zeros(2), np.typing.NDArray[typing.Any], True), ([0.0], np.typing.NDArray[typing.Any], False),
    (np.zeros(2), np.typing.NDArray[np.float64], True), (np.zeros(2, np.float32), np.typing.NDArray[np.float64], False),
])
def test_values_have_types(value, kind, expected):
    assert is_of(value, kind) == expected


@pytest.mark.slow
def test_calls_return_what_the_stubs_say(monkeypatch):
    """The program that mypy checks runs, and each of its `assert_type` is true of the value."""
    monkeypatch.setattr(typing, "assert_type", assert_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # of trainings that are too short
        exec(compile(PROGRAM.read_text(encoding="utf-8"), PROGRAM.name, "exec"), {"__name__": "__main__"})


class Stubs:
    """The constructors of the stubs, and the names that types have in them."""

    def __init__(self):
        self.aliases, self.constructors = {}, {}
        for path in PACKAGE.rglob("*.pyi"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                    self.aliases[node.target.id] = node.value
                for entry in node.body if isinstance(node, ast.ClassDef) else ():
                    if isinstance(entry, ast.FunctionDef) and entry.name == "__init__":
                        self.constructors[node.name] = entry.args

    def parameters(self, name):
        """The annotation of each parameter of a class."""
        arguments = self.constructors[name]
        return {argument.arg: argument.annotation for argument in (*arguments.args[1:], *arguments.kwonlyargs)}

    def constants(self, annotation):
        """The values that a type names: those of Literals, and None."""
        if isinstance(annotation, ast.Constant):
            return {annotation.value}
        if isinstance(annotation, ast.Name) and annotation.id in self.aliases:
            return self.constants(self.aliases[annotation.id])
        if isinstance(annotation, ast.BinOp):
            return self.constants(annotation.left) | self.constants(annotation.right)
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
            values = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            return {value.value for value in values}
        return set()


def test_type_checkers_find_the_types():
    """Of what is installed, too: the marker, and a stub beside each public module."""
    assert (PACKAGE / "py.typed").exists()
    for name in ("", *skrnn.SUBMODULES):
        assert Path(import_module(f"skrnn.{name}".rstrip(".")).__file__).with_suffix(".pyi").exists()


@pytest.fixture(scope="module")
def stubs():
    return Stubs()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.__name__)
def test_stubs_name_the_values_that_are_checked(stubs, estimator):
    """Each cell, loss, solver and the like in a Literal, and None, where `fit` takes it: no more, no less."""
    parameters, constraints = stubs.parameters(estimator.__name__), estimator._parameter_constraints
    assert parameters.keys() == constraints.keys()
    for name, annotation in parameters.items():
        taken = constraints[name]
        known = {None} if None in taken or "random_state" in taken else set()
        known = known.union(*(constraint.options for constraint in taken if isinstance(constraint, StrOptions)))
        if name != "scoring":               # the name of any scorer
            assert stubs.constants(annotation) == known, name


def test_parameters_that_estimators_share_have_one_type(stubs):
    """But for those that the language model and the outlier detector have in another form."""
    of_nets = [estimator.__name__ for estimator in ESTIMATORS if issubclass(estimator, skrnn._estimators.base.BaseRNN)]
    assert len(of_nets) == 5
    types = {}
    for name in of_nets:
        for parameter, annotation in stubs.parameters(name).items():
            types.setdefault(parameter, set()).add(ast.unparse(annotation))
    assert {parameter: found for parameter, found in types.items() if len(found) > 1} == {}
