"""Values in messages: one line, of Python's types, not too long."""

import numpy as np
import pandas as pd
import pytest

from skrnn import RNNClassifier, RNNLanguageModel
from skrnn._messages import kind_of, shown


@pytest.mark.parametrize(("value", "text"), [
    (1, "1"), ("a", "'a'"), (None, "None"), (np.float64(0.0), "0.0"), (np.float32(0.1), "0.1"), (np.bool_(1), "True"),
    (np.int8(3), "3"), (np.str_("a"), "'a'"), (np.bytes_(b"a"), "b'a'"), (np.longdouble(1.5), "1.5"),
    (np.datetime64("2020-01-01"), "2020-01-01"), ([np.float64(1), np.str_("b")], "[1.0, 'b']"),
    ((np.int64(2),), "(2,)"), ({np.str_("a"): np.float64(2)}, "{'a': 2.0}"), (np.arange(3), "[0, 1, 2]"),
    (np.array([["a"], ["b"]]), "[['a'], ['b']]"), (np.array(2.0), "2."), (range(3), "range(0, 3)"),
])
def test_as_python_writes_it(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", [
    "a" * 10**6, list(range(10**6)), np.zeros((300, 300)), np.array(["a" * 40] * 1000), pd.Series(range(1000)),
    pd.DataFrame(np.zeros((99, 99))), [[[[list(range(99))] * 99] * 99]], {i: i for i in range(10**5)}, 10**999,
    b"a" * 999,
], ids=lambda value: type(value).__name__)
def test_on_one_line_and_not_too_long(value):
    text = shown(value)
    assert "\n" not in text
    assert "..." in text
    assert len(text) <= 150


X, Y = np.arange(24.0).reshape(6, 4), [0, 1] * 3


@pytest.mark.parametrize("call", [
    lambda: RNNClassifier(hidden_size=(np.float64(3.5), np.array([1]))).fit(X, Y),
    lambda: RNNClassifier(learning_rate=np.float32(0.01)).fit(X, Y),
    lambda: RNNClassifier(batch_size=np.arange(10**4)).fit(X, Y),
    lambda: RNNClassifier(solver=list(range(10**4))).fit(X, Y),
    lambda: RNNClassifier(3, max_iter=1).partial_fit(X, Y, [0, 1]).partial_fit(X, Y, np.arange(10**4)),
    lambda: RNNClassifier(3, max_iter=1, tol=1).partial_fit(X, Y, [0, 1]).initial_state(np.float64(2)),
    lambda: RNNLanguageModel(3).fit([[np.float32("nan")]]), lambda: RNNLanguageModel(3).fit([np.float64(2)]),
    lambda: RNNLanguageModel(3).fit([[list(range(10**4))]]),
])
def test_messages_have_no_types_of_numpy(call):
    with pytest.raises((TypeError, ValueError)) as error:
        call()
    assert "np." not in str(error.value)
    assert "array(" not in str(error.value)
    assert len(str(error.value)) < 400


def test_kind_of():
    assert [kind_of(value) for value in (3, None, int)] == ["int", "NoneType", "class int"]
