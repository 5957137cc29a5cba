"""`skrnn.save` and `skrnn.load`: what is loaded is what was saved, and goes on as it would have."""

import json
import os

import numpy as np
import pytest
import sklearn
from same import assert_same
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from stored_models import LABELS, MODELS, NUMBERS, SMALL, STOPPING, TEXTS, X, made, outputs

import skrnn
from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn.exceptions import ModelFileError
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def models():
    return {name: made(name) for name in MODELS}


def saved_and_loaded(estimator, folder):
    skrnn.save(estimator, folder / "model.skrnn")
    return skrnn.load(folder / "model.skrnn")


@pytest.mark.parametrize("name", MODELS)
def test_what_is_loaded_is_what_was_saved(name, models, tmp_path):
    estimator, X = models[name]
    loaded = saved_and_loaded(estimator, tmp_path)
    assert_same(estimator, loaded, name)
    assert_same(outputs(estimator, X), outputs(loaded, X))


def test_of_a_net_that_was_filled(tmp_path):
    """With `set_parameters`, without a fit."""
    net = RNNRegressor(2, cell="mgu").set_parameters(dict(made("regressor-lbfgs")[0].parameters_))
    assert_same(saved_and_loaded(net, tmp_path), net)


def test_another_version_of_scikit_learn_warns_of_what_it_has_fitted(tmp_path, monkeypatch):
    """A Pipeline has fitted nothing itself."""
    ours, theirs = (make_pipeline(scaler, RNNRegressor(2)) for scaler in (SequenceScaler(), StandardScaler()))
    theirs[0].fit(X[:, 0])
    with monkeypatch.context() as patch:
        patch.setattr(sklearn, "__version__", "1.0")
        skrnn.save(ours, tmp_path / "ours")
        skrnn.save(theirs, tmp_path / "theirs")
    assert_same(skrnn.load(tmp_path / "ours"), ours)
    with pytest.warns(InconsistentVersionWarning, match=r"StandardScaler from version 1\.0"):
        skrnn.load(tmp_path / "theirs")


class TestTrainingGoesOn:
    @pytest.mark.parametrize("solver", ["adam", "adamw", "nadam", "sgd", "rmsprop"])
    @pytest.mark.parametrize("random_state", [0, "shared"])
    def test_partial_fit(self, solver, random_state, tmp_path):
        random_state = np.random.RandomState(5) if random_state == "shared" else random_state
        net = RNNClassifier(2, solver=solver, dropout=0.2, random_state=random_state)
        for _ in range(2):
            net.partial_fit(X, LABELS, classes=[0, 1])
        loaded = saved_and_loaded(net, tmp_path)
        for each in (net, loaded):
            each.partial_fit(X, LABELS)
        assert_same(net, loaded)

    @pytest.mark.parametrize("parameters", [{}, STOPPING, {"solver": "lbfgs"}])
    def test_warm_start(self, parameters, tmp_path):
        random_state = np.random.RandomState(5)
        net = RNNRegressor(2, max_iter=2, warm_start=True, random_state=random_state, **parameters).fit(X, NUMBERS)
        loaded = saved_and_loaded(net, tmp_path)
        for each in (net, loaded):
            each.fit(X, NUMBERS)
        assert_same(net, loaded)
        assert (loaded.random_state is loaded._fitted.model.random_state) == (net.random_state is random_state)

    def test_of_a_language_model_and_a_scaler(self, tmp_path):
        for made_, more in ((RNNLanguageModel(**SMALL).fit(TEXTS), TEXTS), (SequenceScaler().fit(X), X[:3] + 1)):
            loaded = saved_and_loaded(made_, tmp_path)
            assert_same(made_.partial_fit(more), loaded.partial_fit(more))

    def test_of_a_stream(self, models, tmp_path):
        net, X = models["classifier"]
        loaded = saved_and_loaded(net, tmp_path)
        (_, state), x = net.predict(X[:1, :3], return_state=True), X[0, 3]
        assert_same(net.predict_proba_step(x, state), loaded.predict_proba_step(x, state))


def test_settings_are_kept(tmp_path):
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        net = RNNRegressor(2).set_fit_request(groups=True, sample_weight="w")
        net.set_output(transform="pandas")
        loaded = saved_and_loaded(make_pipeline(SequenceScaler(), net), tmp_path)[-1]
        requests = loaded.get_metadata_routing().fit.requests
    assert (requests["groups"], requests["sample_weight"], requests["X_val"]) == (True, "w", None)
    assert loaded._sklearn_output_config == {"transform": "pandas"}


