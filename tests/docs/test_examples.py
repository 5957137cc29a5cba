"""The examples run, and do what they say; their pictures show what they print."""

import re
import runpy
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pydoc_data import topics

import matplotlib
import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

import skrnn
from skrnn import RNNClassifier
from skrnn.datasets import make_adding

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")]
DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS.parent / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs an example in an empty folder, with arguments, and returns its variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    return run


def panels_of_figures(n):
    """The Axes of each of n open figures; all of them have labels or titles."""
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert len(figures) == n
    for figure in figures:
        assert all(axes.get_ylabel() or axes.get_title() or axes.get_yticklabels() for axes in figure.axes)
        assert any(axes.get_xlabel() for axes in figure.axes)
    return [figure.axes for figure in figures]


def lines_of(axes):
    """The y of the lines of an Axes by their labels, also of those with error bars."""
    bars = {bars.get_label(): bars.lines[0] for bars in axes.containers if isinstance(bars, ErrorbarContainer)}
    lines = {line.get_label(): line for line in axes.get_lines()}
    return {label: np.asarray(line.get_ydata(), dtype=float) for label, line in (lines | bars).items()}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("plot_*.py")), ids=lambda path: path.stem)
def test_form(path):
    """A title, cells of text and code, and figures that are shown at the end."""
    text = path.read_text(encoding="utf-8")
    title, underline = text.removeprefix('"""\n').splitlines()[:2]
    assert set(underline) == {"="}
    assert len(underline) == len(title)
    assert text.count("\n# %%\n") >= 3
    assert "savefig" not in text
    assert text.endswith("plt.show()\n")


def test_the_gallery_shows_every_example():
    """All that it shows is drawn by an example, and what they draw is small."""
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\((\w+)\.py\)", page))
    assert named == {path.stem for path in EXAMPLES.glob("*.py")} - {"gallery"}
    shown = set(re.findall(r"\(\.\./docs/figures/(\w+)\.png\)", page))
    assert {re.sub(r"_\d$", "", name) for name in shown} == {name for name in named if name.startswith("plot_")}
    if not (DOCS / "figures").exists():
        pytest.skip("an sdist has no figures")
    assert shown == {path.stem for path in (DOCS / "figures").glob("plot_*.png")}
    assert all((DOCS / f"figures/{name}.png").stat().st_size < 60_000 for name in shown)


def test_gallery_writes_open_figures(tmp_path):
    gallery = runpy.run_path(str(EXAMPLES / "gallery.py"))
    for height in (2, 3):
        plt.subplots(figsize=(4, height))[1].plot([1, 2])
    paths = gallery["write_open_figures"]("plot_it", tmp_path)
    assert [path.name for path in paths] == ["plot_it.png", "plot_it_2.png"]
    assert [matplotlib.image.imread(path).shape[:2] for path in paths] == [(200, 400), (300, 400)]
    assert matplotlib.image.imread(paths[0]).std() > 0.01
    assert not plt.get_fignums()


def test_quickstart(run):
    names = run("plot_quickstart")
    results, search = names["search"].cv_results_, names["search"]
    assert len(results["params"]) == 9
    assert search.best_score_ > names["ridge_score"] > 0.95
    assert names["score"] > 0.98
    (scores, times), training, (confusion,) = panels_of_figures(3)
    lines = lines_of(scores)
    for i, cell in enumerate(["rnn", "gru", "lstm"]):
        # of each the sizes 8, 16, 32
        assert lines[cell].tolist() == results["mean_test_score"][3 * i : 3 * i + 3].tolist()
    assert [lines[label][0] for label in lines if "ridge" in label] == [names["ridge_score"]]
    assert times.get_ylim()[0] == 0
    assert lines_of(training[0])["training"].tolist() == search.best_estimator_.loss_curve_
    matrix = names["confusion"].confusion_matrix
    assert matrix.sum() == 370
    assert matrix.trace() == 370 - names["wrong"] == round(370 * names["score"])
    assert confusion.get_title().startswith(f"{matrix.trace()} of 370")


