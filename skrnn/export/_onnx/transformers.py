"""The steps of a Pipeline before the net, as operators on the numbers that they transform."""

from typing import NamedTuple

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skrnn.exceptions import ExportError
from skrnn.export._onnx.functions import fill_forward
from skrnn.export._onnx.interpolation import interpolated
from skrnn.export._onnx.single_precision import as_float32, centered, divisors_as_float32
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow


class Numbers(NamedTuple):
    """The numbers of X on their way through a Pipeline."""

    values: str             # (n, columns) of a table, else (n, T, features); float32
    lengths: str | None     # (n,) int64; None for a table
    n_features: int         # columns, or features of a step
    in_streams: bool = False    # whether T steps continue others

    @property
    def is_table(self):
        """Whether they are a table: rows of columns."""
        return self.lengths is None


def reads_tables(transformer):
    """Whether a fitted transformer, the first step of a Pipeline, reads a table."""
    if isinstance(transformer, SequenceScaler | SequenceImputer):
        return transformer._fitted.reading.from_table
    return True


def n_step_features_of(transformer):
    """The features of a step that a fitted transformer reads."""
    is_of_steps = isinstance(transformer, SequenceScaler | SequenceImputer)
    return transformer._fitted.reading.n_step_features if is_of_steps else transformer.n_features_in_


def fills_padding(transformers):
    """Whether one of some fitted transformers makes steps like any others of the padding of a 3-D array."""
    return any(isinstance(each, SequenceImputer) and each._fitted.padding == "fill" for each in transformers)


def adds_indicators(transformer):
    """Whether a fitted transformer adds an indicator of each feature."""
    return isinstance(transformer, SequenceImputer) and transformer._fitted.add_indicator


def changes_nothing(step):
    """Whether a step of a Pipeline returns what it reads."""
    if isinstance(step, FunctionTransformer):
        return step.func is None
    return step is None or (isinstance(step, str) and step == "passthrough")


def check_step(name, transformer):
    """Raise an ExportError for a step of a Pipeline of a kind that has no form in ONNX, naming it and what to do."""
    kind = type(transformer)
    if isinstance(transformer, FunctionTransformer):
        raise ExportError(
            f"{_called(name, transformer)} calls a function of Python, which has no form in ONNX: leave it out of the "
            "Pipeline"
        )
    if kind is SequenceVectorizer:
        raise ExportError(
            f"{_called(name, transformer)} reads texts, and no operator of ONNX cuts them as it does: export the steps "
            "after it alone, pipeline[1:], whose X are the numbers that it returns"
        )
    if kind not in TRANSFORMERS:
        known = ", ".join(sorted(known.__name__ for known in TRANSFORMERS))
        raise ExportError(
            f"{_called(name, transformer)} has no form in ONNX: expected one of {known}; export the steps after it "
            "alone, pipeline[i:], and pass them what it returns"
        )


def _called(name, transformer):
    return f"the step {name!r} of the Pipeline, {type(transformer).__name__},"


def transform(g, name, transformer, X):
    """What a fitted transformer, the step of this name in a Pipeline, makes of `Numbers`.

    Raises
    ------
    ExportError
        When it cannot be said in operators, naming the step and what to do.
    """
    check_step(name, transformer)
    return TRANSFORMERS[type(transformer)](g, _called(name, transformer), transformer, X)


# Scaling

def _part(name, what):
    """What messages call the numbers of a step."""
    return f"{what} cannot be exported: its {name}"


def _scaled(g, what, values, center=None, scale=None):
    """(values − center) / scale, of those that are not None."""
    if center is not None:
        values = centered(g, values, center, _part("center", what))
    if scale is None:
        return values
    return g.div(values, g.constant(divisors_as_float32(_part("scale", what), scale)))


def _sequence_scaler(g, what, scaler, X):
    fitted = scaler._fitted
    steps = _scaled(g, what, _as_steps(g, fitted.reading, X), fitted.center, fitted.scale)
    return _put_back(g, X, steps, fitted.reading, fitted.reading.n_step_features)


def _standard_scaler(g, what, scaler, X):
    center = scaler.mean_ if scaler.with_mean else None
    return X._replace(values=_scaled(g, what, _table(what, X), center, scaler.scale_))


def _robust_scaler(g, what, scaler, X):
    return X._replace(values=_scaled(g, what, _table(what, X), scaler.center_, scaler.scale_))


def _max_abs_scaler(g, what, scaler, X):
    values = _scaled(g, what, _table(what, X), scale=scaler.scale_)
    return X._replace(values=_clipped(g, values, -1.0, 1.0) if getattr(scaler, "clip", False) else values)