class TestFile:
    def test_is_read_by_safetensors(self, models, tmp_path):
        numpy = pytest.importorskip("safetensors.numpy")
        net, _ = models["classifier"]
        skrnn.save(net, tmp_path / "net.skrnn")
        arrays = numpy.load_file(tmp_path / "net.skrnn")
        for name, value in net.parameters_.items():
            assert_same(np.array(value), arrays[f"fitted.model.parameters.{name}"])

    def test_says_what_it_holds(self, models, tmp_path):
        safetensors = pytest.importorskip("safetensors")
        skrnn.save(models["classifier"][0], tmp_path / "net.skrnn")
        with safetensors.safe_open(tmp_path / "net.skrnn", framework="numpy") as file:
            texts = file.metadata()
        assert (texts["format"], texts["format_version"], texts["skrnn"]) == ("skrnn", "1", skrnn.__version__)
        model = json.loads(texts["model"])
        assert model["class"] == "RNNClassifier"
        assert model["parameters"]["hidden_size"] == 2
        assert model["fitted"]["reading"]["n_step_features"] == 2

    def test_is_the_same_for_the_same_net(self, models, tmp_path):
        for name in ("a", "b"):
            skrnn.save(models["classifier"][0], tmp_path / name)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_that_is_there_stays_until_the_new_one_is_whole(self, tmp_path, monkeypatch):
        path = tmp_path / "net.skrnn"
        skrnn.save(RNNRegressor(2), path)
        before = path.read_bytes()

        def interrupted(*_):
            raise KeyboardInterrupt

        for name in ("fsync", "replace"):
            with monkeypatch.context() as patch:
                patch.setattr(os, name, interrupted)
                with pytest.raises(KeyboardInterrupt):
                    skrnn.save(RNNRegressor(3), path)
            assert path.read_bytes() == before
            assert os.listdir(tmp_path) == ["net.skrnn"]

    def test_in_a_folder_that_cannot_be_read(self, tmp_path, monkeypatch):
        def refused(*_):
            raise PermissionError

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refused)
            skrnn.save(RNNRegressor(2), tmp_path / "net.skrnn")
        assert skrnn.load(tmp_path / "net.skrnn").hidden_size == 2

    @pytest.mark.skipif(os.name != "posix", reason="symbolic links and modes")
    def test_keeps_links_and_has_the_mode_of_new_files(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "net.skrnn")
        skrnn.save(RNNRegressor(2), str(tmp_path / "link"))
        (tmp_path / "other").touch()
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "net.skrnn").stat().st_mode == (tmp_path / "other").stat().st_mode


def with_attribute(estimator):
    estimator.note = "mine"
    return estimator


class Own(RNNRegressor):
    """A subclass."""


@pytest.mark.parametrize(("estimator", "message"), [
    (RNNRegressor, "estimator is .*RNNRegressor.*, expected a net"),
    ({"a": 1}, "estimator is .*, expected a net"),
    (RNNClassifier(scoring=make_scorer(mean_squared_error)), r"RNNClassifier.parameters\['scoring'\] is _Scorer"),
    (RNNLanguageModel(analyzer=str.split), r"parameters\['analyzer'\] is method_descriptor split, .* no code"),
    (make_pipeline(FunctionTransformer(np.log1p), RNNRegressor()), r"parameters\['func'\] is ufunc log1p"),
    (make_pipeline(RandomForestRegressor()), r"Pipeline.*steps.*is RandomForestRegressor"),
    (GridSearchCV(RNNRegressor(), {}), "GridSearchCV"),
    (Own(), "Own is Own"),
    (with_attribute(RNNRegressor()), r"has the attributes \['note'\]"),
    (RNNRegressor(hidden_size=np.array([2], dtype=complex)), r"hidden_size is an array of complex128"),
])
def test_what_cannot_be_saved(estimator, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        skrnn.save(estimator, tmp_path / "net.skrnn")
    assert not os.listdir(tmp_path)


def test_a_search_says_what_to_save(tmp_path):
    search = GridSearchCV(RNNRegressor(**SMALL), {"hidden_size": [2]}, cv=2).fit(X, NUMBERS)
    with pytest.raises(TypeError, match="save its best_estimator_"):
        skrnn.save(search, tmp_path / "net.skrnn")
    assert_same(saved_and_loaded(search.best_estimator_, tmp_path), search.best_estimator_)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        skrnn.load(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        skrnn.save(RNNRegressor(), tmp_path / "folder" / "net.skrnn")


def test_a_file_of_a_later_format(tmp_path, monkeypatch):
    from skrnn._storage import model_file

    monkeypatch.setattr(model_file, "VERSION", "2")
    monkeypatch.setattr(model_file, "__version__", "9.0")
    skrnn.save(RNNRegressor(), tmp_path / "net.skrnn")
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match=r"has the format '2', written by skrnn 9.0, and skrnn .* reads 1"):
        skrnn.load(tmp_path / "net.skrnn")
