"""Small estimators in every form, each with the parameters and predictions that the golden file keeps.

A configuration is a function of a random number generator that returns a dict from names to arrays. A name ends in how
its array compares to the stored one: "exact", to the bit, for what skrnn's kernels compute alone, and for labels and
texts; "rounded" for what a function of NumPy or SciPy computes, whose last bits change with the processor and the
version; "minimised" for all that SciPy's L-BFGS has had a part in.
"""

import warnings
import zlib
from functools import partial
from importlib import import_module
from itertools import product

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import (
    RaggedArray,
    RNNClassifier,
    RNNLanguageModel,
    RNNOutlierDetector,
    RNNRegressor,
    RNNSurvival,
    WithStatic,
    kernels,
)
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow, sequences_from_long

INDICATOR = "indicator"         # of the parameter `missing`

# Whatever the defaults become
SCHEDULE = {"learning_rate": "constant", "tol": 1e-4, "n_iter_no_change": 10, "average": 0.0}
NETWORK = {"cell": "lstm", "pooling": "last", "patch_size": None, "standardize": False, "alpha": 1e-4, "epsilon": 1e-8}
SMALL = {"max_iter": 2, "batch_size": 4, "learning_rate_init": 0.02, "random_state": 3, **SCHEDULE, **NETWORK}
GRU = SMALL | {"hidden_size": 4, "cell": "gru"}

CELLS = {
    "rnn-tanh": {"cell": "rnn"},
    "rnn-relu": {"cell": "rnn", "activation": "relu"},
    "rnn-logistic": {"cell": "rnn", "activation": "logistic"},
    "rnn-identity": {"cell": "rnn", "activation": "identity"},
    "gru-after": {"cell": "gru"},
    "gru-before": {"cell": "gru", "reset_after": False},
    "lstm": {"cell": "lstm"},
    "skip_lstm": {"cell": "skip_lstm"},
}
# Cells that came later: with the first of their forms
CELLS |= {name: {"cell": name, **cell.forms[0]} for name, cell in kernels.CELLS.items() if name not in ("rnn", "gru")}
ARRANGEMENTS = {
    "one": {"hidden_size": 5},
    "stacked": {"hidden_size": (4, 3)},
    "bidirectional": {"hidden_size": 3, "bidirectional": True},
    "stacked-bidirectional": {"hidden_size": (3, 2), "bidirectional": True},
}
READINGS = {
    "last": {},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
    "steps": {"return_sequences": True},
}
DTYPES = (np.float32, np.float64)


# Results

def flat(values):
    """An array, and not one of objects: arrays of steps come one after the other, labels in a dtype of their own."""
    values = np.asarray(values)
    if values.dtype == object and np.ndim(values[0]):
        values = np.concatenate(list(values))
    return np.array(values.tolist()) if values.dtype == object else values


def compared(how, arrays):
    return {f"{name}/{how}": flat(array) for name, array in arrays.items()}


def exact(**arrays):
    """Results that compare to the bit."""
    return compared("exact", arrays)


def rounded(**arrays):
    """Results that compare to rounding."""
    return compared("rounded", arrays)


def minimised(**arrays):
    """Results of a minimiser of others, which compare to what it makes of rounding."""
    return compared("minimised", arrays)


def parameters(net):
    """All parameters of a net, in the order of their names."""
    return np.concatenate([array.ravel() for _, array in sorted(net.parameters_.items())])


def minimised_curve(net):
    """What training minimizes, epoch by epoch."""
    return np.add(net.loss_curve_, net.penalty_curve_)


def curves(net):
    """The course of the training, whose means NumPy has taken."""
    return rounded(loss_curve=minimised_curve(net), grad_norm_curve=net.grad_norm_curve_)


# Data: uniform numbers, which are the same by any library of mathematical functions

def uniform(rng, *shape, dtype=np.float64):
    return rng.uniform(-1.5, 1.5, size=shape).astype(dtype)


def ragged(rng, n=9, n_features=3, dtype=np.float64):
    """Sequences of 1 to 9 steps."""
    return [uniform(rng, length, n_features, dtype=dtype) for length in rng.integers(1, 10, size=n)]


def lengths_of(X):
    return [len(x) for x in X]


def each_step(X, draw):
    """Targets of the steps of each sequence; `draw` makes them of a number of steps."""
    return [draw(length) for length in lengths_of(X)]


def targets(rng, X, n_outputs, per_step, draw=uniform):
    """Targets by `draw`, a function of the generator and a shape."""
    columns = () if n_outputs == 1 else (n_outputs,)
    return each_step(X, lambda length: draw(rng, length, *columns)) if per_step else draw(rng, len(X), *columns)


def with_gaps(x, rng):
    """A copy of an array in which a quarter of the values is missing."""
    x = x.copy()
    x[rng.uniform(size=x.shape) < 0.25] = np.nan
    return x


# Cells and layers

def regressor(settings, X, y, **arguments):
    return RNNRegressor(**SMALL | settings).fit(X, y, **arguments)


def every_cell(settings, dtype, rng):
    X = ragged(rng, dtype=dtype)
    net = regressor(settings, X, targets(rng, X, 1, settings.get("return_sequences", False)))
    return exact(parameters=parameters(net), predict=net.predict(X))


def wide(settings, n_units, dtype, rng):
    """Whole vectors of units, and a rest; more sequences than are computed at a time."""
    X = ragged(rng, n=40, n_features=2, dtype=dtype)
    net = regressor(settings | {"hidden_size": n_units, "batch_size": 40}, X, uniform(rng, 40))
    return exact(parameters=parameters(net), predict=net.predict(X))


def cells():
    for i, (arrangement, a) in enumerate(ARRANGEMENTS.items()):
        for j, (reading, b) in enumerate(READINGS.items()):
            dtype = DTYPES[(i + j) % 2]
            for cell, c in CELLS.items():
                yield f"{cell}-{arrangement}-{reading}-{dtype.__name__}", partial(every_cell, a | b | c, dtype)
    for (cell, settings), (n_units, dtype) in product(CELLS.items(), [(17, np.float32), (9, np.float64)]):
        yield f"{cell}-wide-{dtype.__name__}", partial(wide, settings, n_units, dtype)