def _min_max_scaler(g, what, scaler, X):
    low, high = map(float, scaler.feature_range)
    # as (x − minimum) / (1 / scale) + low, in which nothing cancels
    values = g.add(_scaled(g, what, _table(what, X), scaler.data_min_, 1 / scaler.scale_), low)
    return X._replace(values=_clipped(g, values, low, high) if scaler.clip else values)


def _clipped(g, values, low, high):
    """Values between two numbers; NaN stays NaN."""
    return g.where(g.op("IsNaN", values), values, g.op("Clip", values, low, high))


# Missing values

def _sequence_imputer(g, what, imputer, X):
    fitted = imputer._fitted
    if X.in_streams and fitted.strategy in ("ffill", "interpolate"):
        raise ExportError(
            f"{what} looks at other steps with strategy={fitted.strategy!r}, which a stream does not have: export "
            "without states, or fit the net with missing='ffill' in its place"
        )
    values = _as_steps(g, fitted.reading, X)
    statistics = g.constant(as_float32(_part("statistics_", what), fitted.statistics)[np.newaxis])
    if fitted.strategy == "ffill":
        filled = fill_forward(g, values, g.op("Not", g.op("IsNaN", values)), statistics)
    else:
        filled = interpolated(g, values, X.lengths) if fitted.strategy == "interpolate" else values
        filled = g.where(g.op("IsNaN", filled), statistics, filled)
    if fitted.add_indicator:
        filled = g.concat([filled, g.cast(g.op("IsNaN", values), np.float32)], axis=2)
    return _put_back(g, X, filled, fitted.reading, fitted.reading.n_step_features * (1 + fitted.add_indicator))


def _simple_imputer(g, what, imputer, X):
    values = _table(what, X)
    if not _is_nan(imputer.missing_values) or imputer.add_indicator:
        raise ExportError(
            f"{what} has a form in ONNX with missing_values=np.nan and add_indicator=False alone: try SequenceImputer"
        )
    statistics = np.asarray(imputer.statistics_, np.float64)
    if np.isnan(statistics).any():
        raise ExportError(f"{what} leaves out columns that it saw no value of: leave them out of X")
    statistics = g.constant(as_float32(_part("statistics_", what), statistics))
    return X._replace(values=g.where(g.op("IsNaN", values), statistics, values))


def _is_nan(value):
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


# Other steps

def _sliding_window(g, what, windows, X):
    """The window of each row of a table: itself and the rows before it, oldest first."""
    _table(what, X)
    _, window, group, _ = windows._fitted
    if group is not None or windows.context:
        name = "context=True" if windows.context else f"group={group!r}"
        raise ExportError(f"{what} has no form in ONNX with {name}: export the steps after it alone, pipeline[1:]")
    n = g.shape(X.values, 0)
    rows = g.range(n)
    lengths = g.op("Min", g.add(rows, 1), window)
    first = g.sub(g.add(rows, 1), lengths)
    places = g.add(g.unsqueeze(first, 1), g.constant(np.arange(window)))
    # steps behind the end of a short window are any rows
    steps = g.gather(X.values, g.op("Min", places, g.sub(n, 1)))
    return X._replace(values=steps, lengths=lengths)


# What they read

def _table(what, X):
    """The values of `Numbers` that are a table."""
    if not X.is_table:
        raise ExportError(f"{what} reads a table, but X holds sequences: expected SequenceScaler or SequenceImputer")
    return X.values


def _as_steps(g, reading, X):
    """The values of `Numbers` as the steps (n, T, features) that a transformer of skrnn reads."""
    return g.reshape(X.values, 0, -1, reading.n_step_features) if X.is_table else X.values


def _put_back(g, X, steps, reading, n_features):
    """`Numbers` that were steps (n, T, n_features) to a transformer, in the form that they had."""
    if not X.is_table:
        return X._replace(values=steps, n_features=n_features)
    n_columns = X.n_features // reading.n_step_features * n_features
    return X._replace(values=g.reshape(steps, 0, n_columns), n_features=n_columns)


TRANSFORMERS = {
    SequenceScaler: _sequence_scaler, SequenceImputer: _sequence_imputer, SlidingWindow: _sliding_window,
    StandardScaler: _standard_scaler, RobustScaler: _robust_scaler, MinMaxScaler: _min_max_scaler,
    MaxAbsScaler: _max_abs_scaler, SimpleImputer: _simple_imputer,
}
