"""What the first fit learns of X, and what later calls make of it."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from forms import FORMS, TABLES, OnDisk

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data import containers
from skrnn._data.first_reading import learn_reading
from skrnn._data.lazy import unshared
from skrnn._data.reading import Reading, learn_table, set_attributes
from skrnn.preprocessing import SequenceImputer, SequenceScaler

NET = RNNClassifier()
CATEGORIES = [np.array([1, 2]), np.array([0, 5, 3]), np.array([2])]
nan = np.nan
SMALL = {"hidden_size": 2, "max_iter": 1, "random_state": 0}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("missing", ["error", "ffill", "indicator", "keep"])
def test_what_is_read_later_is_what_was_learned(form, missing):
    X, n_steps, steps = FORMS[form]()
    estimator = RNNClassifier()
    before = vars(estimator).copy()
    reading, sequences = learn_reading(estimator, X, n_steps, missing=missing)
    assert vars(estimator) == before
    assert reading.from_table == (form in TABLES)
    assert reading.n_step_features == steps.shape[1]
    assert reading.n_features_in == (np.shape(X)[1] if form in TABLES else steps.shape[1])
    sequences, read = reading.prepare(sequences), reading.read(estimator, X)
    assert vars(estimator) == before
    assert read.n_features == sequences.n_features == steps.shape[1] * (2 if missing == "indicator" else 1)
    one, other = (unshared(s).load(np.arange(len(s)))[0].values for s in (sequences, read))
    assert one.tobytes() == other.tobytes()
    assert learn_reading(estimator, X, n_steps, missing=missing)[0] == reading


def test_is_a_value():
    reading, _ = learn_reading(NET, pd.DataFrame(np.ones((3, 4)), columns=list("abcd")), 2, missing="ffill")
    assert reading == Reading(True, 4, ("a", "b", "c", "d"), 2, "ffill", n_steps=2)
    assert reading != replace(reading, per_step=True)
    for same in (pickle.loads(pickle.dumps(reading)), copy.deepcopy(reading)):
        assert same == reading
        assert hash(same) == hash(reading)
    with pytest.raises(FrozenInstanceError):
        reading.missing = "error"


def test_attributes():
    named, _ = learn_reading(NET, RaggedArray(np.ones((3, 2)), [1, 2], feature_names=["a", "b"]))
    assert named.attributes().keys() == {"n_features_in_", "feature_names_in_"}
    assert named.attributes()["feature_names_in_"].tolist() == ["a", "b"]
    unnamed, _ = learn_reading(NET, np.ones((3, 4, 2)))
    estimator = SequenceScaler()
    set_attributes(estimator, named.attributes())
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    set_attributes(estimator, unnamed.attributes())
    assert not hasattr(estimator, "feature_names_in_")
    assert estimator.n_features_in_ == 2


def test_the_columns_are_looked_at_once(monkeypatch):
    calls, columns_of = [], containers.columns_of
    monkeypatch.setattr(containers, "columns_of", lambda X: (calls.append(X), columns_of(X))[1])
    reading, _ = learn_reading(NET, pd.DataFrame({"a": [[1.0], [2.0]]}))
    reading.read(NET, pd.DataFrame({"a": [[1.0], [2.0]]}))
    assert len(calls) == 2


def test_names_are_compared_unless_they_do_not_matter():
    X = pd.DataFrame(np.ones((3, 2)), columns=["a", "b"])
    reading = learn_table(NET, X)
    assert reading == learn_reading(NET, X, 1, missing="keep")[0]
    other = X.rename(columns={"b": "c"})
    with pytest.raises(ValueError, match="feature names should match"):
        reading.check_table(NET, other)
    with pytest.raises(ValueError, match="feature names should match"):
        reading.check(NET, other)
    assert len(reading.check(NET, other, named=False)) == 3
    with pytest.raises(ValueError, match="X has 3 columns, expected 2 as in fit"):
        reading.check(NET, np.ones((3, 3)), named=False)


class TestCategories:
    def learn(self, X=CATEGORIES, **kwargs):
        return learn_reading(NET, X, categorical=True, **kwargs)

    def test_one_more_than_the_maximum(self):
        reading, sequences = self.learn()
        assert reading.n_categories == 7
        assert sequences.categories.tolist() == [1, 2, 0, 5, 3, 2]
        assert reading.read(NET, [np.array([5, 6, 99])]).categories.tolist() == [5, 6, 6]

    @pytest.mark.parametrize("used", [[0, 1, 2], [0, 2], [0], [1], [2, 0]])
    @pytest.mark.parametrize("make", [list, OnDisk])
    def test_only_those_of_used_sequences_are_seen(self, make, used):
        reading, sequences = self.learn(make(CATEGORIES))
        reading, sequences = reading.drop_unused_categories(sequences, np.array(used))
        seen = {int(category) for i in used for category in CATEGORIES[i]}
        assert reading.n_categories == max(seen) + 2
        loaded = sequences.load(np.arange(3))[0]
        assert loaded.categories.tolist() == np.minimum(np.concatenate(CATEGORIES), max(seen) + 1).tolist()
        expected = [category not in seen for category in range(reading.n_categories)]
        assert reading.unseen_categories(sequences, np.array(used)).tolist() == expected
        held_in = np.array(used[:1])
        expected = [category not in CATEGORIES[used[0]] for category in range(reading.n_categories)]
        assert reading.unseen_categories(sequences, held_in).tolist() == expected

    def test_are_counted_in_one_pass(self):
        """Twice each sequence: to check X and learn its lengths, and to count; the first also to learn what X is."""
        X = OnDisk(CATEGORIES * 20)
        reading, sequences = self.learn(X)
        assert len(X.read) <= 2 * 60 + 2
        before = len(X.read)
        reading, sequences = reading.drop_unused_categories(sequences, np.arange(60))
        reading.unseen_categories(sequences, np.arange(60))
        assert len(X.read) == before
        reading.unseen_categories(sequences, np.arange(57))
        assert len(X.read) <= before + 3

    def test_are_checked_before_anything_else_is_read(self):
        bad = OnDisk([*CATEGORIES, np.array([0, -1])])
        reading, _ = self.learn()
        for read in (lambda: self.learn(bad), lambda: reading.read(NET, bad), lambda: reading.check(NET, bad)):
            with pytest.raises(ValueError, match=r"X\[3\]\[1\] is -1.0, expected a category: 0, 1, 2"):
                read()
        with pytest.raises(ValueError, match=r"x\[0\]\[1\] is -1.0, expected a category"):
            reading.check_values(learn_reading(NET, [np.array([0, -1])])[1], "x")

    def test_rows_that_no_sequence_has_may_be_anything(self):
        X = RaggedArray(np.array([nan, 1, 2, 99, 0]), [2, 1], [1, 4])
        reading, sequences = self.learn(X)
        assert reading.n_categories == 4
        reading.check_seen(sequences, np.arange(2))

    def test_continuing_needs_known_categories(self):
        reading, _ = self.learn()
        sequences = reading.read(NET, [*CATEGORIES, np.array([6])])
        reading.check_seen(sequences, np.arange(3))
        with pytest.raises(ValueError, match="the first fit did not see: expected categories up to 5"):
            reading.check_seen(sequences, np.arange(4))

    def test_of_numbers_there_are_none(self):
        reading, sequences = learn_reading(NET, np.ones((3, 4, 2)))
        assert reading.n_categories == 0
        assert reading.categorize(sequences) is sequences
        assert reading.drop_unused_categories(sequences, np.arange(2)) == (reading, sequences)
        reading.check_seen(sequences, np.arange(3))


def test_filling_continues_from_the_last_values():
    reading, _ = learn_reading(NET, np.ones((3, 4, 2)), missing="indicator")
    part = reading.check(NET, np.array([[[nan, 2.0], [nan, nan]]]), leave_out_padding=False)
    assert part.n_features == 2
    filled, last = reading.fill(part, np.array([[7.0, 8.0]]))
    assert filled.values.tolist() == [[7, 2, 1, 0], [7, 2, 1, 1]]
    assert last.tolist() == [[7, 2]]
    kept, _ = learn_reading(NET, np.ones((3, 4, 2)), missing="keep")
    assert kept.fill(part, None) == (part, None)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_hold_one():
    X, y = np.random.default_rng(0).normal(size=(6, 4, 2)), np.arange(6.0)
    scaler, imputer = SequenceScaler().fit(X), SequenceImputer().fit(X)
    net = RNNRegressor(2, standardize=False, max_iter=1).fit(X, y)
    of_net = replace(net._fitted.reading, missing="keep", categorical_features=None)
    assert scaler._fitted.reading == imputer._fitted.reading == of_net


@pytest.mark.filterwarnings("ignore")                        # fits of one epoch
class TestOneRowOfAFrame:
    """A Series with the columns of the fit as its index is no sequence; a step of a stream it is."""

    FRAME = pd.DataFrame({"u": [[1.0, 2.0], [3.0], [0.5, 1.5]], "v": [[0.0, 1.0], [1.0], [2.0, 0.0]]})

    @pytest.mark.parametrize("frame", [
        FRAME, FRAME.assign(age=[50.0, 60.0, 70.0], ward=["a", "b", "a"]), pd.DataFrame(np.eye(3), columns=list("abc")),
    ], ids=["lists", "with static features", "numbers"])
    def test_is_refused(self, frame):
        net = RNNRegressor(**SMALL).fit(frame, [0.0, 1.0, 3.0])
        with pytest.raises(ValueError, match=r"X is a row of a data frame.*X\.iloc\[\[i\]\]"):
            net.predict(frame.iloc[0])
        assert net.predict(frame.iloc[[0]]).shape == (1,)


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_texts_are_told_of_what_reads_them(kind):
    with pytest.raises(ValueError, match=r"X\[0\] is 'acgt', expected a number; SequenceVectorizer makes sequences"):
        RNNClassifier(**SMALL).fit(kind(["acgt", "ac"]), [0, 1])
