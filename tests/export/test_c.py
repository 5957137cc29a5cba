"""Nets in C: compiled with all warnings as errors, and compared step by step with `predict_step`."""

import ctypes
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from networks import FORMS
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, RNNSurvival, WithStatic
from skrnn._training.losses import LOSSES
from skrnn.exceptions import ExportError
from skrnn.export import to_c
from skrnn.export._c.source import comment_of, verbatim
from skrnn.kernels import CELLS, POOLINGS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
GUIDE = Path(__file__).parents[2] / "docs" / "guide"
STRICT = [
    "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Wwrite-strings",
    "-Wmissing-prototypes", "-Werror",
]
TOLERANCE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}
SMALL = {"hidden_size": 3, "max_iter": 1, "random_state": 0}
rng = np.random.default_rng(0)
X = [rng.normal(size=(T, 3)) for T in (6, 1, 9, 4)] * 5
GAPS = [np.where(rng.random(x.shape) < 0.4, np.nan, x) for x in X]
TIMED = [np.insert(x, 1, 5 + np.cumsum(rng.integers(0, 9, size=len(x))) / 4, axis=1) for x in GAPS]
TABLE = rng.normal(size=(len(X), 12))
STATIC = rng.normal(size=(len(X), 2))



def in_dtype(X, dtype):
    return [x.astype(dtype) for x in X]


LABELS, NUMBERS = np.arange(len(X)) % 3, rng.normal(size=len(X))
COUNTS = rng.poisson(5, size=len(X))
DRUGS = [rng.choice(["none", "/* a */", "b", None], size=len(x)).tolist() for x in X]
WARDS = [rng.choice([10, 30, 20.5], size=len(x)).tolist() for x in X]
MIXED = pd.DataFrame({
    "net_drug": DRUGS, "pulse": [x[:, 0].tolist() for x in GAPS], "ward": WARDS, "age": STATIC[:, 0],
    "sex": rng.choice(["f", "m"], size=len(X)), "rank": STATIC[:, 1],
})
MIXED["ward"] = [[None if w == 20.5 and i % 2 else w for i, w in enumerate(ward)] for ward in WARDS]
OF_STEPS = ["net_drug", "pulse", "ward"]
CATEGORICAL = {"categorical_features": ["net_drug", "ward", "sex"]}


def steps_of(X, i):
    """The steps of sequence i as `predict_step` takes them, and as C does: in the place of a string its position."""
    if not isinstance(X, pd.DataFrame):
        steps = X.sequences[i] if isinstance(X, WithStatic) else X[i]
        steps = np.asarray(steps).reshape(4 if X is TABLE else len(steps), -1)
        return steps, steps
    cells = list(zip(*(X[name][i] for name in OF_STEPS), strict=True))
    drugs = sorted({cell for cells in DRUGS for cell in cells if cell is not None})
    read = [
        [np.nan if drug is None else drugs.index(drug), pulse, np.nan if ward is None else ward]
        for drug, pulse, ward in cells
    ]
    return cells, np.array(read)


MAIN = """
#define FIRST_DECLARATIONS
#define SECOND_2_DECLARATIONS
#include "first.c"
#include "second.c"
#include <stdio.h>
int main(void)
{
    first_state a, b;
    second_2_state c;
    double x[FIRST_FEATURES] = {1, 2, 3}, y[3][FIRST_OUTPUTS];
    first_init(&a);
    first_init(&b);
    second_2_init(&c);
    first_step(&a, x, y[0]);
    first_step(&b, x, y[1]);
    second_2_step(&c, x, y[2]);
    printf("%.17g %.17g %.17g", y[0][0], y[1][0], y[2][0]);
    return 0;
}
"""


def with_random_weights(net):
    """A fitted net whose parameters are none that training begins with, such as biases that are 0."""
    model = net._fitted.model
    theta = 0.5 * np.random.default_rng(1).normal(size=model.theta.shape)
    net._fitted = net._fitted._replace(model=replace(model, theta=theta.astype(model.dtype)))
    return net


