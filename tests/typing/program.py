"""What users write, with the types that they rely on: checked by mypy, and run with each `assert_type` tested."""

import tempfile
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import (
    RaggedArray,
    RNNClassifier,
    RNNLanguageModel,
    RNNOutlierDetector,
    RNNRegressor,
    RNNSurvival,
    WithStatic,
)
from skrnn.datasets import load_sunspots, make_delayed_echo, make_survival
from skrnn.export import to_c
from skrnn.forecasting import ForecastWindows, RollingOrigin, SeasonalNaive, backtest
from skrnn.inspection import hidden_states, input_gradients, integrated_gradients
from skrnn.metrics import concatenate_steps, make_sequence_scorer, split_steps
from skrnn.preprocessing import SequenceScaler, SequenceVectorizer, SlidingWindow, sequences_from_long

rng = np.random.default_rng(0)


def made(n: int, n_features: int = 2) -> tuple[list[NDArray[np.float64]], list[str]]:
    X = [rng.normal(size=(int(steps), n_features)) for steps in rng.integers(3, 6, size=n)]
    return X, ["up" if x[0, 0] > 0 else "down" for x in X]


def classify() -> None:
    X, y = made(20)
    net = RNNClassifier((3, 2), cell="lstm", class_weight={"up": 2}, max_iter=1, tol=1e9, random_state=0)
    assert_type(net.fit(X, y, groups=range(20)), RNNClassifier)
    assert_type(net.predict(X), NDArray[Any])
    labels, state = net.predict(X[:2], return_state=True)
    assert_type(state, NDArray[Any])
    print(labels.shape, net.predict_proba(X)[:, 1].mean(), net.predict_log_proba(X).max())
    _, state = net.predict_proba_step(X[0][0], net.initial_state())
    _, state = net.predict_step([0.5, 1.0], state)
    assert_type(state, NDArray[Any])
    assert_type(net.score(X, y), float)
    assert_type(net.loss_curve_, list[float])
    assert_type(net.n_iter_, int)
    assert_type(net.best_validation_score_, float | None)
    assert_type(net.parameters_["head.c"], NDArray[Any])
    net.parameters_["head.c"] = net.parameters_["head.c"] + 1
    assert_type(net.set_parameters(dict(net.parameters_)), RNNClassifier)
    assert_type(net.get_params(), dict[str, Any])
    assert_type(net.set_params(alpha=1e-3).alpha, float)
    assert_type(net.embeddings_, dict[str, NDArray[Any]])
    assert_type(hidden_states(net, X), NDArray[Any])
    assert_type(to_c(net), str)


def regress() -> None:
    X = rng.normal(size=(20, 4, 2))
    net = RNNRegressor(np.int64(3), loss="gaussian", max_iter=np.int64(1), tol=1e9, random_state=np.int64(0))
    net.fit(X, X[:, 0, 0])
    _, std = net.predict(X, return_std=True)
    assert_type(std, NDArray[Any])
    assert_type(net.predict_quantile(X, [0.1, 0.9]), NDArray[Any])
    assert_type(net.sample(X, 5, random_state=0), NDArray[Any])
    assert_type(net.predict(X, True, return_state=True), tuple[NDArray[Any], NDArray[Any], NDArray[Any]])
    _, _, state = net.predict_step(X[0, 0], None, return_std=True)
    assert_type(state, NDArray[Any])
    assert_type(input_gradients(net, X), NDArray[np.float64])
    _, n_points = integrated_gradients(net, X, tol=0.1, return_n_points=True)
    assert_type(n_points, NDArray[np.intp])
    assert_type(input_gradients(net, RaggedArray.from_list(list(X))), RaggedArray)