def dropped(settings, rng):
    X = ragged(rng)
    net = regressor(settings, X, uniform(rng, len(X)))
    return exact(parameters=parameters(net), predict=net.predict(X))


def dropout():
    shares = {
        "dropout": {"dropout": 0.3, "hidden_size": (4, 3)},
        "recurrent_dropout": {"recurrent_dropout": 0.4, "hidden_size": 4},
        "dropout-both": {"dropout": 0.2, "recurrent_dropout": 0.3, "hidden_size": (3, 2), "bidirectional": True},
        "dropout-mean": {"dropout": 0.2, "recurrent_dropout": 0.3, "hidden_size": 4, "pooling": "mean"},
    }
    for (cell, form), (name, settings) in product(CELLS.items(), shares.items()):
        if cell not in ("rnn-relu", "rnn-logistic", "rnn-identity"):
            yield f"{name}-{cell}", partial(dropped, form | settings)


def embedded(settings, rng):
    """Predictions are also of categories that fit has not seen."""
    X = [rng.integers(6, size=length) for length in rng.integers(1, 10, size=10)]
    y = targets(rng, X, 1, settings.get("return_sequences", False))
    net = regressor({"embedding_dim": 3, "hidden_size": 4} | settings, X, y)
    return exact(parameters=parameters(net), predict=net.predict([*X, np.array([2, 40, 1])]))


def embedded_table(rng):
    X = rng.integers(5, size=(8, 4))
    net = RNNClassifier(embedding_dim=2, **GRU).fit(X, np.arange(8) % 3)
    return exact(parameters=parameters(net), predict_proba=net.predict_proba(X))


def embedded_without_weight(rng):
    """The categories of a sequence without weight count as not seen."""
    X = [np.array(x) for x in ([0, 1, 1], [2, 0], [3, 3, 0, 1], [1], [4, 0, 1])]
    net = regressor({"embedding_dim": 3, "hidden_size": 3}, X, uniform(rng, 5), sample_weight=[1, 2, 0, 0.5, 1])
    return exact(parameters=parameters(net), predict=net.predict(X))


def embedded_in_padded(rng):
    X = rng.integers(5, size=(8, 6)).astype(float)
    for row, length in zip(X, rng.integers(2, 7, size=len(X)), strict=True):
        row[length:] = np.nan
    X[1, 0] = np.nan
    net = regressor(GRU | {"embedding_dim": 2, "n_categories": 7, "missing": "ffill"}, X, uniform(rng, 8))
    return exact(parameters=parameters(net), predict=net.predict(X))


def embeddings():
    forms = {
        **CELLS, "steps": {"return_sequences": True}, "mean": {"pooling": "mean"},
        "stacked-bidirectional": {"hidden_size": (3, 2), "bidirectional": True},
        "adamw": {"solver": "adamw", "alpha": 0.1}, "sgd": {"solver": "sgd"}, "rmsprop": {"solver": "rmsprop"},
        "dropout": {"dropout": 0.3}, "bptt": {"truncated_bptt_steps": 3},
    }
    for name, settings in forms.items():
        yield f"embedding-{name}", partial(embedded, settings)
    yield "embedding-table", embedded_table
    yield "embedding-without-weight", embedded_without_weight
    yield "embedding-padded-announced", embedded_in_padded


# Losses and targets

def shares(rng, *shape):
    return rng.uniform(size=shape)


def counts(rng, *shape):
    return rng.integers(5, size=shape).astype(float)


def loss_of(settings, n_outputs, per_step, dtype, rng):
    X = ragged(rng, dtype=dtype)
    logistic = settings.get("out_activation") == "logistic"
    of_counts = LOSSES[settings["loss"]].out_activation == "exp"
    y = targets(rng, X, n_outputs, per_step, counts if of_counts else shares if logistic else uniform)
    net = regressor(GRU | settings | {"return_sequences": per_step}, X, y)
    predicted = rounded if logistic or of_counts else exact
    return exact(parameters=parameters(net)) | predicted(predict=net.predict(X)) | curves(net)


def losses():
    names = {
        "squared_error": {}, "absolute_error": {}, "huber": {"huber_delta": 0.6}, "quantile": {"quantile": 0.3},
        "poisson": {},
    }
    names |= {name: {} for name, loss in LOSSES.items() if loss.is_regression and name not in names}
    kinds = {"one": (1, False), "several": (3, False), "one-step": (1, True), "several-steps": (2, True)}
    for i, (name, settings) in enumerate(names.items()):
        for activation in ["identity"] if LOSSES[name].why_not_logistic else ["identity", "logistic"]:
            for j, (kind, form) in enumerate(kinds.items()):
                settings = settings | {"loss": name, "out_activation": activation}
                yield f"{name}-{activation}-{kind}", partial(loss_of, settings, *form, DTYPES[(i + j) % 2])


def without_targets(rng):
    X = ragged(rng)
    y = each_step(X, lambda length: with_gaps(uniform(rng, length), rng))
    net = regressor(GRU | {"return_sequences": True}, X, y)
    return exact(parameters=parameters(net), predict=net.predict(X))


def weighted_regression(per_step, of_steps, rng):
    X = ragged(rng)
    weights = targets(rng, X, 1, of_steps, shares)
    net = regressor(GRU | {"return_sequences": per_step}, X, targets(rng, X, 2, per_step), sample_weight=weights)
    return exact(parameters=parameters(net), predict=net.predict(X))


def missing_cells(loss, per_step, rng):
    X = ragged(rng)
    y = targets(rng, X, 3, per_step)
    y = [with_gaps(rows, rng) for rows in y] if per_step else with_gaps(y, rng)
    net = regressor(GRU | {"return_sequences": per_step, "loss": loss}, X, y, sample_weight=shares(rng, len(X)))
    return exact(parameters=parameters(net), predict=net.predict(X))