def test_training(run):
    net = run("plot_training")["net"]
    (losses, score, norms, clipped), = panels_of_figures(1)
    lines = lines_of(losses)
    assert lines["training"].tolist() == net.loss_curve_
    assert lines["validation"].tolist() == net.validation_loss_curve_
    assert lines[f"best epoch: {net.best_iter_}"].tolist() == [0, 1]
    assert lines["training"][-1] < 0.03 * lines["validation"][-1]
    accuracy, of_updates = (axes.get_lines()[0].get_ydata() for axes in (score, clipped))
    assert accuracy.tolist() == net.validation_scores_
    assert 0.9 < net.best_validation_score_ == accuracy[net.best_iter_ - 1]
    assert net.n_iter_ == net.best_iter_ + 21
    assert of_updates[0] == 1
    assert not of_updates[10:].any()
    assert lines_of(norms)["max_grad_norm = 0.5"].tolist() == [0.5, 0.5]


def test_variable_lengths(run):
    names = run("plot_variable_lengths")
    assert names["same"]
    whole, early = names["accuracy"].values()
    assert whole[-1] > 0.95
    assert early[0] > whole[0] + 0.15
    (by_length, by_steps), = panels_of_figures(1)
    heights = [bar.get_height() for bar in by_length.patches]
    assert sum(heights) == 370 * 29
    assert np.isclose(sum(heights[29:]) / sum(heights), names["padding"])
    for name, values in names["accuracy"].items():
        assert lines_of(by_steps)[name].tolist() == values


def test_missing_values(run):
    names = run("plot_missing_values")
    at_random, greatest = names["accuracy"].values()
    assert np.ptp(list(at_random.values()), axis=0).max() < 0.05
    for told in ('missing="indicator"', 'missing="decay"'):
        for filled in ("filled with the mean", 'missing="ffill"'):
            assert (np.subtract(greatest[told], greatest[filled]) > (0.01, 0.04)).all()
    (utterance,), panels = panels_of_figures(2)
    assert np.isnan(lines_of(utterance)["measured"]).sum() == len(lines_of(utterance)["marked as missing"]) > 3
    for axes, drawn in zip(panels, (at_random, greatest), strict=True):
        assert {label: y.tolist() for label, y in lines_of(axes).items()} == {
            name: [names["complete"], *values] for name, values in drawn.items()
        }


def test_text_generation(run):
    names = run("plot_text_generation")
    new, copied = names["new"], names["copied"]
    assert names["perplexity"] < 1.4
    assert (new[:2] > 0.9).all()
    assert new[-1] + copied[-1] < 0.5
    assert new[3] > 0.6
    (bars,), (surprise,) = panels_of_figures(2)
    heights = np.array([bar.get_height() for bar in bars.patches]).reshape(3, -1)
    assert np.allclose(heights, [new, copied, 1 - new - copied])
    bits = np.array([bar.get_height() for bar in surprise.patches])
    assert np.isclose(2 ** bits.mean(), names["model"].perplexity([names["text"]]))
    assert (bits > 0.5).sum() < len(bits) / 4


def test_streaming_labels(run):
    names = run("plot_streaming_labels")
    assert np.array_equal(names["stream"], names["net"].predict_proba([names["conversation"]])[0])
    waiting, listening = names["accuracy"].values()
    assert listening[0] < 0.7 < 0.85 < waiting[0]
    assert min(listening[8:]) > 0.95
    conversation, (change,) = panels_of_figures(2)
    drawn = np.stack([y for axes in conversation for y in lines_of(axes).values() if len(y) == len(names["stream"])])
    assert np.allclose(drawn[:4], names["stream"].T)
    for name, values in names["accuracy"].items():
        assert lines_of(change)[name].tolist() == values