def other_nets() -> None:
    X, y = make_survival(20, (3, 5), random_state=0)
    survival = RNNSurvival(2, intervals=3, max_iter=1, tol=1e9).fit(X, y)
    functions = survival.predict_survival_function(X)
    print(functions[0](0.0))
    assert_type(survival.predict_survival_function(X, return_array=True), NDArray[Any])
    detector = RNNOutlierDetector(2, contamination=0.1, max_iter=1, tol=1e9).fit(X)
    assert_type(detector.predict(X), NDArray[np.intp])
    assert_type(detector.offset_, float)
    _, state = detector.score_step(X[0][0], None)
    assert_type(state, NDArray[Any])
    model = RNNLanguageModel(2, analyzer="char", max_iter=1, tol=1e9, random_state=0).fit(["anna", "hanna"])
    assert_type(model.perplexity(["anna"]), float)
    assert_type(model.score_samples(["anna"]), NDArray[np.float64])
    print("".join(model.generate(3, stream=True)), model.generate(3, "a", top_k=2))


def read() -> None:
    X, _ = made(6)
    ragged = RaggedArray.from_list(X, feature_names=["a", "b"])
    assert_type(ragged[0], NDArray[Any])
    assert_type(ragged[1:3], RaggedArray)
    assert_type(ragged[[0, 2]], RaggedArray)
    assert_type(ragged[np.arange(6) > 3], RaggedArray)
    both = WithStatic(ragged, [[61.0]] * 6, ["age"])
    assert_type(both[:2], WithStatic)
    assert_type(both[0], tuple[Any, Any])
    assert_type(both.static_names, list[str] | None)
    texts = SequenceVectorizer(analyzer="char").fit_transform(["to be", "or not"])
    assert_type(texts, RaggedArray)
    windows = SlidingWindow(3).fit_transform(np.arange(12.0).reshape(6, 2))
    assert_type(windows, RaggedArray)
    columns = {"id": [0, 0, 1], "t": [0, 1, 0], "x": [1.0, 2.0, 3.0], "y": [5, 5, 6]}
    try:
        import pandas
    except ImportError:
        return
    sequences, targets, _ = sequences_from_long(pandas.DataFrame(columns), "id", "t", "y")
    assert_type(sequences, RaggedArray)
    assert_type(targets, NDArray[Any])
    sequences, nothing, _ = sequences_from_long(pandas.DataFrame(columns), "id", "t")
    assert_type(nothing, None)


def label_steps() -> None:
    X, y = make_delayed_echo(12, (4, 6), delay=1, random_state=0)
    assert_type(X, list[NDArray[np.float64]])
    net = RNNRegressor(2, return_sequences=True, max_iter=1, tol=1e9).fit(X, y)
    flat = concatenate_steps(y, net.predict(X))
    assert_type(flat, tuple[NDArray[Any], ...])
    assert_type(split_steps(flat[1], y), NDArray[Any])


def search() -> None:
    X, y = made(12)
    pipeline = make_pipeline(SequenceScaler("robust"), RNNClassifier(2, max_iter=1, tol=1e9))
    found = GridSearchCV(pipeline, {"rnnclassifier__cell": ["gru", "mgu"]}, cv=2).fit(X, y)
    print(found.best_params_, cross_val_score(pipeline, X, y, cv=2))
    scorer = make_sequence_scorer(lambda y_true, y_pred: float(np.mean(y_true == y_pred)))
    assert callable(scorer)


def forecast() -> None:
    windows = ForecastWindows(past=11, horizon=2, target=0)
    series = load_sunspots().activity
    data = windows.make(series)
    assert_type(data.X, NDArray[Any])
    assert_type(SeasonalNaive(11).fit(data.X, data.y).predict(data.X), NDArray[Any])
    result = backtest(SeasonalNaive(11), series, windows, origins=RollingOrigin(3, horizon=2), metrics=["rmse"])
    assert_type(result.models, dict[str, Any])
    train, _ = next(RollingOrigin(3).split(data.X))
    assert_type(train, NDArray[np.intp])


def keep() -> None:
    with tempfile.TemporaryDirectory() as folder:
        skrnn.save(RNNRegressor(4), Path(folder) / "net.skrnn")
        print(skrnn.load(Path(folder) / "net.skrnn"))


for task in (classify, regress, other_nets, read, label_steps, search, forecast, keep):
    task()