def regression():
    for loss, per_step in product(("squared_error", "huber"), (False, True)):
        yield f"regressor-{loss}-missing-cells{'-steps' * per_step}", partial(missing_cells, loss, per_step)
    yield "regressor-steps-without-targets", without_targets
    yield "regressor-sample_weight", partial(weighted_regression, False, False)
    yield "regressor-steps-sample_weight", partial(weighted_regression, True, False)
    yield "regressor-steps-sample_weight-of-steps", partial(weighted_regression, True, True)


def binary(rng, n):
    return np.resize(["no", "yes"], n)[rng.permutation(n)]


def multiclass(rng, n):
    return np.resize([3, 5, 7, 8], n)[rng.permutation(n)]


def multilabel(rng, n):
    return rng.integers(2, size=(n, 3))


LABELS = {
    "binary": (binary, {"no": 1.0, "yes": 3.0}),
    "multiclass": (multiclass, {3: 0.5, 5: 2.0, 8: 1.5}),
    "multilabel": (multilabel, [{0: 1.0, 1: 2.0}, {0: 0.5, 1: 1.0}, {0: 1.0, 1: 4.0}]),
}


def classified(net, X, *, exactly):
    """Results of a classifier; with `exactly` of one whose probabilities the kernels compute."""
    probabilities = exact if exactly else rounded
    return (
        exact(parameters=parameters(net), predict=net.predict(X))
        | probabilities(predict_proba=net.predict_proba(X)) | rounded(predict_log_proba=net.predict_log_proba(X[:4]))
    )


def classifier(labels, class_weight, weighted, per_step, rng):
    X = ragged(rng, n=12)
    draw = LABELS[labels][0]
    y = each_step(X, partial(draw, rng)) if per_step else draw(rng, len(X))
    weights = rng.uniform(size=len(X)) if weighted else None
    net = RNNClassifier(**GRU | {"class_weight": class_weight, "return_sequences": per_step})
    return classified(net.fit(X, y, sample_weight=weights), X, exactly=labels == "multiclass")


def unlabelled(labels, class_weight, rng):
    """Some steps have no label: −1, or None among strings."""
    X = ragged(rng, n=12)
    y = each_step(X, partial(LABELS[labels][0], rng))
    nothing = None if labels == "binary" else -1
    y = [np.where(rng.uniform(size=len(row)) < 0.3, nothing, row.astype(object)).tolist() for row in y]
    net = RNNClassifier(return_sequences=True, class_weight=class_weight, **GRU).fit(X, y)
    return classified(net, X, exactly=labels == "multiclass")


def some_labels(rng):
    """Steps without any of several labels are NaN."""
    X = ragged(rng, n=12)
    y = each_step(X, lambda length: multilabel(rng, length).astype(float))
    for row in y:
        row[rng.uniform(size=len(row)) < 0.3] = np.nan
    return classified(RNNClassifier(return_sequences=True, **GRU).fit(X, y), X, exactly=False)


def classification():
    for (labels, (_, weights)), per_step in product(LABELS.items(), [False, True]):
        name = f"{labels}-steps" if per_step else labels
        yield name, partial(classifier, labels, None, False, per_step)
        yield f"{name}-class_weight", partial(classifier, labels, weights, False, per_step)
        yield f"{name}-balanced", partial(classifier, labels, "balanced", False, per_step)
        yield f"{name}-sample_weight", partial(classifier, labels, weights, True, per_step)
    for labels in ("binary", "multiclass"):
        yield f"{labels}-steps-unlabelled", partial(unlabelled, labels, None)
        yield f"{labels}-steps-unlabelled-balanced", partial(unlabelled, labels, "balanced")
    yield "multilabel-steps-unlabelled", some_labels


# Training

def trained(settings, rng):
    X = ragged(rng)
    net = regressor(GRU | {"max_iter": 3} | settings, X, uniform(rng, len(X)))
    return exact(parameters=parameters(net), n_clipped=net.n_clipped_, predict=net.predict(X)) | curves(net)


def by_lbfgs(estimator, dtype, rng):
    X = ragged(rng, dtype=dtype)
    y = uniform(rng, len(X)) if estimator is RNNRegressor else np.arange(len(X)) % 3
    net = estimator(**GRU | {"solver": "lbfgs", "max_iter": 3}).fit(X, y)
    predict = net.predict if estimator is RNNRegressor else net.predict_proba
    return minimised(parameters=parameters(net), predict=predict(X), loss_curve=minimised_curve(net))


