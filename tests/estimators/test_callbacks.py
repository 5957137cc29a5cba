"""scikit-learn's callbacks look on at all fits, may end them, and change nothing else."""

import copy
import importlib
import inspect
import pickle
import types
import warnings
from importlib.util import find_spec

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival
from skrnn._network.objective import Objective
from skrnn._training.loop import Divergence
from skrnn.exceptions import NothingLearnedWarning
from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive, WindowTable
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

SKLEARN_HAS_CALLBACKS = find_spec("sklearn.callback") is not None
needs_callbacks = pytest.mark.skipif(not SKLEARN_HAS_CALLBACKS, reason="scikit-learn before 1.9 has no callbacks")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(12, 5, 2)), RNG.normal(size=(6, 5, 2))
Y, Y_VAL = X[:, 1, 0], X_VAL[:, 1, 0]
NET = {"hidden_size": 2, "batch_size": 4, "max_iter": 3, "learning_rate_init": 0.05, "random_state": 0}
TEXTS = ["abcab", "bca", "", "cabcabcab"]
DATA = ForecastWindows(past=2, horizon=1, target=0).make(RNG.normal(size=40).cumsum())

# How each is made and fitted, what it predicts, and how many epochs its fit has; None where it is one task
ESTIMATORS = {
    "regressor": (lambda: RNNRegressor(**NET), lambda net: net.fit(X, Y), lambda net: net.predict(X), 3),
    "classifier": (
        lambda: RNNClassifier(**NET, cell="gru"), lambda net: net.fit(X, Y > 0), lambda net: net.predict_proba(X), 3
    ),
    "validation": (
        lambda: RNNRegressor(**NET | {"learning_rate_init": 0.5}, early_stopping=True),
        lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL), lambda net: net.predict(X), 3,
    ),
    "average": (
        lambda: RNNRegressor(**NET, average=0.7), lambda net: net.fit(X, Y), lambda net: net.predict(X), 3
    ),
    "lbfgs": (lambda: RNNRegressor(**NET, solver="lbfgs"), lambda net: net.fit(X, Y), lambda net: net.predict(X), 3),
    "survival": (
        lambda: RNNSurvival(**NET, intervals=3), lambda net: net.fit(X, np.column_stack([Y > -1, np.exp(Y)])),
        lambda net: net.predict(X), 3,
    ),
    "texts": (
        lambda: RNNLanguageModel(2, embedding_dim=2, n_streams=2, truncated_bptt_steps=4, max_iter=3, random_state=0),
        lambda model: model.fit(TEXTS), lambda model: model.predict_proba(TEXTS), 3,
    ),
    "outliers": (
        lambda: RNNOutlierDetector(**NET), lambda detector: detector.fit(X),
        lambda detector: detector.score_steps(X), 3,
    ),
    "scaler": (SequenceScaler, lambda scaler: scaler.fit(X), lambda scaler: scaler.transform(X), None),
    "imputer": (SequenceImputer, lambda imputer: imputer.fit(X), lambda imputer: imputer.transform(X), None),
    "vectorizer": (
        SequenceVectorizer, lambda vectorizer: vectorizer.fit(["a b", "bb cc"]),
        lambda vectorizer: vectorizer.get_feature_names_out(), None,
    ),
    "windows": (
        lambda: SlidingWindow(2, context=True), lambda window: window.fit(X[0]),
        lambda window: window.transform(X[1]).values, None,
    ),
    "naive": (
        SeasonalNaive, lambda naive: naive.fit(DATA.X, DATA.y), lambda naive: naive.predict(DATA.X), None
    ),
    "table": (WindowTable, lambda table: table.fit(DATA.X), lambda table: table.transform(DATA.X), None),
}
NETS = [name for name, (*_, n_epochs) in ESTIMATORS.items() if n_epochs]


def all_estimators():
    """All public classes that have `fit`."""
    modules = (skrnn, *(importlib.import_module(f"skrnn.{name}") for name in ("forecasting", "preprocessing")))
    found = (value for module in modules for value in map(module.__dict__.get, module.__all__))
    return sorted({cls for cls in found if inspect.isclass(cls) and hasattr(cls, "fit")}, key=lambda cls: cls.__name__)


