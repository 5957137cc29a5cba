"""What `embedding_dim` makes of categorical features, and what they have learned, by name."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.encoding import Encoding
from skrnn._estimators.embeddings import automatic_dim, embeddings_for
from skrnn._network.embeddings import Embedding

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 4, "max_iter": 3, "random_state": 0}
WARD, DRUG = Encoding("ward", ("a", "b", "c"), False), Encoding("drug", tuple(range(30)), True)


def frame(n=40, seed=0):
    """A number, a drug and a ward a step, in columns of lists; whether drug "a" is taken in the ward "w"."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 7, size=n)
    X = pd.DataFrame({
        "drug": [rng.choice(["a", "b", "none"], T).tolist() for T in lengths],
        "pulse": [rng.normal(70, 5, T).tolist() for T in lengths],
        "ward": [rng.choice(["w", "v"], T).tolist() for T in lengths],
    })
    return X, [int(("a", "w") in zip(*row, strict=True)) for row in zip(X["drug"], X["ward"], strict=True)]


@pytest.mark.parametrize(
    ("embedding_dim", "expected"),
    [
        (None, (automatic_dim(4), automatic_dim(32))), ("auto", (automatic_dim(4), automatic_dim(32))), (5, (5, 5)),
        ({"drug": 7}, (automatic_dim(4), 7)), ({"ward": np.int64(1), "drug": 2}, (1, 2)),
    ],
)
def test_widths(embedding_dim, expected):
    of_steps, of_static = embeddings_for(embedding_dim, (WARD,), (DRUG,))
    assert (of_steps, of_static) == ((Embedding("ward", 4, expected[0]),), (Embedding("drug", 32, expected[1]),))


def test_automatic_widths_grow_up_to_a_limit():
    widths = [automatic_dim(n) for n in range(1, 20_000, 7)]
    assert widths == sorted(widths)
    assert (min(widths), max(widths)) == (automatic_dim(1), 50)
    assert min(widths) >= 1


def test_features_have_names_of_their_own():
    with pytest.raises(ValueError, match=r"must have names of their own, got \['ward', 'ward'\]"):
        embeddings_for(None, (WARD,), (WARD,))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"embedding_dim": {"drog": 3}}, "embedding_dim has 'drog', expected names of categorical .* of X: drug, ward"),
        ({"embedding_dim": {"pulse": 3}}, "embedding_dim has 'pulse', expected names of categorical features"),
        ({"embedding_dim": {"drug": 0}}, r"embedding_dim\['drug'\] is 0, expected the width .* an int from 1 on"),
        ({"embedding_dim": {"drug": 2.5}}, r"embedding_dim\['drug'\] is 2.5, expected the width"),
        ({"embedding_dim": {"drug": True}}, r"embedding_dim\['drug'\] is True, expected the width"),
        ({"embedding_dim": "aut"}, r"Did you mean embedding_dim='auto'\?"),
        ({"embedding_dim": 0}, "The 'embedding_dim' parameter of RNNClassifier must be"),
        ({"embedding_dim": 2, "n_categories": 3}, "n_categories=3 is for X whose steps are categories"),
    ],
)
def test_parameters_are_checked(parameters, match):
    X, y = frame()
    net = RNNClassifier(**SMALL).fit(X, y)
    expected = net.predict_proba(X)
    with pytest.raises(ValueError, match=match):
        net.set_params(**parameters).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), expected)


@pytest.mark.parametrize("embedding_dim", ["auto", {"x0": 2}])
def test_without_categorical_features_there_is_nothing_to_embed(embedding_dim):
    X = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(ValueError, match="is for categorical features, and X has none: name them in categorical_feat"):
        RNNClassifier(**SMALL, embedding_dim=embedding_dim).fit(X, [0, 1, 0, 1])