def training():
    solvers = {
        "adam": {}, "adamw": {"solver": "adamw", "alpha": 0.1}, "sgd": {"solver": "sgd"},
        "sgd-plain": {"solver": "sgd", "nesterovs_momentum": False}, "rmsprop": {"solver": "rmsprop"},
    }
    solvers |= {name: {"solver": name} for name in OPTIMIZERS if name not in solvers}
    schedules = {
        "constant": {}, "invscaling": {"learning_rate": "invscaling", "power_t": 0.4},
        "adaptive": {"learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1, "max_iter": 6},
        "cosine": {"learning_rate": "cosine"},
    }
    for (solver, a), (schedule, b) in product(solvers.items(), schedules.items()):
        yield f"{solver}-{schedule}", partial(trained, a | b)
    others = {
        "adam-betas": {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
        "sgd-no-momentum": {"solver": "sgd", "momentum": 0.0}, "penalty": {"alpha": 2.0}, "no-penalty": {"alpha": 0.0},
        "in-order": {"shuffle": False}, "one-batch": {"batch_size": "auto"}, "batches-of-one": {"batch_size": 1},
        "max_grad_norm": {"max_grad_norm": 0.5}, "max_grad_norm-sgd": {"max_grad_norm": 0.3, "solver": "sgd"},
        "stops": {"tol": 1.0, "n_iter_no_change": 1, "max_iter": 9},
    }
    for name, settings in others.items():
        yield f"training-{name}", partial(trained, settings)
    for estimator, dtype in [(RNNRegressor, np.float64), (RNNRegressor, np.float32), (RNNClassifier, np.float64)]:
        yield f"lbfgs-{estimator.__name__}-{dtype.__name__}", partial(by_lbfgs, estimator, dtype)


def stopped_early(estimator, per_step, own, rng):
    settings = GRU | {
        "max_iter": 5, "early_stopping": True, "scoring": None, "validation_fraction": 0.3,
        "return_sequences": per_step,
    }
    X, X_val = ragged(rng, n=20), ragged(rng, n=6)
    draw = multiclass if estimator is RNNClassifier else uniform
    y, y_val = (each_step(x, partial(draw, rng)) if per_step else draw(rng, len(x)) for x in (X, X_val))
    net = estimator(**settings).fit(X, y, **{"X_val": X_val, "y_val": y_val} if own else {})
    predict = net.predict_proba if estimator is RNNClassifier else net.predict
    return exact(parameters=parameters(net), predict=predict(X_val)) | rounded(scores=net.validation_scores_)


def truncated(settings, rng):
    X = ragged(rng)
    y = targets(rng, X, 1, settings.get("return_sequences", False))
    net = regressor({"hidden_size": (3, 2), "truncated_bptt_steps": 3} | settings, X, y)
    return exact(parameters=parameters(net), predict=net.predict(X))


def in_parts(settings, rng):
    net = RNNRegressor(**GRU | {"max_iter": 3} | settings)
    X = ragged(rng, n=12)
    y = uniform(rng, 12)
    for part in (slice(5), slice(5, 12), slice(8), slice(12)):
        net.partial_fit(X[part], y[part])
    return exact(parameters=parameters(net), predict=net.predict(X)) | curves(net)


def classes_in_parts(rng):
    net = RNNClassifier(**GRU)
    X, y = ragged(rng, n=10), multiclass(rng, 10)
    for part in (slice(5), slice(5, 10), slice(10)):
        net.partial_fit(X[part], y[part], classes=[3, 5, 7, 8])
    return classified(net, X, exactly=True)


def parts_after_fit(rng):
    X, y = ragged(rng), uniform(rng, 9)
    net = regressor(GRU, X, y).partial_fit(X[:5], y[:5])
    return exact(parameters=parameters(net), predict=net.predict(X))


def warm(settings, rng):
    X, y = ragged(rng), uniform(rng, 9)
    net = regressor(GRU | {"warm_start": True} | settings, X, y).fit(X[:6], y[:6])
    return exact(parameters=parameters(net), predict=net.predict(X))


def going_on():
    for estimator, per_step, own in product((RNNRegressor, RNNClassifier), (False, True), (False, True)):
        name = f"early_stopping-{estimator.__name__}{'-steps' * per_step}{'-own' * own}"
        yield name, partial(stopped_early, estimator, per_step, own)
    stretches = {
        "last": {}, "mean": {"pooling": "mean"}, "max": {"pooling": "max"}, "steps": {"return_sequences": True},
        "gru-dropout": {"cell": "gru", "dropout": 0.3, "recurrent_dropout": 0.3}, "rnn": {"cell": "rnn"},
        "skip_lstm-clipped": {"cell": "skip_lstm", "max_grad_norm": 0.2},
        "one": {"truncated_bptt_steps": 1},
    }
    for name, settings in stretches.items():
        yield f"bptt-{name}", partial(truncated, settings)
    schedules = {
        "adam": {}, "cosine": {"learning_rate": "cosine"},
        "sgd-invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
        "adaptive": {"learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1}, "dropout": {"dropout": 0.2},
    }
    for name, settings in schedules.items():
        yield f"partial_fit-{name}", partial(in_parts, settings)
    yield "partial_fit-classes", classes_in_parts
    yield "partial_fit-after-fit", parts_after_fit
    yield "warm_start", partial(warm, {})
    yield "warm_start-sgd", partial(warm, {"solver": "sgd"})


# Forms of X

FILLINGS = {"ffill": "ffill", "indicator": INDICATOR}


def padded(rng):
    """Sequences with gaps in an array, NaN behind their ends."""
    X = with_gaps(uniform(rng, 8, 6, 3), rng)
    for row, length in zip(X, rng.integers(2, 7, size=len(X)), strict=True):
        row[length:] = np.nan
    return X


def gaps(missing, form, per_step, rng):
    X = padded(rng) if form == "array" else [with_gaps(x, rng) for x in ragged(rng)]
    y = targets(rng, X, 1, per_step)
    net = regressor(GRU | {"missing": missing, "return_sequences": per_step}, X, y)
    predicted, state = net.predict(X, return_state=True)
    return exact(parameters=parameters(net), predict=net.predict(X), going_on=predicted, state=state)


def missing_values():
    for (name, missing), form, per_step in product(FILLINGS.items(), ("array", "list"), (False, True)):
        yield f"missing-{name}-{form}{'-steps' * per_step}", partial(gaps, missing, form, per_step)


def as_object_array(sequences):
    out = np.empty(len(sequences), dtype=object)
    out[:] = sequences
    return out


def overlapping(rng):
    """Pieces of one array that share steps, in another order."""
    return RaggedArray(uniform(rng, 20, 3), [4, 9, 1, 6, 3], [12, 0, 5, 2, 17])


def read_from(make, settings, rng):
    X = make(rng)
    net = regressor(GRU | settings, X, uniform(rng, len(X)))
    return exact(parameters=parameters(net), predict=net.predict(X), transform=net.transform(X))


FORMS = {
    "table": lambda rng: uniform(rng, 8, 5),
    "array": lambda rng: uniform(rng, 8, 5, 3),
    "list": ragged,
    "nested lists": lambda rng: [x.tolist() for x in ragged(rng)],
    "list of 1-D": lambda rng: [x[:, 0] for x in ragged(rng, n_features=1)],
    "object array": lambda rng: as_object_array(ragged(rng)),
    "RaggedArray": overlapping,
    "integers": lambda rng: rng.integers(-3, 4, size=(8, 5, 2)),
    "frame": lambda rng: pd.DataFrame(uniform(rng, 8, 4)).add_prefix("c"),
    "frames": lambda rng: [pd.DataFrame(x, columns=list("abc")) for x in ragged(rng)],
    "pandas columns": lambda rng: pd.DataFrame({name: [x.tolist() for x in ragged(rng, n_features=1)] for name in "a"}),
    "polars frame": lambda rng: import_module("polars").DataFrame(uniform(rng, 8, 4), schema=list("abcd")),
    "polars column": lambda rng: import_module("polars").Series([x.tolist() for x in ragged(rng)]),
    "float32 table": lambda rng: uniform(rng, 8, 5, dtype=np.float32),
    "float32 array": lambda rng: uniform(rng, 8, 5, 3, dtype=np.float32),
    "float32 list": partial(ragged, dtype=np.float32),
}


def steps_of_an_array(rng):
    """With targets (n, steps, outputs), and predictions in that form."""
    X = uniform(rng, 7, 4, 2)
    net = regressor(GRU | {"return_sequences": True}, X, uniform(rng, 7, 4, 2))
    return exact(parameters=parameters(net), predict=net.predict(X))


def forms_of_X():
    for name, make in FORMS.items():
        yield f"X-{name}", partial(read_from, make, {})
    yield "X-table of steps", partial(read_from, lambda rng: uniform(rng, 8, 12), {"n_steps": 4})
    yield "X-frame of steps", partial(
        read_from, lambda rng: pd.DataFrame(uniform(rng, 8, 6)).add_prefix("c"), {"n_steps": 3}
    )
    yield "X-array-steps", steps_of_an_array


# Pipelines

def windows(settings, rng):
    X = uniform(rng, 18, 3)
    X[:, 0] = rng.integers(2, size=18)
    net = RNNRegressor(**GRU)
    model = make_pipeline(SlidingWindow(4, **settings), net).fit(X[:12], uniform(rng, 12))
    return exact(parameters=parameters(net), predict=model.predict(X[12:]))


def behind(make, transformer, settings, rng):
    X, net = make(rng), RNNRegressor(**GRU | settings)
    model = make_pipeline(transformer, net).fit(X, uniform(rng, len(X)))
    return exact(parameters=parameters(net), predict=model.predict(X))


def incomplete(rng):
    return [with_gaps(x, rng) for x in ragged(rng)]


def words(rng):
    known = ["a", "cat", "dog", "sat", "on", "the", "mat"]
    texts = [" ".join(rng.choice(known, size=length)) for length in range(1, 9)]
    net = RNNClassifier(embedding_dim=3, **GRU)
    model = make_pipeline(SequenceVectorizer(min_df=2), net).fit(texts, np.arange(8) % 3)
    return exact(parameters=parameters(net), predict_proba=model.predict_proba([*texts, "the bird sat", ""]))


def long_table(rng):
    """Rows in a random order, with a target each."""
    frame = pd.DataFrame({"id": rng.integers(5, size=24), "t": rng.permutation(24), "y": uniform(rng, 24)})
    frame[["a", "b"]] = uniform(rng, 24, 2)
    X, y, _ = sequences_from_long(frame, "id", "t", "y", return_sequences=True)
    net = regressor(GRU | {"return_sequences": True}, X, y)
    return exact(parameters=parameters(net), predict=net.predict(X))


def pipelines():
    for name, settings in {"one": {}, "group": {"group": 0}, "context": {"group": 0, "context": True}}.items():
        yield f"SlidingWindow-{name}", partial(windows, settings)
    for method in ("standard", "minmax", "robust"):
        yield f"SequenceScaler-{method}", partial(behind, ragged, SequenceScaler(method), {})
        yield f"SequenceScaler-{method}-gaps", partial(behind, padded, SequenceScaler(method), {"missing": INDICATOR})
    for strategy in ("mean", "median", "constant", "ffill", "interpolate"):
        yield f"SequenceImputer-{strategy}", partial(behind, incomplete, SequenceImputer(strategy), {})
    indicators, padding = SequenceImputer(add_indicator=True), {"missing": "ffill"}
    yield "SequenceImputer-add_indicator", partial(behind, incomplete, indicators, {})
    yield "SequenceImputer-padding", partial(behind, padded, SequenceImputer("interpolate"), padding)
    yield "SequenceVectorizer", words
    yield "sequences_from_long", long_table


# States

def streamed(settings, rng):
    """In two pieces, and step by step; the hidden states."""
    X = uniform(rng, 5, 6, 3)
    y = targets(rng, X, 1, settings.get("return_sequences", False))
    net = regressor({"hidden_size": (4, 2)} | settings, X, y)
    first, state = net.predict(X[:, :4], return_state=True)
    second, after = net.predict(X[:, 4:], initial_state=state, return_state=True)
    one, stepped = net.predict_step(X[:, 5], state)
    y, alone = net.predict_step(X[0, 0], net.initial_state())
    return exact(
        first=first, state=state, second=second, after=after, one=one, stepped=stepped, y=y, alone=alone,
        beginning=net.initial_state(2), transform=net.transform(X),
    )


def streamed_classes(rng):
    X = uniform(rng, 6, 5, 2)
    net = RNNClassifier(**GRU).fit(X, np.arange(6) % 3)
    probabilities, state = net.predict_proba(X, return_state=True)
    label, _ = net.predict_step(X[:, 0], state)
    return exact(probabilities=probabilities, state=state, label=label, transform=net.transform(X))


def streamed_gaps(missing, rng):
    X = padded(rng)
    net = regressor(GRU | {"missing": missing}, X, uniform(rng, 8))
    state = net.initial_state(8)
    for step in X.transpose(1, 0, 2):
        y, state = net.predict_step(step, state)
    return exact(y=y, state=state)


def states():
    for name, settings in CELLS.items():
        yield f"states-{name}", partial(streamed, settings)
    for name in ("mean", "max", "steps"):
        yield f"states-{name}", partial(streamed, READINGS[name])
    yield "states-classes", streamed_classes
    for name, missing in FILLINGS.items():
        yield f"states-{name}", partial(streamed_gaps, missing)


# Language models

LANGUAGE = {
    "hidden_size": 4, "embedding_dim": 3, "truncated_bptt_steps": 5, "n_streams": 3, "max_iter": 2,
    "learning_rate_init": 0.02,
    "random_state": 3, "cell": "lstm", "alpha": 1e-4, "epsilon": 1e-8, "initial_bias": "zero", **SCHEDULE,
}


def characters(rng, n=12):
    return ["".join(rng.choice(list("abcde"), size=length)) for length in rng.integers(0, 12, size=n)]


def sentences(rng):
    return [f"{' '.join(rng.choice(['the', 'cat', 'dog', 'sat'], size=length))}." for length in rng.integers(1, 8, 12)]


def lists(rng):
    return [rng.integers(5, size=length).tolist() for length in rng.integers(0, 9, size=12)]


def spoken(model, texts):
    """Results of a language model."""
    likelihoods, state = model.symbol_log_likelihoods(texts[0], return_state=True)
    return (
        exact(parameters=parameters(model), state=state)
        | rounded(
            score_samples=model.score_samples(texts[:5]), predict_proba=model.predict_proba(texts[:3]),
            likelihoods=likelihoods,
        )
        | exact(generated=generated(model))
    )


def generated(model, **settings):
    """Five texts."""
    return np.array([str(model.generate(12, random_state=seed, **settings)) for seed in range(5)])


def speaker(settings, texts_of, rng):
    texts = texts_of(rng)
    model = RNNLanguageModel(**LANGUAGE | settings).fit(texts)
    return spoken(model, texts) | curves(model)


def drawn(settings, texts_of, rng):
    """What comes behind a text, by every way to draw."""
    texts = texts_of(rng)
    model = RNNLanguageModel(**LANGUAGE | {"max_iter": 6} | settings).fit(texts)
    ways = {
        "hot": {"temperature": 1.7}, "cold": {"temperature": 0.4}, "likeliest": {"temperature": 0.0},
        "top_k": {"top_k": 2}, "top_p": {"top_p": 0.6},
    }
    return exact(**{name: generated(model, prefix=texts[0][:3], **way) for name, way in ways.items()})


def spoken_in_pieces(rng):
    texts = characters(rng)
    model = RNNLanguageModel(**LANGUAGE).fit(texts)
    first, state = model.symbol_log_likelihoods("abcab", return_state=True, end=False)
    second = model.symbol_log_likelihoods("dea", initial_state=state)
    return exact(state=state) | rounded(first=first, second=second)


def language_in_parts(settings, symbols, ends, rng):
    model, texts = RNNLanguageModel(**LANGUAGE | settings), characters(rng)
    for part in (slice(6), slice(6, 12), slice(12)):
        model.partial_fit(texts[part], symbols=symbols, ends=ends)
        symbols = None
    return spoken(model, texts) | curves(model)


def language_stopped_early(own, rng):
    texts = characters(rng, n=20)
    model = RNNLanguageModel(early_stopping=True, validation_fraction=0.2, **LANGUAGE | {"max_iter": 4})
    model.fit(texts, X_val=characters(rng, n=5) if own else None)
    return spoken(model, texts) | rounded(scores=model.validation_scores_)


def warm_language(rng):
    texts = characters(rng)
    return spoken(RNNLanguageModel(warm_start=True, **LANGUAGE).fit(texts).fit(texts[:7]), texts)


def language():
    forms = {
        **CELLS, "stacked": {"hidden_size": (4, 3)}, "dropout": {"dropout": 0.3, "hidden_size": (4, 3)},
        "recurrent_dropout": {"recurrent_dropout": 0.3}, "min_frequency": {"min_frequency": 14},
        "adamw": {"solver": "adamw", "alpha": 0.1}, "sgd": {"solver": "sgd"}, "rmsprop": {"solver": "rmsprop"},
        "cosine": {"learning_rate": "cosine"}, "invscaling": {"learning_rate": "invscaling"},
        "max_grad_norm": {"max_grad_norm": 0.3}, "in-order": {"shuffle": False}, "one-stream": {"n_streams": 1},
        "long-steps": {"truncated_bptt_steps": 50},
    }
    for name, settings in forms.items():
        yield f"language-{name}", partial(speaker, settings, characters)
    yield "language-word", partial(speaker, {"analyzer": "word"}, sentences)
    yield "language-analyzer", partial(speaker, {"analyzer": str.split}, sentences)
    yield "language-lists", partial(speaker, {}, lists)
    yield "language-draws", partial(drawn, {}, characters)
    yield "language-draws-word", partial(drawn, {"analyzer": "word"}, sentences)
    yield "language-draws-lists", partial(drawn, {}, lists)
    yield "language-pieces", spoken_in_pieces
    yield "language-partial_fit", partial(language_in_parts, {}, None, True)
    yield "language-partial_fit-symbols", partial(language_in_parts, {"solver": "adamw"}, "abcdexyz", True)
    yield "language-partial_fit-without-ends", partial(language_in_parts, {"cell": "gru"}, "abcde", False)
    yield "language-early_stopping", partial(language_stopped_early, False)
    yield "language-early_stopping-own", partial(language_stopped_early, True)
    yield "language-warm_start", warm_language


# Units, patches and what came with them

def in_units(settings, rng):
    """A net that standardizes: what NumPy has summed up, or taken the logarithm of, is in all of its numbers."""
    settings = GRU | {"standardize": True} | settings
    X = [100 + 5 * (x if settings["missing"] == "error" else with_gaps(x, rng)) for x in ragged(rng)]
    y = [50 - 9 * y for y in targets(rng, X, 3, settings["return_sequences"])]
    net = regressor(settings, X, y if settings["return_sequences"] else np.array(y))
    return rounded(
        parameters=parameters(net), X_mean=net.X_mean_, X_scale=net.X_scale_, y_mean=net.y_mean_, y_scale=net.y_scale_,
        predict=net.predict(X), transform=net.transform(X),
    )


def labels_in_units(rng):
    X, y = ragged(rng), np.arange(9) % 3
    net = RNNClassifier(**GRU | {"standardize": True}).fit(X, y, sample_weight=shares(rng, 9))
    return rounded(parameters=parameters(net), predict_proba=net.predict_proba(X))


def in_patches(settings, rng):
    X = [uniform(rng, length, 2) for length in (1, 3, 4, 5, 9, 20, 33)]
    net = regressor(GRU | settings, X, uniform(rng, len(X)))
    arrays = {"parameters": parameters(net), "predict": net.predict(X)}
    if not settings.get("bidirectional"):
        _, state = net.predict([x[: len(x) // 2 + 1] for x in X], return_state=True)
        step, after = net.predict_step(uniform(rng, len(X), 2), state)
        arrays |= {"state": state, "predict_step": step, "after": after}
    return exact(**arrays)


def by_the_loss(rng):
    X, y = ragged(rng, n=20), multiclass(rng, 20)
    net = RNNClassifier(**GRU | {"max_iter": 5, "early_stopping": True, "validation_fraction": 0.3})
    net.fit(X, y, groups=np.arange(20) // 2)
    return exact(parameters=parameters(net)) | rounded(loss=net.validation_loss_curve_)


def units_and_patches():
    for name, settings in {
        "units": {}, "units-steps": {"return_sequences": True}, "units-ffill": {"missing": "ffill"},
        "units-indicator": {"missing": INDICATOR}, "units-sequence": {"standardize": "sequence"},
        "units-sequence-indicator": {"standardize": "sequence", "missing": INDICATOR},
    }.items():
        yield name, partial(in_units, {"missing": "error", "return_sequences": False} | settings)
    yield "units-labels", labels_in_units
    for name, settings in {
        "patches": {"patch_size": 4}, "patches-apart": {"patch_size": 3, "patch_stride": 3},
        "patches-mean": {"patch_size": 5, "patch_stride": 1, "pooling": "mean"},
        "patches-bidirectional": {"patch_size": 4, "bidirectional": True, "pooling": "last_mean_max"},
        "patches-dropout": {"patch_size": 4, "dropout": 0.3, "hidden_size": (4, 3), "recurrent_dropout": 0.2},
        "patches-truncated": {"patch_size": 4, "truncated_bptt_steps": 3},
        "last_mean_max": {"pooling": "last_mean_max"},
    }.items():
        yield name, partial(in_patches, settings)
    for name, settings in {
        "warmup_cosine": {"learning_rate": "warmup_cosine"}, "one_cycle": {"learning_rate": "one_cycle"},
        "average": {"average": 0.7},
    }.items():
        yield f"training-{name}", partial(trained, settings)
    yield "stopped-by-the-loss-groups", by_the_loss


# Distributions

QUANTILES = {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}


def distributed(settings, n_outputs, per_step, dtype, rng):
    """What a net knows of the distribution of targets, of which some are missing where they may be."""
    X = ragged(rng, dtype=dtype)
    y = targets(rng, X, n_outputs, per_step, counts if settings["loss"] == "negative_binomial" else uniform)
    if per_step:
        y = [with_gaps(rows, rng) for rows in y]
    elif n_outputs > 1:
        y = with_gaps(y, rng)
    net = regressor(GRU | settings | {"return_sequences": per_step}, X, y)
    known = {"predict": net.predict(X), "predict_quantile": net.predict_quantile(X, [0.2, 0.5, 0.8])}
    if settings["loss"] != "quantile":
        _, known["std"] = net.predict(X, return_std=True)
    return exact(parameters=parameters(net)) | rounded(**known) | curves(net)


def distributions():
    kinds = {"one": (1, False), "several": (3, False), "one-step": (1, True), "several-steps": (2, True)}
    losses = {name: {"loss": name} for name in ("gaussian", "student_t", "negative_binomial")}
    for i, (name, settings) in enumerate((losses | {"quantiles": QUANTILES}).items()):
        for j, (kind, form) in enumerate(kinds.items()):
            yield f"distribution-{name}-{kind}", partial(distributed, settings, *form, DTYPES[(i + j) % 2])


# What stands beside a sequence, and categories among numbers

def beside(rng, n):
    """Static features: two numbers and a category."""
    return pd.DataFrame({"age": uniform(rng, n), "dose": uniform(rng, n), "ward": np.resize(list("abca"), n)})


def with_static(settings, dtype, rng):
    missing, per_step = settings.get("missing", "error"), settings.get("return_sequences", False)
    X = [x if missing == "error" else with_gaps(x, rng) for x in ragged(rng, dtype=dtype)]
    static = beside(rng, len(X))
    net = regressor(GRU | settings, WithStatic(X, static), targets(rng, X, 1, per_step))
    arrays = {"parameters": parameters(net), "predict": net.predict(WithStatic(X, static))}
    if not settings.get("bidirectional"):
        beginning = net.initial_state(static=static)
        step, after = net.predict_step([x[0] for x in X], beginning)
        arrays |= {"beginning": beginning, "predict_step": step, "after": after}
    return exact(**arrays)


def static_features():
    for i, (to, (reading, settings)) in enumerate(product(("head", "initial_state", "both"), READINGS.items())):
        yield f"static-{to}-{reading}", partial(with_static, {"static_to": to} | settings, DTYPES[i % 2])
    forms = {
        **CELLS, "stacked-bidirectional": {"hidden_size": (3, 2), "bidirectional": True, "cell": "lstm"},
        "indicator-steps": {"missing": INDICATOR, "return_sequences": True},
        "dropout": {"dropout": 0.3, "recurrent_dropout": 0.2}, "bptt": {"truncated_bptt_steps": 3},
        "patches": {"patch_size": 4}, "embedding_dim": {"embedding_dim": 3},
    }
    for name, settings in forms.items():
        yield f"static-{name}", partial(with_static, {"static_to": "both"} | settings, np.float64)


def among_numbers(settings, dtype, rng):
    """Two numbers and two categories, of which later steps have others than those that were fitted."""
    X = [np.insert(x, [1, 2], rng.integers((3, 12), size=(len(x), 2)), axis=1) for x in ragged(rng, 12, 2, dtype)]
    if settings.get("missing") is not None:
        X = [with_gaps(x, rng) for x in X]
    per_step = settings.get("return_sequences", False)
    y = each_step(X, partial(multiclass, rng)) if per_step else multiclass(rng, 12)
    net = RNNClassifier(categorical_features=[1, 3], **GRU | settings).fit(X, y)
    new = [np.where([[False, True, False, True]], x + 1, x).astype(dtype) for x in X]
    return exact(parameters=parameters(net), predict_proba=net.predict_proba(X), new=net.predict_proba(new))


def categories():
    forms = {
        "numbers": {}, "steps": {"return_sequences": True}, "indicator": {"missing": INDICATOR},
        "indicator-patches": {"missing": INDICATOR, "patch_size": 4}, "patches": {"patch_size": 4},
        "bidirectional": {"cell": "lstm", "hidden_size": (3, 2), "bidirectional": True},
        "dropout": {"dropout": 0.2, "missing": "ffill"}, "embedding_dim": {"embedding_dim": 2, "solver": "adamw"},
        "bptt": {"truncated_bptt_steps": 3}, "bptt-steps": {"truncated_bptt_steps": 3, "return_sequences": True},
    }
    for i, (name, settings) in enumerate(forms.items()):
        yield f"categories-{name}", partial(among_numbers, settings, DTYPES[i % 2])


# Several columns of classes

def in_columns(rng, n):
    """Labels of three types, a fifth of them missing."""
    y = np.array([["abc"[i % 3], i % 2 == 0, i % 4] for i in rng.permutation(n)], dtype=object)
    return np.where(rng.uniform(size=y.shape) < 0.2, None, y)


def classified_in_columns(settings, dtype, rng):
    per_step = settings.get("return_sequences", False)
    X = ragged(rng, n=24, dtype=dtype)
    y = each_step(X, partial(in_columns, rng)) if per_step else in_columns(rng, len(X))
    net = RNNClassifier(**GRU | settings).fit(X, y, sample_weight=shares(rng, len(X)))
    probabilities, labels = np.concatenate([flat(p) for p in net.predict_proba(X)], axis=-1), net.predict(X)
    labels = np.concatenate(list(labels)) if per_step else labels
    return exact(parameters=parameters(net), predict=labels.astype(str)) | rounded(predict_proba=probabilities)


def columns_of_classes():
    forms = {"": {}, "-steps": {"return_sequences": True}, "-balanced": {"class_weight": "balanced"}}
    for i, (name, settings) in enumerate(forms.items()):
        yield f"classes-in-columns{name}", partial(classified_in_columns, settings, DTYPES[i % 2])


# Uneven times and decays

def timed(settings, dtype, rng):
    """NumPy has taken the mean of the times since features were last seen, which is in all numbers."""
    X = [uniform(rng, length, 3, dtype=dtype) for length in rng.integers(1, 10, size=12)]
    X = [x if settings.get("missing") is None else with_gaps(x, rng) for x in X]
    if settings.get("times") is not None:
        X = [np.insert(x, 1, np.cumsum(rng.integers(1, 9, size=len(x))) / 4, axis=1) for x in X]
    net = regressor(GRU | settings, X, targets(rng, X, 1, settings.get("return_sequences", False)))
    arrays = {"parameters": parameters(net), "predict": net.predict(X)}
    if not settings.get("bidirectional"):
        _, arrays["state"] = net.predict(X, return_state=True)
        arrays["predict_step"], arrays["after"] = net.predict_step([x[-1] for x in X], arrays["state"])
    return rounded(**arrays)


def times():
    decay = {"missing": "decay"}
    forms = {
        "times": {"times": 1}, "times-ffill": {"times": 1, "missing": "ffill"},
        "times-indicator": {"times": 1, "missing": INDICATOR}, "decay": decay,
        **{f"decay-times-{cell}": decay | {"times": 1} | form for cell, form in CELLS.items()},
        "decay-times-steps": decay | {"times": 1, "return_sequences": True},
        "decay-times-bidirectional": decay | {"times": 1, "hidden_size": (3, 2), "bidirectional": True},
        "decay-times-dropout": decay | {"times": 1, "dropout": 0.2, "recurrent_dropout": 0.3},
        "decay-times-bptt": decay | {"times": 1, "truncated_bptt_steps": 3},
    }
    for i, (name, settings) in enumerate(forms.items()):
        yield name, partial(timed, settings, DTYPES[i % 2])


# Survival and outliers

def survived(settings, rng):
    X = ragged(rng, n=24)
    y = np.column_stack([rng.uniform(size=24) < 0.7, rng.integers(1, 40, size=24) / 4])
    net = RNNSurvival(**GRU | {"intervals": 5} | settings).fit(X, y)
    hazards = [step.y for step in net.predict_cumulative_hazard_function(X)]
    return exact(parameters=parameters(net), edges=net.unique_times_) | rounded(predict=net.predict(X), hazards=hazards)


def detected(settings, rng):
    """Errors are in units of what NumPy has taken the mean of."""
    X = ragged(rng, n=20)
    detector = RNNOutlierDetector(contamination=0.1)
    of_forecasts = {name: value for name, value in GRU.items() if name in detector.get_params()}
    detector.set_params(**of_forecasts | settings).fit(X)
    scores = {name: getattr(detector, name)(X) for name in ("score_samples", "score_steps")}
    state = detector.initial_state(20)
    for t in range(2):
        step, state = detector.score_step([x[min(t, len(x) - 1)] for x in X], state)
    return exact(parameters=parameters(detector.forecaster_), predict=detector.predict(X)) | rounded(
        **scores, step=step, state=state, offsets=[detector.offset_, detector.step_offset_],
        error_scale=detector.error_scale_,
    )


def survival_and_outliers():
    for name, settings in {"": {}, "-mean": {"pooling": "mean"}, "-edges": {"intervals": [2, 4.5, 9]}}.items():
        yield f"survival{name}", partial(survived, settings)
    for name, settings in {"": {}, "-max": {"reduction": "max", "cell": "lstm"}}.items():
        yield f"outliers{name}", partial(detected, settings)


def collected(*sections):
    """The configurations of all sections by their names, which differ."""
    pairs = [pair for section in sections for pair in section()]
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("two configurations have the same name")
    return table


CONFIGURATIONS = collected(
    cells, dropout, embeddings, losses, regression, classification, training, going_on, missing_values, forms_of_X,
    pipelines, states, language, units_and_patches, distributions, static_features, categories, columns_of_classes,
    times, survival_and_outliers,
)


def results(name):
    """The arrays of a configuration, by "configuration/array/how it compares"."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        arrays = CONFIGURATIONS[name](rng)
    return {f"{name}/{what}": array for what, array in arrays.items()}