class Library:
    """A net that is compiled, with states that are arrays."""

    def __init__(self, functions, name, text, dtype):
        self.functions, self.name, self.text, self.dtype = functions, name, text, np.dtype(dtype)

    def call(self, function, *arguments):
        arguments = [
            each.ctypes.data_as(ctypes.c_void_p) if isinstance(each, np.ndarray) else each for each in arguments
        ]
        return getattr(self.functions, f"{self.name}_{function}")(*arguments)

    def size(self, name):
        return int(re.search(rf"#define {self.name.upper()}_{name} (\d+)", self.text)[1])

    def init(self, width, static=None):
        state = np.full(width, np.nan, self.dtype)
        self.call("init", state, *([] if static is None else [np.array(static, self.dtype)]))
        return state

    def step(self, state, x):
        """Change the state; what is predicted."""
        x, y = np.array(x, self.dtype), np.full(self.size("OUTPUTS") + 1, 1e9, self.dtype)
        assert x.shape == (self.size("FEATURES"),)
        self.call("step", state, x, y)
        assert y[-1] == 1e9     # nothing is written beyond
        return y[:-1]


def compiled(nets, folder, **parameters):
    """Nets in one library: a `Library` for each."""
    texts = {f"net{i}": to_c(net, name=f"net{i}", **parameters) for i, net in enumerate(nets)}
    for name, text in texts.items():
        (folder / f"{name}.c").write_text(text, encoding="ascii")
    (folder / "all.c").write_text("".join(f'#include "{name}.c"\n' for name in texts))
    run(folder, "gcc", *STRICT, "-O1", "-shared", "-fPIC", "all.c", "-o", "all.so", "-lm")
    functions = ctypes.CDLL(str(folder / "all.so"))
    dtypes = [parameters.get("dtype", net._fitted.model.dtype) for net in nets]
    return [Library(functions, name, text, dtype) for (name, text), dtype in zip(texts.items(), dtypes, strict=True)]


