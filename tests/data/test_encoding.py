"""The categories of a feature and their codes."""

import pickle

import numpy as np
import pandas as pd
import pytest

from skrnn._data.encoding import Encoding, learn_encoding


def label(i):
    return f"X[{i}]"


MISSING = [None, np.nan, float("nan"), pd.NA]


class TestLearning:
    def test_strings_are_sorted(self):
        assert learn_encoding("f", ["b", "c", "a", "b"], label) == Encoding("f", ("a", "b", "c"), False)

    @pytest.mark.parametrize("cells", [[3, 1, 3], np.array([3.0, 1.0, 3.0]), [np.int64(3), 1.0, True]])
    def test_numbers_are_sorted(self, cells):
        assert learn_encoding("f", cells, label).categories == (1, 3)

    @pytest.mark.parametrize("missing", MISSING)
    def test_missing_ones_are_a_category(self, missing):
        encoding = learn_encoding("f", ["b", missing, "a"], label)
        assert (encoding.categories, encoding.with_missing, encoding.n_codes) == (("a", "b"), True, 4)
        assert encoding.labels.tolist() == ["a", "b", None, "unseen"]

    def test_categories_of_a_dtype_keep_their_order(self):
        assert learn_encoding("f", ["a"], label, ["z", "a"]).categories == ("z", "a")

    def test_nothing_but_missing_ones(self):
        assert learn_encoding("f", [None], label) == Encoding("f", (), True)

    @pytest.mark.parametrize(("cells", "words"), [
        (["a", None, 2], [r"X\[2\] is 2 and X\[0\] is 'a'", "all strings, or all numbers"]),
        ([1, "b"], [r"X\[1\] is 'b' and X\[0\] is 1"]),
        (["a", {"b": 1}], [r"X\[1\] is dict", "a string or a number"]),
        (["a", ("b",)], [r"X\[1\] is tuple"]),
    ])
    def test_other_cells_are_refused(self, cells, words):
        for word in words:
            with pytest.raises(TypeError, match=word):
                learn_encoding("f", cells, label)


class TestUsed:
    """What remains of an encoding, and the new codes of all old ones: the last one is for what is dropped."""

    @pytest.mark.parametrize(("with_missing", "used", "categories", "missing", "codes"), [
        (True, [1, 1, 1, 1, 0], "abc", True, [0, 1, 2, 3, 4]), (True, [0, 1, 1, 1, 0], "bc", True, [3, 0, 1, 2, 3]),
        (True, [1, 0, 1, 0, 0], "ac", False, [0, 2, 1, 2, 2]), (True, [0, 0, 0, 1, 0], "", True, [1, 1, 1, 0, 1]),
        (False, [0, 1, 0, 0], "b", False, [1, 0, 1, 1]),
    ])
    def test_those_that_occur_stay(self, with_missing, used, categories, missing, codes):
        encoding, new = Encoding("f", ("a", "b", "c"), with_missing).of_used(np.array(used, bool))
        assert (encoding, new.tolist()) == (Encoding("f", tuple(categories), missing), codes)

    def test_those_that_are_announced_stay(self):
        encoding = learn_encoding("f", ["a", None], label, ["b", "a"])
        assert encoding.of_used(np.array([0, 1, 0, 0], bool))[0] == Encoding("f", ("b", "a"), False, True)
        assert encoding.of_used(np.array([0, 1, 0, 0], bool))[1].tolist() == [0, 1, 2, 2]
        assert pickle.loads(pickle.dumps(encoding)) == encoding


class TestCodes:
    encoding = Encoding("f", ("a", "b"), True)

    @pytest.mark.parametrize("missing", MISSING)
    def test_missing_and_unseen(self, missing):
        assert self.encoding.encode(["b", "new", missing, "a"], label).tolist() == [1, 3, 2, 0]

    def test_missing_ones_that_fit_did_not_see_are_unseen(self):
        assert Encoding("f", ("a",), False).encode([None, "b", "a"], label).tolist() == [1, 1, 0]

    def test_arrays_of_numbers(self):
        encoding = Encoding("f", (1, 5), True)
        assert encoding.encode(np.array([5.0, np.nan, 1.0, 2.0, 5.0]), label).tolist() == [1, 2, 0, 3, 1]

    def test_strings_where_fit_saw_numbers(self):
        with pytest.raises(TypeError, match=r"X\[1\] is '1', expected a category, one of numbers as in fit"):
            Encoding("f", (1, 2), False).encode([1, "1"], label)

    def test_numbers_where_fit_saw_strings(self):
        with pytest.raises(TypeError, match=r"X\[2\] is 1.0, expected a category, one of strings as in fit"):
            self.encoding.encode(np.array([np.nan, np.nan, 1.0]), label)

    def test_what_is_not_hashable(self):
        with pytest.raises(TypeError, match=r"X\[0\] is list \[\], expected a category"):
            self.encoding.encode([[]], label)

    def test_pickles_hold_no_cache(self):
        encoding = Encoding("f", ("a", "b"), True)
        before = pickle.dumps(encoding)
        encoding.encode(["a"], label)
        assert pickle.dumps(encoding) == before
        assert pickle.loads(before) == encoding
