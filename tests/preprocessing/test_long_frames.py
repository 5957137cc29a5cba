"""Long tables with static columns and categories, and those that are not collected yet."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skrnn.preprocessing import predictions_to_long, sequences_from_long

LONG = {
    "unit": ["b", "a", "b", "a", "b"], "when": [2, 0, 0, 1, 1], "heat": [3.0, 7.0, 1.0, 8.0, 2.0],
    "state": ["on", "off", "off", None, "off"], "kind": ["new", None, "new", None, "new"],
    "age": [1.5, 2.5, 1.5, 2.5, 1.5], "y": [True, False, True, False, True],
}
EAGER = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.table}


def relation(path):
    """The table as a Parquet file, which DuckDB reads."""
    pq.write_table(pa.table(LONG), path / "long.parquet")
    return duckdb.connect().sql(f"SELECT * FROM '{path / 'long.parquet'}'")


LAZY = {
    "polars": (lambda path: pl.LazyFrame(LONG), pl.DataFrame), "DuckDB": (relation, pa.Table),
    "scan of polars": (lambda path: relation(path) and pl.scan_parquet(path / "long.parquet"), pl.DataFrame),
}


def columns_of(table):
    """The columns of a table as lists."""
    if isinstance(table, pa.Table):
        return table.to_pydict()
    columns = {name: table[name].to_list() for name in table.columns}
    return {
        name: [None if cell is None or cell is np.nan else list(cell) if hasattr(cell, "__len__") and not
               isinstance(cell, str) else cell for cell in cells] for name, cells in columns.items()
    }


@pytest.mark.parametrize("static", [[], [5], [4, 5]])
def test_columns_may_be_numbered(static):
    table = pd.DataFrame(LONG).set_axis(range(len(LONG)), axis=1)
    X, y, groups = sequences_from_long(table, 0, 1, 6, features=[2], static=static)
    columns = {2: [[1, 2, 3], [7, 8]], 4: ["new", None], 5: [1.5, 2.5]}
    assert columns_of(X) == {name: columns[name] for name in [2, *static]}
    assert (y.tolist(), groups.tolist()) == ([True, False], ["b", "a"])


@pytest.mark.parametrize("library", EAGER)
class TestStatic:
    def test_a_frame_with_both(self, library):
        X, y, groups = sequences_from_long(EAGER[library](LONG), "unit", "when", "y", static=["kind", "age"])
        assert isinstance(X, EAGER[library] if library != "Arrow" else pa.Table)
        assert columns_of(X) == {
            "heat": [[1, 2, 3], [7, 8]], "state": [["off", "off", "on"], ["off", None]], "kind": ["new", None],
            "age": [1.5, 2.5],
        }
        assert (y.tolist(), groups.tolist()) == ([True, False], ["b", "a"])

    def test_static_may_be_empty(self, library):
        X, _, _ = sequences_from_long(EAGER[library](LONG), "unit", "when", features=["state"], static=[])
        assert columns_of(X) == {"state": [["off", "off", "on"], ["off", None]]}

    def test_the_group_may_be_static(self, library):
        X, _, _ = sequences_from_long(EAGER[library](LONG), "unit", "when", features=["heat"], static=["unit"])
        assert columns_of(X)["unit"] == ["b", "a"]

    @pytest.mark.parametrize(("column", "cells", "message"), [
        ("age", [1.0, 2, 1, 2, 3], r"df\['age'\] is 1.0 in row 2 and 3.0 in row 4, both in the group 'b'"),
        ("kind", ["new", "x", "old", "x", "old"], r"df\['kind'\] is 'new' in row 0 and 'old' in row 4, .* group 'b'"),
        ("kind", ["new", None, "new", "old", "new"], r"df\['kind'\] is (None|nan) in row 1 and 'old' in row 3, .* 'a'"),
        ("age", [1.0, None, 1, 2, 1], r"in row 1 and 2.0 in row 3, both in the group 'a'"),
    ])
    def test_values_that_are_not_constant(self, library, column, cells, message):
        df = EAGER[library](LONG | {column: cells})
        with pytest.raises(ValueError, match=message):
            sequences_from_long(df, "unit", "when", "y", static=["kind", "age"])

    @pytest.mark.parametrize(("static", "error", "message"), [
        (["age", "age"], ValueError, "expected different columns"),
        ("age", TypeError, "expected a list of columns"),
        (["z"], ValueError, "static='z': expected one of the columns of df"),
        (["y"], ValueError, "'y' is the time or a target"),
        (["when"], ValueError, "'when' is the time or a target"),
    ])
    def test_other_columns_are_refused(self, library, static, error, message):
        with pytest.raises(error, match=message):
            sequences_from_long(EAGER[library](LONG), "unit", "when", "y", static=static)

    def test_no_column_is_both(self, library):
        with pytest.raises(ValueError, match=r"none of the targets \[\] and static columns \['age'\]"):
            sequences_from_long(EAGER[library](LONG), "unit", "when", features=["heat", "age"], static=["age"])

    def test_strings_need_a_frame(self, library):
        with pytest.raises(TypeError, match=r"df\['state'\] has dtype .*static=\[\] for a frame with categories"):
            sequences_from_long(EAGER[library](LONG), "unit", "when", features=["state"])


def test_static_dates_are_refused():
    df = pd.DataFrame(LONG).assign(born=pd.to_datetime("2000-01-01"))
    with pytest.raises(TypeError, match=r"df\['born'\] has dtype Datetime.*convert dates"):
        sequences_from_long(df, "unit", "when", "y", static=["born"])


def test_dtypes_of_static_columns_stay():
    df = pd.DataFrame(LONG).astype({"kind": pd.CategoricalDtype(["old", "new"]), "age": "float32"})
    X, _, _ = sequences_from_long(df, "unit", "when", "y", static=["kind", "age"])
    assert X.dtypes[["kind", "age"]].tolist() == [df.dtypes["kind"], np.float32]


@pytest.mark.parametrize("kind", LAZY)
class TestLazy:
    def test_groups_are_sorted(self, kind, tmp_path):
        make, collected = LAZY[kind]
        X, y, groups = sequences_from_long(make(tmp_path), "unit", "when", "y", static=["kind", "age"])
        assert isinstance(X, collected)
        assert columns_of(X) == {
            "heat": [[7, 8], [1, 2, 3]], "state": [["off", None], ["off", "off", "on"]], "kind": [None, "new"],
            "age": [2.5, 1.5],
        }
        assert (y.tolist(), groups.tolist()) == ([False, True], ["a", "b"])

    def test_numbers_alone(self, kind, tmp_path):
        X, _, _ = sequences_from_long(LAZY[kind][0](tmp_path), "unit", "when", features=["heat"])
        assert [x.tolist() for x in X] == [[[7], [8]], [[1], [2], [3]]]

    def test_predictions_go_back(self, kind, tmp_path):
        df = LAZY[kind][0](tmp_path)
        assert columns_of(predictions_to_long(np.array([0.25, 0.5]), df, "unit", "when")) == {
            "unit": ["a", "b"], "prediction": [0.25, 0.5],
        }
        per_step = [np.array([0.1, 0.2]), np.array([0.3, 0.4, 0.5])]
        table = predictions_to_long(per_step, df, "unit", "when", return_sequences=True, names="risk")
        assert isinstance(table, LAZY[kind][1])
        assert columns_of(table) == {
            "unit": list("aabbb"), "when": [0, 1, 0, 1, 2], "risk": [0.1, 0.2, 0.3, 0.4, 0.5],
        }

    def test_columns_that_there_are_not(self, kind, tmp_path):
        df = LAZY[kind][0](tmp_path)
        for arguments in (("z", "when"), ("unit", "z"), ("unit", "when", "z")):
            with pytest.raises(ValueError, match="'z': expected one of the columns of df"):
                sequences_from_long(df, *arguments, features=["heat"])


def test_the_engine_selects_and_sorts_and_collects_once(monkeypatch):
    plans = []
    collect = pl.LazyFrame.collect

    def counted(frame, *arguments, **keywords):
        plans.append(frame.explain())
        return collect(frame, *arguments, **keywords)

    monkeypatch.setattr(pl.LazyFrame, "collect", counted)
    sequences_from_long(pl.LazyFrame(LONG), "unit", "when", "y", features=["heat"], static=["age"])
    (plan,) = plans
    assert "SORT BY" in plan
    assert "kind" not in plan.split("PROJECT")[1].split("\n")[0]