class TestReadingThem:
    def test_by_name(self):
        X, y = frame()
        net = RNNClassifier(**SMALL, embedding_dim={"ward": 3}).fit(X, y)
        assert {name: labels.tolist() for name, labels in net.categories_.items()} == {
            "drug": ["a", "b", "none", "unseen"], "ward": ["v", "w", "unseen"],
        }
        assert {name: E.shape for name, E in net.embeddings_.items()} == {"drug": (4, automatic_dim(4)), "ward": (3, 3)}
        np.testing.assert_array_equal(net.embeddings_["ward"], net.parameters_["embedding.ward.E"])
        assert net.embeddings_["ward"][:2].all()
        np.testing.assert_array_equal(net.embeddings_["ward"][2], 0)

    def test_each_row_is_that_of_its_label(self):
        """A net that reads nothing but the embedding of one category predicts alike for categories with the same."""
        X, y = frame()
        net = RNNClassifier(**SMALL).fit(X, y)
        labels, E = net.categories_["drug"].tolist(), net.embeddings_["drug"]
        swapped = X.assign(drug=[[{"a": "b", "b": "a"}.get(drug, drug) for drug in drugs] for drugs in X["drug"]])
        expected = net.predict_proba(X)
        assert np.abs(net.predict_proba(swapped) - expected).max() > 1e-4
        a, b = labels.index("a"), labels.index("b")
        E = E.copy()
        E[[a, b]] = E[[b, a]]
        net.set_parameters({"embedding.drug.E": E})
        np.testing.assert_array_equal(net.predict_proba(swapped), expected)

    def test_where_each_step_is_a_category(self):
        net = RNNRegressor(**SMALL, embedding_dim=2).fit([np.array([0, 2, 0]), np.array([2, 3])], [0.0, 1.0])
        assert net.categories_["x0"].tolist() == [0, 1, 2, 3, "unseen"]
        np.testing.assert_array_equal(net.embeddings_["x0"], net.parameters_["embedding.E"])
        X = pd.DataFrame({"letter": [[0, 2, 0], [2, 3]]})
        assert list(RNNRegressor(**SMALL, embedding_dim=2).fit(X, [0.0, 1.0]).embeddings_) == ["letter"]

    def test_of_numbers_there_are_none(self):
        X = np.random.default_rng(0).normal(size=(4, 3))
        net = RNNRegressor(**SMALL).fit(X, [0.0, 1, 2, 3])
        assert net.embeddings_ == net.categories_ == {}

    @pytest.mark.parametrize("name", ["embeddings_", "categories_"])
    def test_not_fitted(self, name):
        with pytest.raises(NotFittedError):
            getattr(RNNClassifier(), name)


class TestGoingOn:
    def test_partial_fit_keeps_the_tables(self):
        X, y = frame()
        low = X.assign(drug=[["a" if drug == "none" else drug for drug in drugs] for drugs in X["drug"]])
        net = RNNClassifier(**SMALL).partial_fit(low, y, classes=[0, 1])
        E = {name: table.copy() for name, table in net.embeddings_.items()}
        net.partial_fit(X, y)
        assert {name: table.shape for name, table in net.embeddings_.items()} == {
            name: table.shape for name, table in E.items()
        }
        assert net.categories_["drug"].tolist() == ["a", "b", "unseen"]

    def test_warm_start_learns_only_categories_in_use(self):
        X, y = frame()
        net = RNNClassifier(**SMALL, warm_start=True).fit(X, y)
        before = net.embeddings_["drug"].copy()
        net.fit(X.assign(drug=[["b"] * len(drugs) for drugs in X["drug"]]), y)
        assert (net.embeddings_["drug"] != before).any(axis=1).tolist() == [False, True, False, False]

    def test_another_width_is_an_error(self):
        X, y = frame()
        net = RNNClassifier(**SMALL, warm_start=True).fit(X, y)
        with pytest.raises(ValueError, match="cannot continue with parameters of the shapes"):
            net.set_params(embedding_dim=9).fit(X, y)

    @pytest.mark.parametrize("other", [None, ["drug"], [0], "from_dtype"], ids=str)
    def test_other_categorical_features_are_an_error(self, other):
        X, y = frame()
        first = ["drug", "ward"] if other == "from_dtype" else "from_dtype"
        net = RNNClassifier(**SMALL, warm_start=True, categorical_features=first).fit(X, y)
        with pytest.raises(ValueError, match="cannot continue with categorical_features="):
            net.set_params(categorical_features=other).fit(X, y)
        with pytest.raises(ValueError, match="cannot continue with categorical_features="):
            net.partial_fit(X, y)

    def test_the_same_ones_may_come_in_another_form(self):
        X, y = frame()
        net = RNNClassifier(**SMALL, warm_start=True, categorical_features=["drug", "ward"]).fit(X, y)
        net.set_params(categorical_features=np.array(["drug", "ward"])).fit(X, y)
        assert net.n_iter_ > 0


def test_of_sequences_without_weight_count_as_not_seen():
    X, y = frame()
    X.at[3, "drug"] = ["other"] * len(X.at[3, "drug"])
    net = RNNClassifier(**SMALL).fit(X, y, sample_weight=np.arange(40) != 3)
    assert "other" not in net.categories_["drug"]


def test_patches_and_indicators_go_with_categorical_features():
    X, y = frame()
    net = RNNClassifier(**SMALL, embedding_dim=2, patch_size=2, missing="indicator").fit(X, y)
    other = RNNClassifier(**SMALL, embedding_dim={"drug": 2, "ward": 2}, patch_size=2, missing="indicator").fit(X, y)
    assert net.parameters_["layer0.W"].shape == (12, 12)
    assert net.predict_proba(X).tobytes() == other.predict_proba(X).tobytes()


def test_clones_and_pickles():
    X, y = frame()
    net = RNNClassifier(**SMALL, embedding_dim={"drug": 2}).fit(X, y)
    assert clone(net).embedding_dim == {"drug": 2}
    copy = pickle.loads(pickle.dumps(net))
    assert copy.predict_proba(X).tobytes() == net.predict_proba(X).tobytes()
    np.testing.assert_array_equal(copy.embeddings_["drug"], net.embeddings_["drug"])
