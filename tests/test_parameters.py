"""Values of parameters that other libraries take are refused with a hint at what was meant."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._parameters import ADVICE, SYNONYMS, check_parameters, hint_at
from skrnn._sklearn import InvalidParameterError, StrOptions
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

X, Y, TEXTS = np.arange(120.0).reshape(30, 4) / 100, [0, 1] * 15, ["abc"] * 4
DATA = {RNNClassifier: (X, Y), RNNRegressor: (X, Y), RNNLanguageModel: (TEXTS,), SequenceVectorizer: (TEXTS,)}
ESTIMATORS = [*DATA, SequenceScaler, SequenceImputer, SlidingWindow]

MEANT = [
    (RNNClassifier, {"hidden_size": "32"}, 32), (RNNClassifier, {"hidden_size": 32.0}, 32),
    (RNNClassifier, {"cell": "LSTM"}, "lstm"), (RNNClassifier, {"cell": "SimpleRNN"}, "rnn"),
    (RNNClassifier, {"cell": "skip-LSTM"}, "skip_lstm"), (RNNClassifier, {"activation": "sigmoid"}, "logistic"),
    (RNNClassifier, {"solver": "SGD"}, "sgd"), (RNNClassifier, {"solver": "L-BFGS"}, "lbfgs"),
    (RNNClassifier, {"solver": "rmsprob"}, "rmsprop"), (RNNClassifier, {"learning_rate": "Cosine"}, "cosine"),
    (RNNClassifier, {"learning_rate": "ReduceLROnPlateau"}, "adaptive"), (RNNClassifier, {"dropout": 50}, 0.5),
    (RNNClassifier, {"dropout": "0.5"}, 0.5), (RNNClassifier, {"validation_fraction": 20}, 0.2),
    (RNNClassifier, {"early_stopping": "true"}, True), (RNNClassifier, {"early_stopping": 1}, True),
    (RNNClassifier, {"shuffle": None}, False), (RNNClassifier, {"max_grad_norm": 0}, None),
    (RNNClassifier, {"truncated_bptt_steps": False}, None), (RNNClassifier, {"max_iter": 1e3}, 1000),
    (RNNClassifier, {"batch_size": "Auto"}, "auto"), (RNNClassifier, {"batch_size": np.float64(16)}, 16),
    (RNNClassifier, {"class_weight": "Balanced"}, "balanced"), (RNNClassifier, {"pooling": "avg"}, "mean"),
    (RNNClassifier, {"pooling": "concat"}, "last_mean_max"),
    (RNNClassifier, {"missing": "forward_fill"}, "ffill"),
    (RNNRegressor, {"loss": "mse"}, "squared_error"), (RNNRegressor, {"loss": "MAE"}, "absolute_error"),
    (RNNRegressor, {"loss": "squared error"}, "squared_error"), (RNNRegressor, {"loss": "logcosh"}, "log_cosh"),
    (RNNRegressor, {"out_activation": "sigmoid"}, "logistic"), (RNNRegressor, {"quantile": 95}, 0.95),
    (RNNLanguageModel, {"analyzer": "words"}, "word"), (RNNLanguageModel, {"cell": "Gru"}, "gru"),
    (RNNLanguageModel, {"n_streams": "8"}, 8),
    (SequenceScaler, {"method": "MinMax"}, "minmax"), (SequenceImputer, {"strategy": "linear"}, "interpolate"),
    (SequenceVectorizer, {"analyzer": "chars"}, "char"), (SlidingWindow, {"window": 12.0}, 12),
]
ADVISED = [
    (RNNClassifier, {"learning_rate": 0.01}, "the rate itself is learning_rate_init"),
    (RNNClassifier, {"learning_rate": np.float32(0.01)}, "the rate itself is learning_rate_init"),
    (RNNLanguageModel, {"learning_rate": 1}, "the rate itself is learning_rate_init"),
    (RNNRegressor, {"learning_rate": "0.01"}, "the rate itself is learning_rate_init"),
    (RNNClassifier, {"batch_size": None}, '"auto" leaves the choice'),
    (RNNClassifier, {"missing": None}, '"error" refuses it'),
    (RNNClassifier, {"missing": -1}, "NaN is what is missing"),
    (RNNClassifier, {"early_stopping": "auto"}, "n_iter_no_change"),
    (RNNClassifier, {"early_stopping": 5}, "n_iter_no_change"),
    (RNNClassifier, {"dropout": (0.1, 0.2)}, "one fraction for all layers"),
    (RNNClassifier, {"random_state": "a"}, "An int gives the same result"),
    (RNNClassifier, {"random_state": np.random.default_rng(0)}, "Generator is not"),
    (RNNClassifier, {"class_weight": np.array([1.0, 2])}, r"dict {label: weight}"),
    (RNNRegressor, {"loss": "log_loss"}, "there is RNNClassifier"),
]


def fit(estimator, parameters, method="fit"):
    getattr(estimator(**parameters), method)(*DATA.get(estimator, (X,)))


@pytest.mark.parametrize(("estimator", "parameters", "meant"), MEANT, ids=str)
def test_what_was_meant(estimator, parameters, meant):
    (name,) = parameters
    with pytest.raises(InvalidParameterError, match=rf"^The '{name}' parameter .* Did you mean {name}={meant!r}\?$"):
        fit(estimator, parameters)
    check_parameters(estimator._parameter_constraints, {name: meant}, "")


@pytest.mark.parametrize(("estimator", "parameters", "advice"), ADVISED, ids=range(len(ADVISED)))
def test_advice(estimator, parameters, advice):
    (name,) = parameters
    with pytest.raises(InvalidParameterError, match=rf"^The '{name}' parameter .* instead\. .*{advice}"):
        fit(estimator, parameters)


@pytest.mark.parametrize("parameters", [{"alpha": "auto"}, {"solver": "adagrad"}, {"epsilon": 0}, {"n_steps": "auto"}],
                         ids=str)
def test_scikit_learns_message_alone_where_nothing_is_known(parameters):
    with pytest.raises(InvalidParameterError, match=r"Got .* instead\.$"):
        fit(RNNClassifier, parameters)


def test_partial_fit_too():
    net = RNNRegressor(3, max_iter=1).partial_fit(X, Y).set_params(learning_rate=0.01)
    with pytest.raises(InvalidParameterError, match="learning_rate_init"):
        net.partial_fit(X, Y)


@pytest.mark.parametrize(("estimator", "name"), [
    (RNNRegressor, "alpha"), (RNNRegressor, "tol"), (RNNRegressor, "learning_rate_init"), (RNNClassifier, "epsilon"),
    (RNNClassifier, "max_iter"), (RNNClassifier, "power_t"), (RNNLanguageModel, "alpha"), (RNNRegressor, "hidden_size"),
    (RNNRegressor, "max_grad_norm"), (RNNClassifier, "batch_size"), (RNNLanguageModel, "embedding_dim"),
])
def test_ints_that_no_float_holds(estimator, name):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of .* is an int of 1329 bits, expected"):
        fit(estimator, {name: 10**400})
    with pytest.raises(ValueError, match=name):
        fit(estimator, {name: -(10**400)})


ODD = [
    "", " ", "9" * 5000, "nan", "inf", "1e400", "\0", "Ⅷ", float("nan"), float("inf"), [], object(), 10**400,
    -(10**400), 1j, np.array([1, 2]), {"a": 1}, RNNClassifier, b"adam",
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_no_value_breaks_the_hints(value):
    for name in ("hidden_size", "cell", "dropout", "early_stopping", "class_weight", "max_grad_norm"):
        assert hint_at(RNNClassifier._parameter_constraints, name, value) in {"", ADVICE.get(name)}


def test_what_is_hinted_at_exists():
    known = {}
    for estimator in ESTIMATORS:
        for name, constraints in estimator._parameter_constraints.items():
            options = [constraint.options for constraint in constraints if isinstance(constraint, StrOptions)]
            known[name] = known.get(name, set()).union(*options)
    assert set(ADVICE) <= set(known)
    for name, synonyms in SYNONYMS.items():
        assert set(synonyms.values()) <= known[name]
        assert not set(synonyms) & known[name]


@pytest.mark.parametrize("parameters", [{"cell": "gru"}, {"pooling": "mean"}, {"solver": "sgd"}, {"loss": "huber"}])
def test_strings_of_numpy(parameters):
    """As a search over an array of strings passes them."""
    X = np.arange(24.0).reshape(4, 3, 2)
    nets = [
        RNNRegressor(2, max_iter=1, random_state=0).set_params(**{name: string(value) for name, value in given})
        for string in (str, np.str_) for given in [parameters.items()]
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected, found = (net.fit(X, X[:, 0, 0]).predict(X) for net in nets)
    np.testing.assert_array_equal(found, expected)