def test_deploying(run):
    pytest.importorskip("onnxruntime")
    names = run("plot_deploying")
    largest = {way: difference.max() for way, difference in names["differences"].items()}
    assert largest["skrnn.load"] == 0
    assert 0 < largest["ONNX"] < 1e-5
    assert 0 < largest["C"] < 1e-5
    (by_way, sizes), = panels_of_figures(1)
    drawn = [max(line.get_xdata()) for line in by_way.get_lines()]
    assert drawn == [largest["C"], largest["ONNX"], names["limit"]]
    assert names["limit"] > 1000 * max(largest.values())
    assert [text.get_text() for text in by_way.texts if "bits" in text.get_text()] == ["the same bits"]
    assert [bar.get_width() for bar in sizes.patches] == names["kilobytes"]


def test_windows(run):
    names = run("plot_windows")
    net, year_before, no_change = names["errors"].values()
    assert net < 0.8 * year_before < no_change
    (scores, _), = panels_of_figures(1)
    for size, errors in zip(("4", "16"), -names["results"]["mean_test_score"].reshape(2, 5), strict=True):
        assert lines_of(scores)[size].tolist() == errors.tolist()


def test_forecasting(run):
    names = run("plot_forecasting")
    rmse = {name: result.metrics["rmse"][0] for name, result in names["results"].items()}
    net, ridge, without, week = rmse.values()
    assert net < 0.85 * ridge < 0.7 * without < 0.8 * week
    assert 0.88 < names["coverage"] < 0.98
    days, (by_hour,) = panels_of_figures(2)
    assert len(lines_of(days[0])["predicted"]) == 8 * 24
    for name, result in names["results"].items():
        drawn = lines_of(by_hour)[name]
        assert np.isclose(np.sqrt(np.mean(drawn**2)), result.metrics["rmse"][0])


def test_sunspots(run):
    names = run("plot_sunspots")
    assert round(names["errors"]["AR(12)"][0], 3) == 0.130          # as in the literature
    assert names["errors"]["GRU on roots"][0] < 0.12
    untouched = names["errors"]["untouched net, without roots"]
    assert untouched[0] < 0.12
    assert untouched[2] < 0.22                                      # 0.217: that of AR(12)
    assert names["held"]["two quantile nets"] > 0.7
    assert 0.85 < names["held"]["conformal"] < 0.98
    (over_years, over_horizon), = panels_of_figures(1)
    assert lines_of(over_years)["GRU, one year ahead"].tolist() == names["forecasts"]["GRU on roots"].tolist()
    assert {label: y.tolist() for label, y in lines_of(over_horizon).items()} == {
        name: values.tolist() for name, values in names["horizon_errors"].items()
    }


def test_from_sql(run, capsys):
    run("from_sql")
    out = capsys.readouterr().out
    assert float(re.search(r"that were not seen: (\d\.\d+)", out)[1]) > 0.8
    risks = re.findall(r"│ +\d+ │ +(\d\.\d+) │ +(\d\.\d+) │", out)
    assert len(risks) == 4
    assert all(abs(float(died) - float(predicted)) < 0.05 for died, predicted in risks)


def test_language_model(run, capsys, monkeypatch):
    """Of a third of the manual."""
    monkeypatch.setattr(topics, "topics", dict(sorted(topics.topics.items())[::3]))
    run("language_model", "3")
    out = capsys.readouterr().out
    bits = [float(value) for value in re.findall(r"(\d\.\d+) bits per character", out)]
    assert len(bits) == 3
    assert bits[-1] < 2.4 < 2.6 < bits[0]


def test_inventing_names(run, capsys):
    run("inventing_names")
    out = capsys.readouterr().out
    assert min(map(float, re.findall(r"units: (\d\.\d+)", out))) < 2.7
    assert int(re.search(r"Of 40 names, (\d+) are new", out)[1]) > 20


def test_text_classification(run, capsys):
    run("text_classification")
    out = capsys.readouterr().out
    order, counted, promoters, _ = map(float, re.findall(r" (\d\.\d+) ± ", out))
    assert order > 0.98 > 0.8 > counted
    assert promoters > 0.7


