"""Transformers leave static features and categories as they are."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer

from skrnn import WithStatic
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SlidingWindow
from tests.data.test_mixed import FRAMES
from tests.preprocessing.test_long_frames import columns_of

DATA = {
    "state": [["a", "b"], [None, "b", "c"], ["a"]], "heat": [[1.0, 3.0], [1.0, 3.0, 1.0], [3.0]], "age": [30.0, 40, 50],
    "rain": [[1.0, np.nan], [3.0, 4.0, 5.0], [7.0]], "ward": ["x", "y", None],
}
DATA["state"][1][0] = "a"
NAMED = {name: make for name, make in FRAMES.items() if name not in ("object array", "Arrow batch")}


def lists(cells):
    return [list(cell) for cell in cells]


@pytest.mark.parametrize("library", NAMED)
class TestFrames:
    def test_scaler(self, library):
        X = NAMED[library](DATA)
        scaler = SequenceScaler("minmax").fit(X)
        out = columns_of(scaler.transform(X))
        assert scaler.center_.tolist() == [1, 1]
        assert list(out) == list(DATA) == scaler.get_feature_names_out().tolist()
        assert lists(out["heat"]) == [[0, 1], [0, 1, 0], [1]]
        assert {name: out[name] for name in ("state", "age", "ward")} == {
            name: DATA[name] for name in ("state", "age", "ward")
        }
        back = columns_of(scaler.inverse_transform(scaler.transform(X)))
        assert lists(back["heat"]) == DATA["heat"]

    def test_partial_fit(self, library):
        X = NAMED[library](DATA)
        scaler = SequenceScaler().partial_fit(X).partial_fit(X)
        np.testing.assert_allclose(scaler.center_, SequenceScaler().fit(X).center_)
        assert scaler.n_samples_seen_.tolist() == [12, 10]

    def test_imputer_adds_columns_at_the_end(self, library):
        imputer = SequenceImputer("constant", fill_value=9.0, add_indicator=True).fit(NAMED[library](DATA))
        out = columns_of(imputer.transform(NAMED[library](DATA)))
        assert list(out) == [*DATA, "missingindicator_heat", "missingindicator_rain"]
        assert list(out) == imputer.get_feature_names_out().tolist()
        assert lists(out["rain"]) == [[1, 9], [3, 4, 5], [7]]
        assert lists(out["missingindicator_rain"]) == [[0, 1], [0, 0, 0], [0]]
        assert out["ward"] == DATA["ward"]

    @pytest.mark.parametrize(("transform", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
    def test_set_output(self, library, transform, kind):
        out = SequenceScaler().set_output(transform=transform).fit_transform(NAMED[library](DATA))
        assert isinstance(out, kind)
        assert columns_of(out)["ward"] == DATA["ward"]

    def test_other_columns_are_refused(self, library):
        scaler = SequenceScaler().fit(NAMED[library](DATA))
        assert scaler.n_features_in_ == 5
        other = NAMED[library]({name: cells for name, cells in DATA.items() if name != "ward"})
        with pytest.raises(ValueError, match="yet now missing:\n- ward"):
            scaler.transform(other)
        with pytest.raises(ValueError, match="X in the column 'heat' holds None, expected a list for each sequence"):
            scaler.transform(NAMED[library](DATA | {"heat": [None] * 3}))

    def test_column_transformer(self, library):
        if library == "Arrow":
            pytest.skip("scikit-learn's ColumnTransformer takes no Arrow tables")
        X = NAMED[library](DATA)
        choose = make_column_transformer((SequenceScaler("minmax"), ["heat"]), ("passthrough", ["age"]))
        assert lists(choose.fit_transform(X)[:, 0]) == [[0, 1], [0, 1, 0], [1]]


def test_the_index_stays():
    X = pd.DataFrame(DATA, index=[7, 8, 9])
    assert SequenceScaler().fit_transform(X).index.tolist() == [7, 8, 9]


def test_a_frame_without_numbers():
    with pytest.raises(ValueError, match=r"no column of lists of numbers, only \['state', 'ward'\]"):
        SequenceScaler().fit(pd.DataFrame(DATA)[["state", "ward"]])


@pytest.mark.parametrize("static", [
    np.arange(3.0), pd.DataFrame({"a": [1, 2, 3], "w": list("xyx")}), pl.DataFrame({"a": [1, 2, 3]}),
])
@pytest.mark.parametrize(("transformer", "sequences"), [
    (SequenceScaler(), np.arange(18.0).reshape(3, 3, 2)), (SequenceImputer(add_indicator=True), [np.ones((2, 1))] * 3),
    (SlidingWindow(2), np.arange(6.0).reshape(3, 2)), (SequenceScaler(), pd.DataFrame(DATA)[["state", "heat"]]),
])
def test_static_features_stay(transformer, sequences, static):
    X = WithStatic(sequences, static)
    once, alone = transformer.fit_transform(X), transformer.fit(sequences).transform(sequences)
    for out in (once, transformer.fit(X).transform(X)):
        assert isinstance(out, WithStatic)
        assert out.static is X.static
        assert type(out.sequences) is type(alone)
        for x, expected in zip(out.sequences, alone, strict=True):
            np.testing.assert_array_equal(x, expected)
