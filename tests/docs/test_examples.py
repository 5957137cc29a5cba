"""The examples run, and do what they say."""

import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest

import skrnn
from skrnn import RNNClassifier
from skrnn.datasets import make_adding

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, folder, *arguments):
    """What an example prints, run in an empty folder."""
    command = [sys.executable, shutil.copy(EXAMPLES / name, folder), *arguments]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def assert_picture(path, folder):
    assert Path(path).parent == folder
    assert matplotlib.image.imread(path).std() > 0.01


def test_quickstart(tmp_path):
    out = run("plot_quickstart.py", tmp_path)
    assert float(re.search(r"Test accuracy on 370 utterances: (\d\.\d+)", out)[1]) >= 0.96
    assert len(re.findall(r"^ +(rnn|gru|lstm) +\d+", out, re.MULTILINE)) == 9
    assert_picture(re.search(r"Learning curves: (.+)", out)[1], tmp_path)


def test_windows(tmp_path):
    out = run("plot_windows.py", tmp_path)
    assert len(re.findall(r"^ +\d+ +\d+ +\d\.\d{3}", out, re.MULTILINE)) == 10
    net, no_change, year_before = map(float, re.findall(r": (\d\.\d+) ppm", out))
    assert net < 0.8 * year_before < no_change
    assert_picture(re.search(r"Errors over windows: (.+)", out)[1], tmp_path)


def test_forecasting(tmp_path):
    out = run("plot_forecasting.py", tmp_path)
    linear, net = (re.search(rf"^  {name} +(\d\.\d+) ", out, re.MULTILINE) for name in (r"AR\(12\)", "GRU"))
    assert linear[1] == "0.130"                              # as in the literature
    assert float(net[1]) < 0.12
    untouched = re.search(r"^  untouched net.* (\d\.\d+) +(\d\.\d+) +(\d\.\d+)$", out, re.MULTILINE)
    assert float(untouched[1]) < 0.12
    assert float(untouched[3]) < 0.22                        # 0.217: that of AR(12)
    held = dict(re.findall(r"^  (two quantile nets|split conformal).* (\d+\.\d)% ", out, re.MULTILINE))
    assert float(held["two quantile nets"]) > 70
    assert ("split conformal" in held) != ("MAPIE is not installed" in out)
    assert 85 < float(held.get("split conformal", 90)) < 98
    assert_picture(re.search(r"Picture: (.+)", out)[1], tmp_path)


def test_from_sql(tmp_path):
    out = run("from_sql.py", tmp_path)
    assert float(re.search(r"that were not seen: (\d\.\d+)", out)[1]) > 0.8
    risks = re.findall(r"│ +\d+ │ +(\d\.\d+) │ +(\d\.\d+) │", out)
    assert len(risks) == 4
    assert all(abs(float(died) - float(predicted)) < 0.05 for died, predicted in risks)


def test_language_model(tmp_path):
    out = run("language_model.py", tmp_path, "3")
    bits = [float(value) for value in re.findall(r"(\d\.\d+) bits per character", out)]
    assert len(bits) == 3
    assert bits[-1] < 2.3 < 2.4 < bits[0]


def test_inventing_names(tmp_path):
    out = run("inventing_names.py", tmp_path)
    assert min(map(float, re.findall(r"units: (\d\.\d+)", out))) < 2.7
    assert int(re.search(r"Of 40 names, (\d+) are new", out)[1]) > 20


def test_text_classification(tmp_path):
    out = run("text_classification.py", tmp_path)
    order, counted, promoters, _ = map(float, re.findall(r" (\d\.\d+) ± ", out))
    assert order > 0.98 > 0.8 > counted
    assert promoters > 0.7


def test_parquet_in_batches(tmp_path):
    out = run("parquet_in_batches.py", tmp_path)
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