def run(folder, *command, **options):
    """What a command prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def predict_step(net, x, state):
    """What C predicts of a step, flat, and the state after it."""
    if isinstance(net, RNNClassifier):
        p, after = net.predict_proba_step(x, state)
        return np.hstack(p), after
    if net._fitted.model.loss.is_likelihood:
        mean, std, after = net.predict_step(x, state, return_std=True)
        return np.hstack([mean, std]), after
    y, after = net.predict_step(x, state)
    return np.ravel(y), after


def check(net, X, library, static=None, static_in_c=None):
    """Step by step: predictions and states of some sequences."""
    tolerance = TOLERANCE[library.dtype]
    for i in range(4):
        state = net.initial_state() if static is None else net.initial_state(static=static[i : i + 1])
        in_c = library.init(state.shape[1], None if static is None else static_in_c[i])
        np.testing.assert_allclose(in_c, state[0], rtol=tolerance, atol=tolerance)
        for x, x_in_c in zip(*steps_of(X, i), strict=True):
            expected, state = predict_step(net, x, state)
            y = library.step(in_c, x_in_c)
            if isinstance(net, RNNSurvival):
                y = y[:1]
            np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
            np.testing.assert_allclose(in_c, state[0], rtol=tolerance, atol=tolerance)


CASES = {
    **{f"{cell} {activation} {reset_after} {dtype.__name__}": (RNNRegressor, in_dtype(X, dtype), NUMBERS, {
        "cell": cell, "activation": activation, "reset_after": reset_after,
    }) for cell, activation, reset_after in FORMS for dtype in (np.float32, np.float64)},
    # readings
    "raw": (RNNRegressor, X, NUMBERS, {"standardize": False}),
    **{f"missing={missing}": (RNNRegressor, GAPS, NUMBERS, {"missing": missing})
       for missing in ("ffill", "indicator", "decay")},
    "ffill, raw": (RNNRegressor, GAPS, NUMBERS, {"missing": "ffill", "standardize": False}),
    **{f"times, {missing}": (RNNRegressor, TIMED, NUMBERS, {"missing": missing, "times": 1, "cell": "lstm"})
       for missing in ("ffill", "indicator", "decay")},
    "table": (RNNRegressor, TABLE, NUMBERS, {"n_steps": 4}),
    # networks
    **{f"pooling={pooling}": (RNNRegressor, X, NUMBERS, {"pooling": pooling}) for pooling in POOLINGS},
    "stacked": (RNNClassifier, X, LABELS, {"hidden_size": (4, 2, 3), "cell": "lstm"}),
    "patches": (RNNRegressor, X, NUMBERS, {"patch_size": 4, "patch_stride": 2}),
    "patches one by one": (RNNRegressor, X, NUMBERS, {"patch_size": 3, "patch_stride": 1, "standardize": False}),
    "patches side by side": (RNNRegressor, TIMED, NUMBERS, {
        "patch_size": 3, "patch_stride": 3, "missing": "indicator", "times": 1, "hidden_size": (3, 2), "cell": "lstm",
    }),
    "categories": (RNNClassifier, [np.arange(len(x)) % 5 for x in X], LABELS, {"embedding_dim": 2}),
    "categories, ffill": (RNNClassifier, [np.where(x[:, 0] > 1, np.nan, np.arange(len(x)) % 5) for x in X], LABELS, {
        "embedding_dim": 2, "missing": "ffill", "return_sequences": False,
    }),
    # targets
    "two classes": (RNNClassifier, X, LABELS > 0, {}),
    "classes of steps": (RNNClassifier, X, [np.arange(len(x)) % 3 for x in X], {"return_sequences": True}),
    "labels": (RNNClassifier, X, np.stack([LABELS > 0, LABELS > 1], axis=1).astype(int), {}),
    "several classes": (RNNClassifier, X, np.stack([LABELS, LABELS > 1, 7 + np.arange(20) % 4], axis=1), {}),
    "several numbers": (RNNRegressor, X, np.stack([NUMBERS, 100 + 9 * NUMBERS], axis=1), {}),
    "logistic": (RNNRegressor, X, 1 / (1 + NUMBERS**2), {"out_activation": "logistic"}),
    "quantiles": (RNNRegressor, X, np.stack([NUMBERS, -NUMBERS], axis=1), {
        "loss": "quantile", "quantile": [0.1, 0.5, 0.9],
    }),
    **{loss: (RNNRegressor, X, COUNTS if LOSSES[loss].domain else NUMBERS, {"loss": loss})
       for loss in LOSSES if LOSSES[loss].is_regression},
    "two gaussians": (RNNRegressor, X, np.stack([NUMBERS, 9 * NUMBERS], axis=1), {"loss": "gaussian"}),
    "survival": (RNNSurvival, X, np.stack([LABELS > 0, 1 + NUMBERS**2], axis=1), {"intervals": 3}),
}


# Static features beside the steps, as `initial_state` takes them
GAPS_OF_STATIC = np.where(STATIC > 1, np.nan, STATIC)
OF_FRAME = MIXED[["age", "sex", "rank"]]
WITH_STATIC = {
    "head": (RNNRegressor, WithStatic(X, STATIC), NUMBERS, {"cell": "lstm", "static_to": "head"}),
    "initial state, ffill": (RNNRegressor, WithStatic(GAPS, GAPS_OF_STATIC), NUMBERS, {
        "cell": "lstm", "static_to": "initial_state", "missing": "ffill",
    }),
    "both, indicator": (RNNRegressor, WithStatic(GAPS, GAPS_OF_STATIC), NUMBERS, {
        "cell": "lstm", "static_to": "both", "missing": "indicator", "standardize": False,
    }),
    **{f"categorical features, {name}": (RNNClassifier, MIXED, LABELS, CATEGORICAL | parameters)
       for name, parameters in {
        "ffill": {"missing": "ffill"}, "patches": {"missing": "ffill", "patch_size": 3},
        "decay": {"missing": "decay", "hidden_size": (2, 3)},
    }.items()},
}
ALL = CASES | WITH_STATIC


def static_of(X):
    """Static features in Python and in C, where a string is its position."""
    if isinstance(X, WithStatic):
        return X.static, X.static
    return OF_FRAME, OF_FRAME.assign(sex=(OF_FRAME["sex"] == "m").astype(float)).to_numpy()


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """Of each case the net, fitted and compiled."""
    nets = [with_random_weights(estimator(**SMALL | p).fit(X, y)) for estimator, X, y, p in ALL.values()]
    libraries = compiled(nets, tmp_path_factory.mktemp("nets"))
    return dict(zip(ALL, zip(nets, libraries, strict=True), strict=True))


@needs_compiler
@pytest.mark.slow
class TestCompiled:
    @pytest.mark.parametrize("case", CASES)
    def test_predicts_as_predict_step(self, case, libraries):
        net, library = libraries[case]
        check(net, CASES[case][1], library)

    @pytest.mark.parametrize("case", WITH_STATIC)
    def test_with_static_features(self, case, libraries):
        net, library = libraries[case]
        X = WITH_STATIC[case][1]
        check(net, X, library, *static_of(X))

    def test_categories_that_fit_did_not_see(self, libraries):
        net, library = libraries["categorical features, ffill"]
        static, static_in_c = static_of(MIXED)
        state = net.initial_state(static=static[:1])
        unseen, _ = net.predict_proba_step(["new", 0.5, 77], state)
        for drug in (99, -1, 5, 4):
            y = library.step(library.init(state.shape[1], static_in_c[0]), [drug, 0.5, 77])
            np.testing.assert_allclose(y, unseen, rtol=1e-12)

    def test_survival_after_each_step(self, libraries):
        net, library = libraries["survival"]
        state = net.initial_state()[0]
        for t, x in enumerate(X[0]):
            expected = net.predict_survival_function([X[0][: t + 1]], return_array=True)[0, 1:]
            np.testing.assert_allclose(library.step(state, x)[1:], expected, rtol=1e-12)

    @pytest.mark.parametrize("case", ["stacked", "two classes", "several classes"])
    def test_labels(self, case, libraries):
        net, library = libraries[case]
        state = net.initial_state()
        for x in X[2]:
            y = library.step(state[0].copy(), x)
            expected, state = net.predict_step(x, state)
            if case == "several classes":
                labels = [classes[library.call("label", y, q)] for q, classes in enumerate(net.classes_)]
                assert labels == expected.tolist()
            else:
                assert net.classes_[library.call("label", y)] == expected

    def test_the_first_of_equal_classes(self, libraries):
        _, library = libraries["stacked"]
        for y, label in (([0.4, 0.4, 0.2], 0), ([0.2, 0.4, 0.4], 1)):
            assert library.call("label", np.array(y, library.dtype)) == label

    def test_in_single_precision_though_fitted_in_double(self, tmp_path):
        net = RNNRegressor(cell="lstm", **SMALL).fit(X, NUMBERS)
        check(net, X, *compiled([net], tmp_path, dtype="float32"))

    def test_two_nets_and_a_main_in_one_program(self, tmp_path):
        """With headers that are the files themselves, and each stream by itself."""
        first, second = (RNNRegressor(cell=cell, **SMALL).fit(X, NUMBERS) for cell in ("gru", "mgu"))
        (tmp_path / "first.c").write_text(to_c(first, name="first"))
        (tmp_path / "second.c").write_text(to_c(second, name="second_2"))
        (tmp_path / "main.c").write_text(MAIN)
        run(tmp_path, "gcc", *STRICT, "main.c", "first.c", "second.c", "-o", "main", "-lm")
        printed = run(tmp_path, "./main")
        expected = [net.predict_step([1.0, 2.0, 3.0], None)[0] for net in (first, first, second)]
        np.testing.assert_allclose(np.array(printed.split(), float), expected, rtol=1e-12)

    def test_the_program_of_the_documentation(self, tmp_path):
        page = (GUIDE / "c.md").read_text(encoding="utf-8")
        python, c = (
            re.search(rf"^```{kind}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[1] for kind in ("python", "c")
        )
        names = {}
        exec(python, names)
        (tmp_path / "main.c").write_text(c)
        shutil.copy(names["folder"] / "pump.c", tmp_path)
        run(tmp_path, "gcc", *STRICT, "-O2", "main.c", "pump.c", "-o", "pump", "-lm")
        net, steps = names["net"], names["X"][0]
        text = "\n".join(" ".join(map(str, x)) for x in steps)
        printed = run(tmp_path, "./pump", input=text)
        labels, probabilities = zip(*map(str.split, printed.splitlines()), strict=True)
        assert list(labels) == [net.predict(steps[np.newaxis, : t + 1])[0] for t in range(40)]
        expected = [net.predict_proba(steps[np.newaxis, : t + 1])[0, 1] for t in range(40)]
        np.testing.assert_allclose(np.array(probabilities, float), expected, atol=6e-5)

    @pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
    @pytest.mark.parametrize("cell", CELLS)
    def test_on_a_microcontroller(self, cell, tmp_path):
        """For the Cortex-M4F, without double arithmetic and without memory that is written but the stack."""
        sequences = in_dtype(GAPS, np.float32)
        net = RNNClassifier(cell=cell, missing="indicator", **SMALL).fit(sequences, LABELS)
        (tmp_path / "net.c").write_text(to_c(net))
        flags = ["-Os", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
        run(tmp_path, "arm-none-eabi-gcc", *STRICT, *flags, "-c", "net.c")
        printed = run(tmp_path, "arm-none-eabi-nm", "--format=posix", "net.o")
        symbols = [line.split()[:2] for line in printed.splitlines()]
        assert not [name for name, kind in symbols if kind.lower() in "bdc"]
        assert {name for name, kind in symbols if kind == "U"} <= {"expf", "tanhf", "memcpy", "memset"}


class TestText:
    def test_is_that_of_the_net_alone(self):
        net = RNNRegressor(cell="mgu", missing="ffill", **SMALL).fit(GAPS, NUMBERS)
        text = to_c(net, name="pump_2")
        assert text == to_c(net, name="pump_2")
        assert "PUMP_2_FEATURES 3\n" in text
        assert not re.search(r"\b(net|NET)_", text)
        assert "gru" not in text

    def test_says_what_numbers_are_whatever_they_are_called(self):
        X = MIXED.assign(pulse=[[float(i)] for i in range(20)], ward=[[(10, 20.5)[i % 2]] for i in range(20)])
        X["net_drug"] = [[("net_a", "*/", "é\n")[i % 3]] for i in range(20)]
        text = to_c(RNNClassifier(**SMALL, **CATEGORICAL).fit(X, LABELS), name="pump")
        about = text[: text.index("#ifndef")]
        assert about.count("*/") == 1
        for line in (
            "x[0]  net_drug: 0 for '* /', 1 for 'net_a', 2 for '\\xe9\\n'; 3 for all others", "x[1]  pulse",
            "x[2]  ward, one of 10, 20.5; all others are unseen", "static_features[0]  age",
            "static_features[1]  sex: 0 for 'f', 1 for 'm'; 2 for all others", "y[1]  the probability of 1, class 1",
        ):
            assert line in about

    def test_says_what_a_missing_category_is(self):
        X = pd.DataFrame({"drug": [["a", None], ["b", "a"]] * 3, "pulse": [[1.0, 2.0]] * 6})
        net = RNNRegressor(missing="ffill", **SMALL).fit(X, np.arange(6.0))
        assert "x[0]  drug: 0 for 'a', 1 for 'b', 2 for a missing one; 3 for all others" in to_c(net)

    @pytest.mark.parametrize("text", ["a???/", "??????", "/*/*/", "*//*", "**//"])
    def test_comments_hold_any_text(self, text):
        """Without trigraphs, which escape the end of a line, and without what begins or ends a comment."""
        comment = comment_of(text, verbatim(text))
        assert not re.search(r"\?\?|/\*|\*/", comment[2:-2])
        assert re.sub(r"\s", "", comment) == f"/*{2 * text}*/"

    @pytest.mark.parametrize(("name", "error"), [("", ValueError), ("1st", ValueError), ("a b", ValueError),
                                                 ("ü", ValueError), ("_own", ValueError), (3, TypeError)])
    def test_names_are_identifiers(self, name, error):
        net = RNNRegressor(**SMALL).fit(X, NUMBERS)
        with pytest.raises(error, match=r"^name="):
            to_c(net, name=name)

    def test_dtypes(self):
        net = RNNRegressor(**SMALL).fit(X, NUMBERS)
        assert "typedef double pump_real;" in to_c(net, name="pump", dtype=None)
        with pytest.raises(ValueError, match=r"^dtype='float16': expected one of"):
            to_c(net, dtype="float16")


class TestWhatCannotBeSaid:
    @pytest.mark.parametrize(("parameters", "named"), [
        ({"bidirectional": True}, "bidirectional=True"), ({"standardize": "sequence"}, "standardize='sequence'"),
    ])
    def test_nets_that_read_whole_sequences(self, parameters, named):
        net = RNNRegressor(**SMALL | parameters).fit(X, NUMBERS)
        with pytest.raises(ExportError, match=rf"^{named}.*; fit with"):
            to_c(net)

    def test_other_estimators(self):
        pipeline = make_pipeline(StandardScaler(), RNNRegressor(**SMALL)).fit(TABLE, NUMBERS)
        with pytest.raises(ExportError, match=r"^a Pipeline cannot be exported to C.*export the last step"):
            to_c(pipeline)
        with pytest.raises(ExportError, match=r"^a class RNNRegressor cannot be exported to C, expected a fitted RNN"):
            to_c(RNNRegressor)
        for estimator in (RNNLanguageModel(), RNNOutlierDetector(), StandardScaler(), None):
            with pytest.raises(ExportError, match=rf"^a {type(estimator).__name__} cannot be exported to C"):
                to_c(estimator)

    def test_nets_that_are_not_fitted(self):
        with pytest.raises(NotFittedError):
            to_c(RNNRegressor())

    def test_numbers_that_the_dtype_does_not_hold(self):
        net = RNNRegressor(**SMALL).fit([1e45 * x for x in X], NUMBERS)
        with pytest.raises(ExportError, match=r"too large for float32; export the net with dtype='float64'"):
            to_c(net, dtype="float32")

    def test_categories_that_the_dtype_does_not_tell_apart(self):
        frame = pd.DataFrame({"code": [[2**24 + i % 2] for i in range(20)], "pulse": [[1.0 * i] for i in range(20)]})
        net = RNNClassifier(**SMALL, categorical_features=["code"]).fit(frame, LABELS)
        to_c(net, dtype="float64")
        with pytest.raises(ExportError, match=r"^the categories of 'code' .* not different in float32"):
            to_c(net, dtype="float32")


def test_all_cells_and_losses_are_there():
    assert {case for case in CASES if case in LOSSES} == {name for name in LOSSES if LOSSES[name].is_regression}
    assert {loss for loss in LOSSES if not LOSSES[loss].is_regression} == {
        "binary_log_loss", "log_loss", "multilabel_log_loss", "multioutput_log_loss",
    }
