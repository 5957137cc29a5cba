"""Frames with static columns and categories, and what else has more than numbers of steps: how it is read."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from skrnn import RaggedArray, WithStatic
from skrnn._data.first_reading import learn_reading
from skrnn._data.lazy import LazySequences
from tests.helpers.forms import OnDisk

DATA = {
    "heat": [[1.0, 2.0], [3.0, 4.0, 5.0], [6.0]], "state": [["on", "off"], ["off", None, "broken"], ["on"]],
    "age": [30.0, 40.5, 50.0], "ward": ["x", None, "y"],
}
# heat, then the codes of broken, off, on, missing
STEPS = [[1, 2], [2, 1], [3, 1], [4, 3], [5, 0], [6, 2]]
STATIC = [[30, 0], [40.5, 2], [50, 1]]


def as_objects(data):
    table = np.empty((len(data["age"]), len(data)), dtype=object)
    for j, cells in enumerate(data.values()):
        for i, cell in enumerate(cells):
            table[i, j] = cell
    return table


FRAMES = {
    "pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.table, "Arrow batch": pa.record_batch,
    "object array": as_objects,
}


class Reader(BaseEstimator):
    """An estimator, for its name in messages."""


def learn(X, categorical_features="from_dtype", n_steps=None, **parameters):
    return learn_reading(Reader(), X, n_steps, categorical_features=categorical_features, **parameters)


def loaded(sequences):
    """The steps and the static features of sequences, in memory."""
    chunk, _ = sequences.load(np.arange(len(sequences)))
    return chunk.values.tolist(), None if chunk.static is None else chunk.static.tolist()


@pytest.mark.parametrize("form", FRAMES)
class TestFrames:
    def test_it_is_split(self, form):
        reading, sequences = learn(FRAMES[form](DATA))
        assert loaded(sequences) == (STEPS, STATIC)
        assert sequences.n_codes == 1
        assert sequences.lengths.tolist() == [2, 3, 1]
        assert (reading.n_features_in, reading.n_step_features, reading.n_numbers, reading.n_static) == (4, 2, 1, 2)
        assert [encoding.categories for encoding in reading.step_encodings] == [("broken", "off", "on")]
        assert [encoding.categories for encoding in reading.static_encodings] == [("x", "y")]
        names = [encoding.name for encoding in (*reading.step_encodings, *reading.static_encodings)]
        named = form != "object array"
        assert reading.feature_names == (("heat", "state", "age", "ward") if named else None)
        assert names == (["state", "ward"] if named else ["x1", "x3"])

    def test_it_is_read_as_in_fit(self, form):
        X = FRAMES[form](DATA)
        reading, _ = learn(X)
        again = pickle.loads(pickle.dumps(reading))
        assert again == reading
        assert loaded(again.read(Reader(), X)) == (STEPS, STATIC)

    def test_unseen_and_missing_categories(self, form):
        reading, _ = learn(FRAMES[form](DATA))
        new = DATA | {"state": [["new", "on"], [None, "on", "on"], ["off"]], "ward": ["z", None, "x"]}
        steps, static = loaded(reading.read(Reader(), FRAMES[form](new)))
        assert [step[1] for step in steps] == [4, 2, 3, 2, 2, 1]
        assert [row[1] for row in static] == [3, 2, 0]

    def test_columns_without_a_value_are_what_they_were_in_fit(self, form):
        reading, _ = learn(FRAMES[form](DATA), missing="ffill")
        empty = FRAMES[form](DATA | {"age": [None] * 3, "ward": [None] * 3})
        static = reading.check(Reader(), empty).static
        assert np.isnan(static[:, 0]).all()
        assert static[:, 1].tolist() == [2, 2, 2]

    @pytest.mark.parametrize("name", ["heat", "state"])
    @pytest.mark.parametrize("cell", [None, 1.0])
    @pytest.mark.parametrize("chosen", ["from_dtype", None])
    def test_columns_of_lists_hold_lists(self, form, name, cell, chosen):
        """Also those of numbers, which would else be read as a table of one step."""
        data = DATA if chosen else DATA | {"state": [[0.0, 1.0], [2.0, 1.0, 0.0], [1.0]], "ward": [1.0, 2.0, 3.0]}
        reading, _ = learn(FRAMES[form](data), chosen)
        column = list(DATA).index(name) if form == "object array" else name
        with pytest.raises(ValueError, match=f"X in the column {column!r} holds {cell}, expected a list for each"):
            reading.check(Reader(), FRAMES[form](data | {name: [cell] * 3}))


@pytest.mark.parametrize("form", ["pandas", "polars", "Arrow"])
@pytest.mark.parametrize(("columns", "message"), [
    (["state", "heat", "age", "ward"], "must be in the same order as they were in fit"),
    (["heat", "state", "age"], "seen at fit time, yet now missing:\n- ward"),
])
def test_other_columns_than_in_fit_are_refused_as_scikit_learn_does(form, columns, message):
    reading, _ = learn(FRAMES[form](DATA))
    with pytest.raises(ValueError, match=message):
        reading.read(Reader(), FRAMES[form]({name: DATA[name] for name in columns}))
    plain, _ = learn(FRAMES[form]({"heat": DATA["heat"]}))
    with pytest.raises(ValueError, match="unseen at fit time:\n- age"):
        plain.read(Reader(), FRAMES[form]({name: DATA[name] for name in ("heat", "age")}))


@pytest.mark.parametrize("X", [
    lambda: pd.DataFrame(DATA).drop(columns=["state", "ward"]), lambda: pd.DataFrame(DATA)[["heat"]],
    lambda: np.ones((2, 3, 2)), lambda: [np.ones((2, 2))], lambda: pl.DataFrame({"a": [1.0], "b": [2.0]}),
])
def test_numbers_alone_have_no_categories(X):
    reading, sequences = learn(X())
    assert not reading.has_encodings
    assert sequences.n_codes == 0
    assert (reading.mixed is None) == (sequences.static is None)


DTYPES = {
    "pandas category": (pd.Series(["b", "a", None], dtype=pd.CategoricalDtype(["z", "b", "a"])), ("z", "b", "a")),
    "pandas category of numbers": (pd.Series([3, 1, None], dtype="category"), (1, 3)),
    "pandas string": (pd.Series(["b", "a", None], dtype="string"), ("a", "b")),
    "pandas Arrow string": (pd.Series(["b", "a", None], dtype="string[pyarrow]"), ("a", "b")),
    "pandas object": (pd.Series([None, "b", "a"], dtype=object), ("a", "b")),
    "polars String": (pl.Series(["b", "a", None]), ("a", "b")),
    "polars Categorical": (pl.Series(["b", "a", None], dtype=pl.Categorical), ("a", "b")),
    "polars Enum": (pl.Series(["b", "a", None], dtype=pl.Enum(["z", "b", "a"])), ("z", "b", "a")),
    "Arrow string": (pa.array(["b", "a", None]), ("a", "b")),
    "Arrow dictionary": (pa.array(["b", "a", None]).dictionary_encode(), ("a", "b")),
    "Arrow dictionary of numbers": (pa.array([3, 1, None]).dictionary_encode(), (1, 3)),
}


def frame_of(column, name, lists=((1.0,), (2.0, 3.0), (4.0,))):
    lists = [list(cell) for cell in lists]
    if isinstance(column, pd.Series):
        return pd.DataFrame({"heat": lists, name: column})
    return pl.DataFrame({"heat": lists, name: column}) if isinstance(column, pl.Series) else pa.table(
        {"heat": lists, name: column}
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_categories(dtype):
    column, categories = DTYPES[dtype]
    reading, _ = learn(frame_of(column, "ward"))
    (encoding,) = reading.static_encodings
    assert (encoding.name, encoding.categories, encoding.with_missing) == ("ward", categories, True)


@pytest.mark.parametrize("cells", [
    pl.Series([["b"], ["a", "b"], ["a"]], dtype=pl.List(pl.Enum(["z", "b", "a"]))),
    pa.array([["b"], ["a", "b"], ["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    pd.Series([np.array(["b"]), ["a", "b"], ("a",)]), pd.Series([[None], ["a", "b"], ["a"]]),
])
def test_dtypes_of_categories_in_lists(cells):
    reading, sequences = learn(frame_of(cells, "state"))
    assert set(reading.step_encodings[0].categories) >= {"a", "b"}
    assert sequences.n_codes == 1


@pytest.mark.parametrize(("dtypes", "categories"), [
    ([["a", "b"], ["c"]], ("a", "b", "c")), ([["b", "a"], ["a", "b"]], ("a", "b")),
    ([["c", "b", "a"]] * 2, ("c", "b", "a")),
])
def test_dtypes_of_frames_that_differ_announce_nothing(dtypes, categories):
    """As where each frame was made of strings by itself: the categories are then those that occur."""
    X = [pd.DataFrame({"x": [1.0] * len(own), "c": pd.Categorical(sorted(own), categories=own)}) for own in dtypes]
    reading, sequences = learn(X)
    assert reading.step_encodings[0].categories == categories
    codes = [categories.index(category) for own in dtypes for category in sorted(own)]
    assert sequences.values[:, 1].tolist() == codes


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("empty", [None, float("nan")])
def test_the_first_frame_with_a_value_says_which_features_are_categories(library, empty):
    X = [library({"c": [cell, cell], "x": [1.0, 2.0]}) for cell in (empty, empty, "b", "a")]
    reading, sequences = learn(X)
    assert reading.step_encodings[0].categories == ("a", "b")
    assert sequences.values[:, 1].tolist() == [2, 2, 2, 2, 1, 1, 0, 0]
    numbers, _ = learn([library({"c": [cell], "x": [1.0]}) for cell in (empty, 1.0)], missing="ffill")
    assert numbers.step_encodings == ()


@pytest.mark.parametrize("column", [
    pd.Series([True, False, True]), pd.Series([1, None, 3], dtype="Int64"), pd.Series([None, 2.5, 1], dtype=object),
    pl.Series([True, False, True]), pl.Series([1, None, 3]), pa.array([1.5, None, 2.0]),
])
def test_booleans_and_numbers_are_numbers(column):
    reading, sequences = learn(frame_of(column, "x"), missing="ffill")
    assert reading.static_encodings == ()
    cells = column.to_pylist() if isinstance(column, pa.Array) else column.to_list()
    assert sequences.static[:, 0].tolist() == pytest.approx(
        [np.nan if pd.isna(cell) else float(cell) for cell in cells], nan_ok=True
    )


ARRAY = np.arange(24.0).reshape(4, 3, 2)
ARRAY[..., 1] %= 3
OBJECTS = [np.array([[x, "abc"[int(c)]] for x, c in rows], dtype=object) for rows in ARRAY]
CHOSEN = {
    "indices": (lambda: ARRAY, [1]), "mask": (lambda: ARRAY, [False, True]),
    "array of bools": (lambda: ARRAY, np.array([False, True])), "list": (lambda: list(ARRAY), [1]),
    "nested lists": (lambda: ARRAY.tolist(), [1]),
    "names": (lambda: RaggedArray(ARRAY.reshape(-1, 2), [3] * 4, None, ["heat", "state"]), ["state"]),
    "read on demand": (lambda: OnDisk(list(ARRAY)), [1]), "list of objects": (lambda: OBJECTS, [1]),
    "nested lists of objects": (lambda: [x.tolist() for x in OBJECTS], [1]),
    "array of objects": (lambda: np.stack(OBJECTS), [1]),
    "ragged objects": (lambda: RaggedArray(np.concatenate(OBJECTS), [3] * 4), [1]),
    "frames": (lambda: [pd.DataFrame(x.tolist(), columns=["heat", "state"]) for x in OBJECTS], "from_dtype"),
    "polars frames": (lambda: [pl.DataFrame(x.tolist(), schema=["heat", "state"], orient="row") for x in OBJECTS],
                      "from_dtype"),
    "frames by name": (lambda: [pd.DataFrame(x, columns=["heat", "state"]) for x in ARRAY], ["state"]),
}


@pytest.mark.parametrize("form", CHOSEN)
def test_features_of_a_step_that_are_chosen(form):
    X, chosen = CHOSEN[form]
    reading, sequences = learn(X(), chosen)
    steps, static = loaded(sequences)
    assert steps == ARRAY.reshape(-1, 2).tolist()          # the categories are their codes
    assert (static, reading.n_numbers, sequences.n_codes, reading.n_features_in) == (None, 1, 1, 2)
    assert isinstance(sequences, LazySequences) == (form == "read on demand")
    assert loaded(reading.read(Reader(), X()))[0] == steps


def test_codes_come_after_the_numbers():
    X = ARRAY[..., ::-1]
    reading, sequences = learn(X, [0])
    assert loaded(sequences)[0] == ARRAY.reshape(-1, 2).tolist()
    assert reading.step_encodings[0].name == "x0"


@pytest.mark.parametrize("X", [
    np.array([["a", "b"], ["b", "c"]], dtype=object), [["a", "b"], ["b", "c"]], pd.DataFrame([["a", "b"], ["b", "c"]]),
])
def test_tables_of_categories(X):
    reading, sequences = learn(X, [0])
    assert loaded(sequences)[0] == [[0], [1], [1], [2]]
    assert (reading.from_table, reading.n_features_in) == (True, 2)


@pytest.mark.parametrize("X", [
    pd.Series([["a", "b"], ["c"]]), pl.Series("x", [["a", "b"], ["c"]]), pa.array([["a", "b"], ["c"]]),
])
def test_a_series_of_lists_of_strings(X):
    assert loaded(learn(X)[1])[0] == [[0], [1], [2]]


def test_a_table_may_be_split_into_steps_with_categories():
    reading, sequences = learn(pd.DataFrame(ARRAY.reshape(4, 6)).add_prefix("c"), [1], n_steps=3)
    assert loaded(sequences)[0] == ARRAY.reshape(-1, 2).tolist()
    assert (reading.n_features_in, reading.feature_names[0]) == (6, "c0")


@pytest.mark.parametrize(("chosen", "error", "message"), [
    (["ward"], ValueError, "the features of X have no names, expected indices from 0 to 1"),
    ([2], ValueError, "expected indices from 0 to 1, of 2 features"),
    ([-1], ValueError, "expected indices from 0 to 1"),
    ([True], ValueError, "is a mask of 1, expected one entry for each of 2 features"),
    ([1, "ward"], TypeError, "expected all names, all indices, or a mask of bools"),
    ("ward", TypeError, 'expected "from_dtype", None, or a list of names or indices'),
    ([1.0], TypeError, "expected all names"),
])
def test_other_choices_are_refused(chosen, error, message):
    with pytest.raises(error, match=message):
        learn(ARRAY, chosen)


def test_columns_of_a_frame_are_chosen_in_its_order():
    frame = pd.DataFrame({"age": [3, 4], "heat": [[1, 2], [3]]})
    for chosen in ([0], ["age"], [True, False]):
        reading, _ = learn(frame, chosen)
        assert [encoding.name for encoding in reading.static_encodings] == ["age"]
        assert reading.step_encodings == ()
    reading, sequences = learn(frame, ["heat", "age"])
    assert loaded(sequences) == ([[0], [1], [2]], [[0], [1]])
    assert reading.n_numbers == 0


class TestWithStatic:
    def test_arrays(self):
        X = WithStatic(ARRAY, [["a", 1], ["b", 2], [None, 3], ["a", 4]])
        reading, sequences = learn(X)
        assert loaded(sequences)[1] == [[1, 0], [2, 1], [3, 2], [4, 0]]
        assert (reading.n_features_in, reading.feature_names) == (4, None)
        assert reading.static_encodings[0].name == "x2"
        assert loaded(reading.read(Reader(), X[[2, 0]]))[1] == [[3, 2], [1, 0]]

    def test_indices_count_steps_first(self):
        X = WithStatic(ARRAY, np.arange(8.0).reshape(4, 2) % 3, ["s", "t"])
        reading, _ = learn(X, [1, 3])
        assert [encoding.name for encoding in (*reading.step_encodings, *reading.static_encodings)] == ["x1", "t"]

    def test_names_of_both_are_those_of_the_features(self):
        X = WithStatic(RaggedArray(ARRAY.reshape(-1, 2), [3] * 4, None, ["heat", "rain"]), [1, 2, 3, 4], ["age"])
        reading, _ = learn(X)
        assert reading.feature_names == ("heat", "rain", "age")
        with pytest.raises(ValueError, match=r"static features \['old'\], expected \['age'\]"):
            reading.read(Reader(), WithStatic(X.sequences, X.static, ["old"]))

    def test_sequences_read_on_demand(self):
        _, sequences = learn(WithStatic(OnDisk(list(ARRAY)), [1, 2, 3, 4]), [1])
        assert isinstance(sequences, LazySequences)
        chunk, index = sequences.load(np.array([3, 1]))
        assert chunk.static[index].tolist() == [[4], [2]]
        assert loaded(sequences.astype(np.float32))[1] == [[1], [2], [3], [4]]

    def test_it_reads_what_a_frame_has(self):
        reading, _ = learn(pd.DataFrame(DATA))
        frame = pd.DataFrame(DATA)
        X = WithStatic(frame[["heat", "state"]], pl.DataFrame(frame[["age", "ward"]]))
        assert loaded(reading.read(Reader(), X)) == (STEPS, STATIC)

    def test_it_is_asked_for(self):
        reading, _ = learn(WithStatic(ARRAY, [1, 2, 3, 4]))
        with pytest.raises(ValueError, match="no static features, expected 1 as in fit: pass WithStatic"):
            reading.read(Reader(), ARRAY)
        with pytest.raises(ValueError, match="X has 2 static features, expected 1"):
            reading.read(Reader(), WithStatic(ARRAY, ARRAY[:, 0]))
        with pytest.raises(ValueError, match="X has 1 features, but Reader is expecting 2"):
            reading.read(Reader(), WithStatic(ARRAY[..., :1], [1, 2, 3, 4]))
        plain, _ = learn(ARRAY)
        with pytest.raises(TypeError, match=r"pass X\.sequences"):
            plain.read(Reader(), WithStatic(ARRAY, [1, 2, 3, 4]))

    def test_tables(self):
        X = WithStatic(ARRAY[..., 0], [1, 2, 3, 4])
        reading, _ = learn(X)
        assert (reading.from_table, reading.n_features_in) == (True, 4)
        assert loaded(reading.read(Reader(), X))[1] == [[1], [2], [3], [4]]
        with pytest.raises(ValueError, match="X has 2 features, but Reader is expecting 3"):
            reading.read(Reader(), WithStatic(ARRAY[:, :2, 0], [1, 2, 3, 4]))

    def test_static_columns_are_in_one_place(self):
        with pytest.raises(ValueError, match=r"columns without lists, \['age', 'ward'\]"):
            learn(WithStatic(pd.DataFrame(DATA), [1, 2, 3]))


class TestMissing:
    frame = pd.DataFrame({"heat": [[1.0], [2.0, np.nan]], "state": [["a"], [None, "b"]], "age": [np.nan, 3.0]})

    def test_missing_numbers_are_refused_and_named(self):
        with pytest.raises(ValueError, match=r"contains NaN: X\['age'\]\[0\] is missing.*missing=\"ffill\""):
            learn(self.frame.assign(heat=[[1.0], [2.0, 3.0]]))
        with pytest.raises(ValueError, match="contains NaN: sequence 1, step 1, feature 'heat'"):
            learn(self.frame.assign(age=1.0))

    def test_the_feature_that_is_named_is_that_of_X(self):
        X = ARRAY.copy()
        X[2, 1] = np.nan
        with pytest.raises(ValueError, match="sequence 2, step 1, feature 1"):
            learn(X, [0])

    def test_infinite_numbers(self):
        with pytest.raises(ValueError, match=r"X\['age'\]\[1\] is inf, expected a finite number"):
            learn(self.frame.assign(age=[1.0, np.inf]), missing="ffill")

    def test_padding_is_left_out(self):
        X = ARRAY.copy()
        X[1, 1:] = np.nan
        _, sequences = learn(X, [1], missing="ffill")
        assert sequences.lengths.tolist() == [3, 1, 3, 3]


@pytest.mark.parametrize(("column", "error", "message"), [
    (pd.to_datetime(["2020-01-01"] * 3), TypeError, r"datetime64\[[nu]?s\] in the column 'x', expected numbers"),
    ([datetime.date(2020, 1, 1)] * 3, TypeError, r"X\['x'\]\[0\] is date 2020-01-01, expected numbers: convert"),
    ([{"a": 1}] * 3, TypeError, r"in the column 'x' is a dict"),
    (["a", 2, "b"], TypeError, r"X\['x'\]\[1\] is 2 and X\['x'\]\[0\] is 'a', expected categories of one kind"),
    ([1, "a", 2], ValueError, r"X\['x'\]\[1\] is 'a', expected a number"),
    ([[1, 2], None, [2]], ValueError, r"X\[1\] in the column 'x' is missing"),
])
def test_columns_that_cannot_be_used_are_named(column, error, message):
    with pytest.raises(error, match=message):
        learn(pd.DataFrame(DATA).assign(x=column))


@pytest.mark.parametrize(("cells", "message"), [
    ([["a"], [], ["b"]], r"X\[1\] in the column 'x' is an empty list"),
    ([["a"], None, ["b"]], r"X\[1\] in the column 'x' is missing, expected a list"),
    ([["a"], "b", ["c"]], r"X\[1\] in the column 'x' is 'b', expected a list"),
    ([["a", "b"], ["a", "a", "b"], ["c", "c"]], r"X\[2\] holds lists of \[1, 1, 2\] numbers"),
])
def test_lists_that_cannot_be_used_are_named(cells, message):
    with pytest.raises(ValueError, match=message):
        learn(pd.DataFrame(DATA).assign(x=cells))


@pytest.mark.parametrize("lists", [
    [np.ones(1, np.float32), np.ones(2, np.float32)], pl.Series([[1], [1, 2]], dtype=pl.List(pl.Float32)),
])
def test_single_precision_is_that_of_the_numbers(lists):
    library = pl.DataFrame if isinstance(lists, pl.Series) else pd.DataFrame
    _, sequences = learn(library({"heat": lists, "state": [["a"], ["b", "c"]], "age": [1.0, 2.0]}))
    assert sequences.dtype == sequences.static.dtype == np.float32
    assert learn(library({"state": [["a"], ["b", "c"]]}))[1].dtype == np.float64


def test_a_column_may_hold_all_features_of_a_step():
    reading, sequences = learn(pl.DataFrame({"x": [[[1.0, 2], [3, 4]], [[5.0, 6]]], "age": [1, 2], "w": ["a", "b"]}))
    assert loaded(sequences) == ([[1, 2], [3, 4], [5, 6]], [[1, 0], [2, 1]])
    assert (reading.n_features_in, reading.n_step_features) == (3, 2)


def test_steps_that_are_categories_beside_static_numbers():
    reading, sequences = learn(WithStatic(np.array([[0, 1, 2], [1, 1, 0]]), [1.0, 2.0]), categorical=True)
    assert reading.n_categories == 4
    assert sequences.categories.tolist() == [0, 1, 2, 1, 1, 0]
    assert sequences.static.tolist() == [[1], [2]]


class TestSteps:
    reading, _ = learn(pd.DataFrame(DATA))
    forms = (
        [1.5, "off"], np.array([1.5, "off"], dtype=object), {"state": "off", "heat": 1.5},
        pd.Series({"heat": 1.5, "state": "off"}), pd.DataFrame({"heat": [1.5], "state": ["off"]}),
        pl.DataFrame({"heat": [1.5], "state": ["off"]}), pa.table({"heat": [1.5], "state": ["off"]}),
        [[1.5, "off"]],
    )

    @pytest.mark.parametrize("x", forms)
    def test_forms_of_a_step(self, x):
        assert np.ravel(self.reading.mixed.encode_step(x, "error")).tolist() == [1.5, 1]

    def test_several_streams(self):
        steps = self.reading.mixed.encode_step([[1, "on"], [2, None], [3, "new"]], "error")
        assert steps.tolist() == [[1, 2], [2, 3], [3, 4]]

    @pytest.mark.parametrize(("x", "error", "message"), [
        ([1.5], ValueError, r"x has shape \(1,\), expected \(2,\)"),
        (["on", 1.5], ValueError, r"x\['heat'\]\[0\] is 'on', expected a number"),
        ([1.5, 3], TypeError, r"x\['state'\]\[0\] is 3, expected a category"),
        ({"heat": 1.5}, ValueError, r"x has no \['state'\]"),
        ([np.nan, "on"], ValueError, r"x\['heat'\]\[0\] is nan, expected a finite number"),
        ({"state": "on", "heat": np.nan}, ValueError, r"x\['heat'\]\[0\] is nan, expected a finite number"),
        ({"state": "on", "heat": np.inf}, ValueError, r"x\['heat'\]\[0\] is inf, expected a finite number"),
    ])
    def test_others_are_refused(self, x, error, message):
        with pytest.raises(error, match=message):
            self.reading.mixed.encode_step(x, "error")


@pytest.mark.parametrize("form", FRAMES)
class TestOtherFrames:
    """Frames that are not as in fit, which fail before names are compared or where X has none."""

    @pytest.mark.parametrize(("data", "message"), [
        ({name: cells[:0] for name, cells in DATA.items()}, r"Found array with 0 sample\(s\): X is empty"),
        (DATA | {"heat": [1.0, 2.0, 3.0]}, "X in the column ('heat'|0) holds 1.0, expected a list for each sequence"),
        (DATA | {"age": [[30.0], [1.0], [2.0]]}, "X in the column ('age'|2) holds lists, expected one value"),
        (DATA | {"age": [1.0, 1e39, 3.0]}, r"X(\['age'\]|\[:, 2\])\[1\] is 1e\+39, too large for float32"),
    ])
    def test_they_are_refused(self, form, data, message):
        reading, _ = learn(FRAMES[form](DATA))
        with pytest.raises(ValueError, match=message):
            reading.read(Reader(), FRAMES[form](data), dtype=np.dtype(np.float32))

    def test_columns_in_another_order(self, form):
        reading, _ = learn(FRAMES[form](DATA))
        other = FRAMES[form]({name: DATA[name] for name in ("age", "heat", "state", "ward")})
        expected = "holds 30.0, expected a list" if isinstance(other, np.ndarray) else r"should match.*'age'"
        with pytest.raises(ValueError, match=expected):
            reading.read(Reader(), other, named=False)


def test_static_numbers_that_single_precision_does_not_hold():
    with pytest.raises(ValueError, match=r"X\['age'\]\[1\] is -1e\+39, too large for float32"):
        learn(pd.DataFrame({"heat": [np.ones(1, np.float32), np.ones(2, np.float32)], "age": [1.0, -1e39]}))


@pytest.mark.parametrize(("names", "message"), [(["a", "a", "b", "c"], "'a'"), (["a", "b", "c", "c"], "'c'")])
def test_names_of_arrow_that_repeat(names, message):
    table = pa.Table.from_arrays([pa.array(cells) for cells in DATA.values()], names)
    with pytest.raises(ValueError, match=f"X has two columns {message}"):
        learn(table)


@pytest.mark.parametrize("first", [
    pd.Categorical(["b"]), pd.Categorical(["c"], categories=["c", "z"]), [None], [np.nan], ["b"],
])
def test_frames_of_sequences_each_with_categories_of_its_own(first):
    rest = [pd.DataFrame({"x": [1.0, 2.0], "c": pd.Categorical(cells)}) for cells in (["a", "b"], ["c", "a"])]
    reading, sequences = learn([pd.DataFrame({"x": [0.0], "c": first}), *rest])
    encoding = reading.step_encodings[0]
    assert list(encoding.categories) == ["a", "b", "c"]
    assert [encoding.labels[int(code)] for code in sequences.values[1:, 1]] == ["a", "b", "c", "a"]


def test_frames_of_sequences_in_another_order_are_refused():
    reading, _ = learn([pd.DataFrame({"x": [1.0], "c": ["a"]})] * 2)
    with pytest.raises(ValueError, match=r"should match .* \['c', 'x'\], expected \['x', 'c'\]"):
        reading.read(Reader(), [pd.DataFrame({"c": ["a"], "x": [1.0]})])


class TestNamesInMessages:
    """Messages count the features as X does, whatever their order in the network."""

    def test_numbers_that_are_too_large(self):
        reading, _ = learn(ARRAY[..., ::-1].astype(np.float32), [0])
        X = ARRAY[..., ::-1].copy()
        X[2, 1, 1] = 1e39
        with pytest.raises(ValueError, match=r"too large for float32, .*: sequence 2, step 1, feature 1"):
            reading.read(Reader(), X, dtype=np.dtype(np.float32))

    @pytest.mark.parametrize(("value", "missing"), [(np.nan, "error"), (np.inf, "error"), (-np.inf, "ffill")])
    @pytest.mark.parametrize("form", ["lists", "frames"])
    def test_columns_have_names(self, form, value, missing):
        data = {"state": [["a", "b"], ["a"]], "heat": [[1.0, 2.0], [3.0]], "load": [[0.0, value], [1.0]]}
        frames = [pd.DataFrame({name: cells[i] for name, cells in data.items()}) for i in range(2)]
        with pytest.raises(ValueError, match="sequence 0, step 1, feature 'load'"):
            learn(pd.DataFrame(data) if form == "lists" else frames, missing=missing)

    @pytest.mark.parametrize(("chosen", "data", "message"), [
        (None, {"state": DATA["state"], "heat": DATA["heat"]}, r"X\[0\] in the column 'state' holds 'on'"),
        (["ward"], DATA, r"X\[0\] in the column 'state' holds 'on', expected numbers"),
        (["age"], DATA | {"state": DATA["heat"]}, r"X\['ward'\]\[0\] is 'x', but categorical_features leaves"),
        (None, DATA | {"state": DATA["heat"]}, r"X\['ward'\]\[0\] is 'x', but categorical_features leaves"),
    ])
    def test_strings_that_are_no_categories(self, chosen, data, message):
        with pytest.raises(ValueError, match=message):
            learn(pd.DataFrame(data), chosen)
