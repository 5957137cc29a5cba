"""The HTML representation: links to the documentation, and what was fitted."""

import pickle
import tomllib
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from problems import walks
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

import skrnn.forecasting
import skrnn.preprocessing
from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival
from skrnn._estimators.summary import caption_of, summary_of
from skrnn._sklearn.diagrams import DOCUMENTATION, table_of_texts
from skrnn._training.words import duration, number
from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = walks(30, 4)
Y = Y[:, 0]
NET = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
HAS_LINKS_OF_PARAMETERS = hasattr(BaseEstimator, "_get_fitted_attr_html")      # from scikit-learn 1.9 on
HAS_TABLES = hasattr(BaseEstimator, "_get_params_html")     # from 1.7 on
ESTIMATORS = [
    cls for module in (skrnn, skrnn.preprocessing, skrnn.forecasting) for cls in map(vars(module).get, module.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
TIMES = np.rec.fromarrays([np.arange(30) % 2 == 0, np.arange(1.0, 31)], names=["event", "time"])
VOID = {"br", "input"}
OF_NO_DEFAULT = {ConformalForecaster: [SeasonalNaive()], ForecastWindows: [2, 1, 0]}


class Elements(HTMLParser):
    """The texts of a page with the elements that they are in, also where not all elements are closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.texts.append((self.open[-1:], data.strip()))


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_estimator_links_to_its_page(cls):
    estimator = cls(*OF_NO_DEFAULT.get(cls, []))
    page = f"{DOCUMENTATION}/api/{cls.__module__}.{cls.__name__}.html"
    html = estimator_html_repr(estimator)
    assert f'href="{page}"' in html
    if HAS_LINKS_OF_PARAMETERS:
        linked = {name for name in estimator.get_params(deep=False) if f'href="{page}#:~:text={name},-' in html}
        described = {name for name in linked if f"{name}: " in html.split(f"text={name},-")[1].split("</a>")[0]}
        assert described == set(estimator.get_params(deep=False))


def test_the_page_is_that_of_the_project():
    project = Path(__file__).parents[2] / "pyproject.toml"
    urls = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["urls"]
    assert urls["Documentation"].rstrip("/") == DOCUMENTATION


def test_classes_of_others_do_not_link_there():
    class Mine(RNNClassifier):
        pass

    assert DOCUMENTATION not in estimator_html_repr(Mine())


@pytest.fixture(scope="module")
def nets():
    """Fitted nets by name, each with what its summary has to say."""
    return {
        "classifier": RNNClassifier(**NET).fit(X, Y),
        "stopping": RNNClassifier(
            **NET | {"hidden_size": (3, 2)}, bidirectional=True, early_stopping=True
        ).fit(X, Y),
        "scoring": RNNRegressor(**NET, early_stopping=True, scoring="r2").fit(X, X[:, -1]),
        "lbfgs": RNNRegressor(**NET, solver="lbfgs", alpha=0).fit(X, Y),
        "survival": RNNSurvival(**NET).fit(X, TIMES),
        "language": RNNLanguageModel(**NET).fit(["abab", "ba"] * 5),
    }


class TestSummary:
    def test_layers(self, nets):
        layers = {name: summary_of(net._fitted.model)["Layers"] for name, net in nets.items()}
        assert layers["classifier"] == "2 inputs → gru 3 → 1 output"
        assert layers["stopping"] == "2 inputs → gru 3 → gru 2 → 1 output, in both directions"
        assert layers["scoring"] == "2 inputs → gru 3 → 2 outputs"
        assert layers["language"] == "32 inputs → lstm 3 → 4 outputs"

    @pytest.mark.parametrize("name", ["classifier", "stopping", "scoring", "lbfgs", "survival", "language"])
    def test_says_how_it_was_trained(self, nets, name):
        net = nets[name]
        model, summary = net._fitted.model, summary_of(net._fitted.model)
        n_weights = sum(array.size for array in net.parameters_.values())
        assert summary["Weights"] == f"{n_weights:,}, {model.dtype}"
        unit = "iterations" if name == "lbfgs" else "epochs"
        assert summary["Training"] == f"2 {unit} of at most 2"
        assert summary["Loss"].split(",")[0] == number(net.loss_)
        assert ("penalty" in summary["Loss"]) == (name != "lbfgs")
        assert summary["Time"] == duration(model.seconds)
        assert 0 < model.seconds < 60
        best = {"stopping": "loss", "scoring": "score"}.get(name)
        assert ("Validation" in summary) == (best is not None)
        if best:
            value = net.best_validation_score_ if best == "score" else -net.best_validation_score_
            assert summary["Validation"].startswith(f"{best} {number(value)}")
            assert f"in epoch {net.best_iter_}," in summary["Validation"]

    def test_goes_on(self):
        net = RNNRegressor(**NET).fit(X, Y).partial_fit(X, Y)
        assert summary_of(net._fitted.model)["Training"] == "3 epochs"
        net.set_params(warm_start=True).fit(X, Y)
        assert summary_of(net._fitted.model)["Training"] == "5 epochs"

    def test_of_parameters_that_were_set(self, nets):
        net = RNNRegressor(3).set_parameters(dict(nets["lbfgs"].parameters_))
        assert summary_of(net._fitted.model)["Training"] == "none: the parameters were set"
        assert caption_of(net._fitted.model) == "gru 3 · 73 weights"

    def test_says_nothing_of_parameters_that_were_changed_since(self):
        net = RNNRegressor(**NET, early_stopping=True).fit(X, Y)
        net.set_parameters({"head.c": net.parameters_["head.c"] + 1})
        assert summary_of(net._fitted.model)["Validation"].endswith(f"in epoch {net.best_iter_}, the best one")

    def test_seconds_are_not_stored(self):
        one, other = (pickle.dumps(RNNRegressor(**NET).fit(X, Y)) for _ in range(2))
        assert one == other
        model = pickle.loads(one)._fitted.model
        assert model.seconds is None
        trained = RNNRegressor(**NET).fit(X, Y)._fitted.model
        assert pickle.loads(pickle.dumps(trained)).seconds is None is trained.copy().seconds
        assert "Time" not in summary_of(model)
        assert caption_of(model) == "gru 3 · 73 weights · 2 epochs"


class TestDiagrams:
    @staticmethod
    def check(html, net):
        """What was fitted stands in a diagram, from scikit-learn 1.7 on in a table that can be folded."""
        texts, (caption, summary) = Elements(html).texts, net._summary()
        assert (["div"], caption) in texts
        if HAS_TABLES:
            title = ["summary"], "Trained network"
            assert texts.count(title) == 1
            begin = texts.index(title)
            cells = [text for element, text in texts[begin:] if element == ["td"]]
            assert cells[: 2 * len(summary)] == [text for row in summary.items() for text in row]
        else:
            assert escape("\n".join(": ".join(row) for row in summary.items())) in html

    @pytest.mark.parametrize("name", ["classifier", "stopping", "scoring", "lbfgs", "survival", "language"])
    def test_of_nets(self, nets, name):
        self.check(estimator_html_repr(nets[name]), nets[name])

    def test_of_the_net_in_a_detector(self):
        detector = RNNOutlierDetector(**NET).fit(X)
        self.check(estimator_html_repr(detector), detector.forecaster_)

    def test_in_a_pipeline_and_a_search(self):
        search = GridSearchCV(make_pipeline(SequenceScaler(), RNNRegressor(**NET)), {"rnnregressor__alpha": [0]}, cv=2)
        search.fit(X, Y)
        self.check(estimator_html_repr(search.best_estimator_), search.best_estimator_[-1])
        self.check(estimator_html_repr(search), search.best_estimator_[-1])

    def test_in_a_forecaster(self):
        data = ForecastWindows(past=2, horizon=1, target=0).make(np.arange(40.0))
        forecaster = ConformalForecaster(RNNRegressor(**NET)).fit(data.X, data.y)
        html = estimator_html_repr(forecaster)
        assert "estimator_: RNNRegressor" in html
        self.check(html, forecaster.estimator_)
        assert "estimator: RNNRegressor" in estimator_html_repr(ConformalForecaster(RNNRegressor(**NET)))

    @pytest.mark.parametrize("net", [RNNClassifier(), RNNLanguageModel(), RNNOutlierDetector()])
    def test_nothing_was_fitted(self, net):
        html = estimator_html_repr(net)
        assert "Trained network" not in html
        assert "caption" not in html.split("</style>")[1].split("<script>")[0]

    @pytest.mark.parametrize("html", [
        estimator_html_repr(RNNClassifier(cell="<script>alert(1)</script>")),
        table_of_texts("<script>alert(1)</script>", {"<script>alert(1)</script>": "<script>alert(1)</script>"}),
    ])
    def test_what_is_passed_stays_text(self, html):
        assert "<script>alert" not in html
        assert "<script>alert(1)" in unescape(html)