@pytest.mark.filterwarnings("ignore")        # of Dask, while clusters start and end
def test_on_a_cluster(run, capsys):
    pytest.importorskip("distributed")
    run("on_a_cluster")
    out = capsys.readouterr().out
    assert "The same bits without a cluster: True" in out
    assert float(re.search(r"2000 new sequences: (\d\.\d+)", out)[1]) < 0.01


def test_parquet_in_batches(run, capsys):
    run("parquet_in_batches")
    out = capsys.readouterr().out
    assert float(re.search(r"500 new sequences: (\d\.\d+)", out)[1]) < 0.01


@pytest.mark.filterwarnings("ignore")        # of a net that hardly learns
def test_web_service():
    testclient = pytest.importorskip("fastapi.testclient")
    spec = spec_from_file_location("web_service", EXAMPLES / "web_service.py")
    service = module_from_spec(spec)
    spec.loader.exec_module(service)
    X, y = make_adding(12, 20, random_state=0)
    net = RNNClassifier(4, max_iter=2, random_state=0).fit(X.astype(np.float32), np.where(y > 1, "above", "below"))
    client = testclient.TestClient(service.make_app(net))
    assert client.get("/").json() == {"classes": ["above", "below"], "features": 2, "skrnn": skrnn.__version__}

    sequences = [X[0].astype(np.float32).tolist(), X[1, :7].astype(np.float32).tolist()]
    answers = client.post("/predict", json={"sequences": sequences}).json()
    expected = net.predict_proba([np.array(x, np.float32) for x in sequences])
    assert [answer["probabilities"] for answer in answers] == expected.tolist()
    assert [answer["label"] for answer in answers] == net.classes_[expected.argmax(axis=1)].tolist()
    for bad, message in (
        ([[[1, 2]], [[1, 2, 3]]], "X[1] has 3 features per step"), ([[[1, None]]], "Input X contains NaN: sequence 0"),
        ([[[1, 2], [3]]], "X[0] is not an array"), ([[]], "at least 1 item"), ([[["a", 1]]], "valid number"),
    ):
        refused = client.post("/predict", json={"sequences": bad})
        assert refused.status_code == 422
        assert message in refused.text
    with client.websocket_connect("/stream") as one, client.websocket_connect("/stream") as other:
        other.send_json(sequences[1][0])
        for step in sequences[0]:
            one.send_json(step)
            answer = one.receive_json()
            one.send_json(step[:1])
            assert "expected (2,)" in one.receive_json()["error"]
        one.send_text("no JSON")
        assert "error" in one.receive_json()
        assert answer["probabilities"] == expected[0].tolist()
        assert other.receive_json()["probabilities"] == net.predict_proba([sequences[1][:1]])[0].tolist()


def test_gradient_flow(tmp_path, monkeypatch):
    """An Elman net forgets over a hundred steps, an LSTM learns not to; clipping acts where it explodes."""
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context({"backend": "agg"}):
        found = runpy.run_path(str(EXAMPLES / "plot_gradient_flow.py"))
        plt.close("all")
    assert found["scores"]["LSTM"] > 0.95 > 0.6 > found["scores"]["Elman"]
    medians = {name: np.median(display.norms[0, 0], axis=0) for name, display in found["flows"].items()}
    assert medians["Elman"][0] < 1e-6 * medians["Elman"].max()
    assert medians["LSTM"][0] > 0.1 * medians["LSTM"].max()
    exploding = found["exploding"]
    assert exploding.rates_[0, 0] > 1.04
    assert (exploding.scale < 1e-2).all()
    # what the picture says that the LSTM holds changes where a number is marked
    states, marks = found["cells"].states, np.flatnonzero(found["X_test"][3, :, 1])
    jumps = np.linalg.norm(np.diff(states, axis=0), axis=1)
    assert set(np.argsort(jumps)[-2:] + 1) & set(marks)