class Silent:
    """Looks on, and keeps nothing."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


class Recorder(Silent):
    """Notes what it is told, and at the end of the epoch number `stop_at` asks to stop."""

    def __init__(self, stop_at=None):
        self.stop_at, self.calls, self.fitted, self.data = stop_at, [], [], []

    def note(self, what, context):
        depth, parent = 0, context.parent
        while parent is not None:
            depth, parent = depth + 1, parent.parent
        self.calls.append((what, context.estimator_name, context.task_name, depth, context.task_id))

    def setup(self, estimator, context):
        self.note("setup", context)
        self.max_subtasks = context.max_subtasks

    def on_fit_task_begin(self, estimator, context):
        self.note("begin", context)

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.note("end", context)
        self.data.append((estimator, X, y, metadata))
        self.fitted.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_at

    def teardown(self, estimator, context):
        self.note("teardown", context)


class Propagated(Recorder):
    """One that what is around an estimator hands on to it."""

    max_propagation_depth = None


class Pickling(Silent):
    """Keeps pickles of the estimators of epochs, as what sends them to other processes does."""

    def __init__(self):
        self.pickles = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.pickles.append(pickle.dumps(fitted_estimator))


class Failing(Silent):
    """Raises an error at one of its calls."""

    def __init__(self, at, number=1, error=RuntimeError):
        self.at, self.number, self.error, self.n_torn_down = at, number, error, 0

    def fail(self, at):
        if at == self.at:
            self.number -= 1
            if not self.number:
                raise self.error(f"failed in {at}")

    def setup(self, estimator, context):
        self.fail("setup")

    def on_fit_task_begin(self, estimator, context):
        self.fail("begin")

    def on_fit_task_end(self, estimator, context):
        self.fail("end")

    def teardown(self, estimator, context):
        self.n_torn_down += 1
        self.fail("teardown")


def learned(estimator):
    """An estimator without its callbacks, as a hash."""
    estimator = copy.copy(estimator)
    for name in ("_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"):
        vars(estimator).pop(name, None)
    return joblib.hash(estimator)


@pytest.fixture(scope="module")
def fitted_without():
    """Each of the estimators, fitted without callbacks."""
    return {name: fit(make()) for name, (make, fit, *_) in ESTIMATORS.items()}


def test_whether_there_are_callbacks_can_be_seen():
    assert {cls.__name__ for cls in all_estimators()} >= {"RNNRegressor", "SequenceScaler", "ConformalForecaster"}
    assert {hasattr(cls, "set_callbacks") for cls in all_estimators()} == {SKLEARN_HAS_CALLBACKS}


@needs_callbacks
@pytest.mark.parametrize("name", ESTIMATORS)
def test_they_are_told_of_a_fit_and_change_nothing(name, fitted_without):
    make, fit, _, n_epochs = ESTIMATORS[name]
    recorder, before = Recorder(), fitted_without[name]
    estimator = make().set_callbacks(recorder)
    assert repr(estimator) == repr(before)
    assert estimator.get_params().keys() == before.get_params().keys()
    assert fit(estimator) is estimator
    assert learned(estimator) == learned(before)
    assert vars(estimator).keys() - vars(before).keys() == {"_skl_callbacks"}
    cls = type(estimator).__name__
    epochs = [
        (what, cls, "epoch", 1, number) for number in range(n_epochs or 0) for what in ("begin", "end")
    ]
    fit_task = [(what, cls, "fit", 0, 0) for what in ("setup", "begin", "end", "teardown")]
    told = [call for call in recorder.calls if call[:3:2] != ("begin", "epoch")]
    assert told == [*fit_task[:2], *epochs[1::2], *fit_task[2:]]
    begun = [call for call in recorder.calls if call[:3:2] == ("begin", "epoch")]
    assert begun[: n_epochs or 0] == epochs[::2]
    assert recorder.max_subtasks == (n_epochs or 0)
    assert {id(estimator) for estimator, *_ in recorder.data} == {id(estimator)}
    estimator.set_callbacks()
    assert vars(estimator).keys() == vars(before).keys()


def same(a, b):
    """Whether predictions have the same bits."""
    parts = [list(x) if isinstance(x, list | tuple) or np.asarray(x).dtype == object else [x] for x in (a, b)]
    return all(np.array_equal(x, y, equal_nan=np.asarray(x).dtype.kind == "f") for x, y in zip(*parts, strict=True))


@needs_callbacks
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_fitted_estimator_of_each_task(name, fitted_without):
    make, fit, predict, n_epochs = ESTIMATORS[name]
    recorder = Recorder()
    estimator = fit(make().set_callbacks(recorder))
    assert len(recorder.fitted) == (n_epochs or 0) + 1
    assert same(predict(recorder.fitted[-1]), predict(fitted_without[name]))
    for number, of_epoch in enumerate(recorder.fitted[:-1], start=1):
        stopped = fit(make().set_callbacks(Recorder(stop_at=number)))
        assert of_epoch is not estimator
        assert of_epoch.n_iter_ == stopped.n_iter_ == number
        assert same(predict(of_epoch), predict(stopped))
        if name != "outliers":
            assert learned(stopped) == learned(of_epoch)
    assert n_epochs is None or not same(predict(recorder.fitted[0]), predict(recorder.fitted[-1]))


@needs_callbacks
@pytest.mark.parametrize("name", NETS)
def test_who_stops_on_request_is_not_told_to_train_longer(name):
    make, fit, *_ = ESTIMATORS[name]
    recorder = Recorder(stop_at=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", NothingLearnedWarning)      # in two epochs
        estimator = fit(make().set_params(max_iter=50, tol=0).set_callbacks(recorder))
    assert estimator.n_iter_ == 2
    assert recorder.calls[-2:] == [(what, type(estimator).__name__, "fit", 0, 0) for what in ("end", "teardown")]


@needs_callbacks
def test_epochs_do_not_depend_on_max_iter_where_the_rate_does_not():
    net = RNNRegressor(**NET | {"max_iter": 50}, learning_rate="constant").set_callbacks(Recorder(stop_at=2)).fit(X, Y)
    again = RNNRegressor(**NET | {"max_iter": 2}, learning_rate="constant").fit(X, Y)
    assert net._fitted.model.theta.tobytes() == again._fitted.model.theta.tobytes()
    assert net.partial_fit(X, Y).n_iter_ == 3


@needs_callbacks
@pytest.mark.parametrize("at", [("setup", 1), ("begin", 1), ("begin", 3), ("end", 2), ("end", 4), ("teardown", 1)])
@pytest.mark.parametrize("name", ["regressor", "lbfgs", "texts", "outliers"])
def test_one_that_fails_leaves_a_net_as_it_was(name, at, fitted_without):
    make, fit, *_ = ESTIMATORS[name]
    check_fails(make(), fit, Failing(*at))
    check_fails(copy.copy(fitted_without[name]), fit, Failing(*at))


@needs_callbacks
@pytest.mark.parametrize("at", ["setup", "begin", "end", "teardown"])
@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in NETS])
def test_one_that_fails_leaves_others_as_they_were(name, at, fitted_without):
    make, fit, *_ = ESTIMATORS[name]
    check_fails(make(), fit, Failing(at))
    check_fails(copy.copy(fitted_without[name]), fit, Failing(at))


@needs_callbacks
@pytest.mark.parametrize("error", [StopIteration, Divergence])
@pytest.mark.parametrize("at", [("begin", 3), ("end", 1), ("end", 2)])
@pytest.mark.parametrize("name", ["regressor", "lbfgs", "outliers"])
def test_an_error_that_training_knows_is_none_of_its_own(name, at, error):
    make, fit, *_ = ESTIMATORS[name]
    check_fails(make(), fit, Failing(*at, error))


@needs_callbacks
@pytest.mark.parametrize("name", ["regressor", "scaler"])
def test_who_is_interrupted_in_every_teardown_keeps_nothing_of_it(name):
    class Interrupted(Silent):
        def teardown(self, estimator, context):
            raise KeyboardInterrupt

    make, fit, *_ = ESTIMATORS[name]
    estimator = make().set_callbacks(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        fit(estimator)
    assert {name for name in vars(estimator) if "callback" in name} == {"_skl_callbacks"}


@needs_callbacks
@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_they_set_of_an_estimator_stays(name, fitted_without):
    class Leaving(Silent):
        def on_fit_task_begin(self, estimator, context):
            estimator.begun = True

        def on_fit_task_end(self, estimator, context):
            estimator.note = context.task_name
            estimator.set_callbacks()

    make, fit, *_ = ESTIMATORS[name]
    estimator = fit(make().set_callbacks(Leaving()))
    assert (estimator.begun, estimator.note) == (True, "fit")
    assert vars(estimator).keys() == vars(fitted_without[name]).keys() | {"begun", "note"}


def check_fails(estimator, fit, failing):
    estimator.set_callbacks(failing)
    before, names = learned(estimator), vars(estimator).keys() | set()
    with pytest.raises(failing.error, match="failed in"):
        fit(estimator)
    assert vars(estimator).keys() == names
    assert learned(estimator) == before
    assert failing.n_torn_down == 1


@needs_callbacks
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_fit_that_fails_has_no_end(monkeypatch, error):
    def failing(*arguments):
        raise error

    monkeypatch.setattr(Objective, "gradients", failing)
    recorder = Recorder()
    net = RNNRegressor(**NET).set_callbacks(recorder)
    with pytest.raises(error):
        net.fit(X, Y)
    assert [call[::2][:2] for call in recorder.calls] == [
        ("setup", "fit"), ("begin", "fit"), ("begin", "epoch"), ("teardown", "fit")
    ]


@needs_callbacks
def test_they_get_the_data_of_the_fit():
    recorder, weights = Recorder(), np.linspace(1, 2, 12)
    net = RNNRegressor(**NET).set_callbacks(recorder)
    net.fit(X, Y, weights)
    assert all(x is X and y is Y and metadata["sample_weight"] is weights for _, x, y, metadata in recorder.data)
    recorder.data.clear()
    net.fit(X, Y)
    assert all(x is X and y is Y and metadata == {} for _, x, y, metadata in recorder.data)


@needs_callbacks
def test_nothing_is_told_of_partial_fit():
    recorder = Recorder()
    RNNRegressor(**NET).set_callbacks(recorder).partial_fit(X, Y)
    SequenceScaler().set_callbacks(recorder).partial_fit(X).partial_fit(X)
    RNNLanguageModel(2, embedding_dim=2).set_callbacks(recorder).partial_fit(TEXTS)
    assert not recorder.calls


@needs_callbacks
def test_a_wrong_argument_reaches_no_callback():
    recorder = Recorder()
    net = RNNRegressor(**NET).set_callbacks(recorder)
    with pytest.raises(ValueError, match="12, 11"):
        net.fit(X, Y[:-1])
    assert not recorder.calls


@needs_callbacks
@pytest.mark.parametrize("weights", [None, np.linspace(1, 2, 12)])
def test_the_monitor_scores_each_epoch(weights):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring=["r2", "neg_mean_absolute_error"])
    net = RNNRegressor(**NET, learning_rate="constant").set_callbacks(monitor)
    net.fit(X, Y, weights)
    stopped = [clone(net).set_callbacks().set_params(max_iter=k).fit(X, Y, weights) for k in (1, 2, 3)]
    expected = [of_epoch.score(X, Y, weights) for of_epoch in stopped]
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    np.testing.assert_allclose([row["r2"] for row in rows], expected, rtol=1e-6)
    assert len({row["neg_mean_absolute_error"] for row in rows}) == 3
    assert net.predict(X).tobytes() == stopped[-1].predict(X).tobytes()


@needs_callbacks
def test_the_monitor_scores_outliers_of_each_epoch():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="roc_auc")
    detector = RNNOutlierDetector(**NET).set_callbacks(monitor).fit(X, Y > 0)
    scores = [row["roc_auc"] for row in monitor.get_logs().data]
    assert len(scores) == 4
    assert np.isfinite(scores).all()
    assert detector.n_iter_ == 3


@needs_callbacks
def test_they_reach_a_net_in_a_pipeline_and_a_search():
    recorder = Propagated()
    search = GridSearchCV(make_pipeline(SequenceScaler(), RNNRegressor(**NET)), {"rnnregressor__max_iter": [2]}, cv=2)
    search.set_callbacks(recorder).fit(X, Y)
    ended = [call[1:4] for call in recorder.calls if call[0] == "end"]
    # of two fits of the search at the depths 2 and 3, and of the last one
    assert [depth for *what, depth in ended if what == ["RNNRegressor", "epoch"]] == [4, 4, 4, 4, 3, 3]
    assert [depth for *what, depth in ended if what == ["SequenceScaler", "fit"]] == [3, 3, 2]
    for estimator in (search.best_estimator_, *(step for _, step in search.best_estimator_.steps)):
        assert not {name for name in vars(estimator) if "callback" in name}


@needs_callbacks
@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_progress_of_each_fit_of_a_search_is_shown(n_jobs, capsys, monkeypatch):
    rich = pytest.importorskip("rich")
    from sklearn.callback import ProgressBar, ScoringMonitor
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    monkeypatch.setattr(rich.get_console(), "width", 160)
    monitor, grid = ScoringMonitor(scoring="r2"), {"hidden_size": [1, 2]}
    net = RNNRegressor(**NET | {"batch_size": "auto"}).set_callbacks(monitor)
    for search, n_fits in (
        (GridSearchCV(net, grid, cv=2, n_jobs=n_jobs), 5),
        (HalvingGridSearchCV(net, grid, cv=2, n_jobs=n_jobs, min_resources=6, factor=2), 7),
    ):
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
        lines = [line for line in capsys.readouterr().out.splitlines() if "RNNRegressor - fit" in line]
        assert len(lines) == n_fits
        assert all("100%" in line for line in lines)
        epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert len(epochs) == 3 * n_fits


@needs_callbacks
def test_those_of_an_estimator_go_with_it_into_cross_validation():
    recorder = Recorder()
    cross_validate(RNNRegressor(**NET).set_callbacks(recorder), X, Y, cv=2)
    assert [call[0] for call in recorder.calls].count("setup") == 2
    assert len(recorder.fitted) == 2 * 4


@needs_callbacks
class TestConformal:
    def test_its_two_fits_are_parts_of_one(self):
        recorder = Propagated()
        naive = ConformalForecaster(SeasonalNaive()).set_callbacks(recorder).fit(DATA.X, DATA.y)
        assert [call[:4] for call in recorder.calls] == [
            ("setup", "ConformalForecaster", "fit", 0),
            ("begin", "ConformalForecaster", "fit", 0),
            ("begin", "SeasonalNaive", "fit", 1), ("end", "SeasonalNaive", "fit", 1),
            ("begin", "SeasonalNaive", "fit", 1), ("end", "SeasonalNaive", "fit", 1),
            ("end", "ConformalForecaster", "fit", 0),
            ("teardown", "ConformalForecaster", "fit", 0),
        ]
        assert same(recorder.fitted[-1].predict(DATA.X), naive.predict(DATA.X))
        assert not {name for name in vars(naive.estimator_) if "callback" in name}

    def test_callbacks_of_its_estimator_see_one_run(self):
        from sklearn.callback import ScoringMonitor

        monitor = ScoringMonitor(scoring="r2")
        forecaster = ConformalForecaster(RNNRegressor(**NET, missing="indicator").set_callbacks(monitor), [0.1, 0.9])
        forecaster.fit(DATA.X, DATA.y)
        logs = monitor.get_logs(select="all")
        assert [log.estimator_name for log in logs] == ["ConformalForecaster"]
        assert len(logs[0].data) == 2 * 4
        assert "_callback_fit_ctx" not in vars(forecaster)

    @pytest.mark.filterwarnings("default")
    def test_what_has_no_callbacks_is_said(self):
        forecaster = ConformalForecaster(make_pipeline(WindowTable(), MultiOutputRegressor(Ridge())))
        with pytest.warns(UserWarning, match="MultiOutputRegressor does not support callbacks"):
            forecaster.set_callbacks(Propagated()).fit(DATA.X, DATA.y)

    def test_one_that_fails_leaves_it_as_it_was(self):
        forecaster = ConformalForecaster(SeasonalNaive()).fit(DATA.X, DATA.y)
        for at in ("setup", "begin", "end", "teardown"):
            check_fails(forecaster, lambda forecaster: forecaster.fit(DATA.X[:30], DATA.y[:30]), Failing(at))


@needs_callbacks
class TestStored:
    """Callbacks go with copies and pickles, as those of scikit-learn's estimators do, and not into files."""

    @pytest.mark.parametrize("name", ESTIMATORS)
    def test_copies_and_pickles(self, name, fitted_without):
        estimator = copy.copy(fitted_without[name]).set_callbacks(Silent())
        for made in (clone, copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))):
            (callback,) = made(estimator)._skl_callbacks
            assert type(callback) is Silent
        assert learned(pickle.loads(pickle.dumps(estimator))) == learned(fitted_without[name])
        assert not hasattr(fitted_without[name], "_skl_callbacks")

    @pytest.mark.parametrize("name", ESTIMATORS)
    def test_files(self, name, fitted_without, tmp_path):
        estimator = copy.copy(fitted_without[name]).set_callbacks(Silent())
        pipeline = make_pipeline(estimator).set_callbacks(Silent())
        for model, of_model in ((estimator, lambda model: model), (pipeline, lambda model: model[0])):
            skrnn.save(model, tmp_path / "model.skrnn")
            loaded = skrnn.load(tmp_path / "model.skrnn")
            assert "_skl_callbacks" not in vars(loaded) | vars(of_model(loaded))
            assert same(ESTIMATORS[name][2](of_model(loaded)), ESTIMATORS[name][2](fitted_without[name]))

    def test_the_estimator_of_an_epoch(self, tmp_path):
        """Which a callback may store or copy in the middle of a fit."""
        stored = []

        class Storing(Silent):
            def on_fit_task_end(self, estimator, context, *, fitted_estimator):
                skrnn.save(fitted_estimator, tmp_path / "model.skrnn")
                stored.append(skrnn.load(tmp_path / "model.skrnn"))

        RNNRegressor(**NET).set_callbacks(Storing()).fit(X, Y)
        expected = [RNNRegressor(**NET).set_callbacks(Recorder(stop_at=k)).fit(X, Y) for k in (1, 2, 3, 4)]
        assert [net.n_iter_ for net in stored] == [1, 2, 3, 3]
        for net, other in zip(stored, expected, strict=True):
            assert net.predict(X).tobytes() == other.predict(X).tobytes()
            assert net.partial_fit(X, Y).predict(X).tobytes() == other.partial_fit(X, Y).predict(X).tobytes()

    def test_pickles_within_a_fit(self):
        pickling = Pickling()
        RNNRegressor(**NET).set_callbacks(pickling).fit(X, Y)
        of_epochs = [pickle.loads(state) for state in pickling.pickles]
        assert [net.n_iter_ for net in of_epochs] == [1, 2, 3, 3]
        assert of_epochs[2].predict(X).tobytes() == RNNRegressor(**NET).fit(X, Y).predict(X).tobytes()


def test_without_callbacks_in_scikit_learn(monkeypatch):
    """The file as it is read with an older scikit-learn."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "sklearn.callback" and find_spec(name))
    source = inspect.getsource(importlib.import_module("skrnn._sklearn.callbacks"))
    older = types.ModuleType("older")
    exec(compile(source, "older.py", "exec"), vars(older))
    assert not hasattr(older.CallbackSupportMixin, "set_callbacks")

    class Estimator(older.CallbackSupportMixin):
        @older.one_task
        def fit(self, X, y=None):
            self.fitted_ = X, y
            return self

    assert Estimator().fit(1, 2).fitted_ == (1, 2)
    assert older.under_callbacks(Estimator(), lambda: 3) == 3
    parts = older.fit_in_parts(Estimator(), 0, 0, 1, lambda fit_part: {"part_": fit_part("a", Estimator(), 4, 5)})
    assert parts["part_"].fitted_ == (4, 5)
