"""What the docstrings of everything public say: their examples run, and their parameters are those that there are."""

import ast
import doctest
import importlib
import inspect
import itertools
import re

import numpy as np
import pandas as pd
import pytest

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival

MODULES = [
    "skrnn", "skrnn.exceptions", "skrnn.metrics", "skrnn.preprocessing", "skrnn.datasets", "skrnn.forecasting",
    "skrnn.convert", "skrnn.export", "skrnn.inspection", "skrnn.dask",
]
ESTIMATORS = [RNNClassifier, RNNRegressor, RNNLanguageModel, RNNSurvival, RNNOutlierDetector]
# Parameters of two estimators that have a text of their own in one of them
OF_CLASSES = {"return_sequences", "validation_fraction", "loss"}
OF_TEXTS = {
    "truncated_bptt_steps", "early_stopping", "embedding_dim", "learning_rate", "max_iter", "random_state",
    "recurrent_dropout",
    "shuffle", "solver", "tol", "validation_fraction", "warm_start",
}


def is_ours(module):
    return module is not None and module.partition(".")[0] == "skrnn"


def public_objects():
    """Public classes, functions, methods and properties by name, each once, those of our base classes with them."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        names = getattr(module, "__all__", None) or [
            name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__
        ]
        for name in names:
            value = getattr(module, name)
            if name.startswith("_") or not callable(value):
                continue
            found[name] = value
            for cls in filter(inspect.isclass, getattr(value, "__mro__", ())):
                if is_ours(cls.__module__):
                    found |= {f"{cls.__name__}.{attribute}": member for attribute, member in members(cls)}
    return found


def members(cls):
    """Public methods and properties that a class defines itself; not those that scikit-learn adds to it."""
    for name, value in vars(cls).items():
        member = value if isinstance(value, property) else getattr(cls, name)
        of = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and callable(of) and is_ours(getattr(of, "__module__", None)):
            yield name, member


PUBLIC = public_objects()
EXAMPLES = {
    name: test for name, value in PUBLIC.items()
    if (test := doctest.DocTestParser().get_doctest(inspect.getdoc(value) or "", {}, name, None, None)).examples
}


def sections(value):
    """The parts of a docstring under underlined titles."""
    text = inspect.getdoc(value) or ""
    titles = list(re.finditer(r"^(\w[\w ]*)\n-+$", text, re.MULTILINE))
    ends = [*(title.start() for title in titles[1:]), len(text)]
    return {title[1]: text[title.end() : end].strip("\n") for title, end in zip(titles, ends, strict=False)}


def documented_parameters(value):
    """{name: (type, default, description)} of the section on parameters; default is None where it names none.

    Several in one entry, as in ``beta_1, beta_2 : float, default=0.9 and 0.999``, have its description.
    """
    found = {}
    for entry in re.split(r"\n(?=\S)", sections(value).get("Parameters", "")):
        heading, _, description = entry.partition("\n")
        names, _, kind = heading.partition(" : ")
        kind, _, defaults = kind.partition(", default=")
        names = names.split(", ")
        defaults = re.split(r" and |, ", defaults) if len(names) > 1 else [defaults]
        for name, default in itertools.zip_longest(names, defaults):
            found[name.lstrip("*")] = kind, default or None, " ".join(description.split())
    found.pop("", None)
    return found


def documented_attributes(value):
    """The names in the section on attributes."""
    headings = re.findall(r"^(\S.*?) : ", sections(value).get("Attributes", ""), re.MULTILINE)
    return {name for heading in headings for name in heading.split(", ")}


def parameters_of(value):
    if inspect.isclass(value) and issubclass(value, Exception):
        return {}                       # those of all exceptions
    return {name: p for name, p in inspect.signature(value).parameters.items() if name != "self"}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name):
    said = []
    failed, tried = doctest.DocTestRunner(verbose=False).run(EXAMPLES[name], out=said.append)
    assert tried == len(EXAMPLES[name].examples)
    assert not failed, "".join(said)


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name):
    """Every parameter; what functions and methods return and raise; an example of everything but properties."""
    value = PUBLIC[name]
    assert inspect.getdoc(value)
    if isinstance(value, property):
        return
    documented, there = list(documented_parameters(value)), list(parameters_of(value))
    assert sorted(documented) == sorted(there)
    if inspect.isclass(value):
        assert documented == there
    else:
        assert "Returns" in sections(value)
        assert "Raises" in sections(value)
    assert name in EXAMPLES


@pytest.mark.parametrize("name", PUBLIC)
def test_defaults_are_the_true_ones(name):
    if isinstance(PUBLIC[name], property):
        return
    documented = documented_parameters(PUBLIC[name])
    for parameter, declared in parameters_of(PUBLIC[name]).items():
        kind, default, _ = documented[parameter]
        if declared.default is inspect.Parameter.empty:
            assert default is None, parameter
        elif kind.endswith(", optional"):
            assert declared.default is None, parameter
        elif default is not None or inspect.isclass(PUBLIC[name]):
            assert default is not None, parameter
            assert ast.literal_eval(default) == declared.default, parameter


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ESTIMATORS, 2)))
def test_parameters_that_estimators_share_read_the_same(first, second):
    first, second = (documented_parameters(cls) for cls in (first, second))
    own = OF_TEXTS if "analyzer" in first | second else OF_CLASSES
    shared = first.keys() & second.keys() - own
    assert len(shared) > 15
    for name in shared:
        assert first[name][::2] == second[name][::2], name


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fitted_attributes_are_documented(estimator):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=list("abc"))
    labels = np.arange(20) % 2
    targets = {RNNSurvival: np.column_stack([labels, labels + 1])}.get(estimator, labels)
    data = (["abab", "ba"],) if estimator is RNNLanguageModel else (table, targets)
    net = estimator(2, max_iter=1, random_state=0).fit(*data)
    fitted = set(vars(net))
    properties = {name for name, value in inspect.getmembers(estimator) if isinstance(value, property)}
    public = {name for name in fitted | properties if name.endswith("_") and not name.startswith("_")}
    assert documented_attributes(estimator) == public


def test_parts_of_a_docstring():
    """Of one that has every form."""

    class Documented:
        """One line.

        Parameters
        ----------
        a : int
            The first,
            on two lines.
        b, c : float, default=0.5 and 1
        d : {"x", "y"}, default="x"
            One
            of these.

        Returns
        -------
        e : int
        """

    assert list(sections(Documented)) == ["Parameters", "Returns"]
    assert documented_parameters(Documented) == {
        "a": ("int", None, "The first, on two lines."), "b": ("float", "0.5", ""), "c": ("float", "1", ""),
        "d": ('{"x", "y"}', '"x"', "One of these."),
    }
