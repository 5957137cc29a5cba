"""Checks of parameters, with a hint at what may have been meant by a value that is refused."""

from difflib import get_close_matches
from numbers import Integral, Real
from sys import float_info

from skrnn._messages import shown
from skrnn._sklearn import DocumentedMixin, InvalidParameterError, StrOptions, validate_parameter_constraints

# What other libraries and papers call the values of a parameter, in lower case and without what separates words
SYNONYMS = {
    "activation": {"sigmoid": "logistic", "linear": "identity"},
    "analyzer": {"character": "char", "letter": "char", "letters": "char", "token": "word", "tokens": "word"},
    "cell": {"elman": "rnn", "simplernn": "rnn", "simple": "rnn", "vanilla": "rnn", "vanillarnn": "rnn"},
    "class_weight": {"auto": "balanced", "balancedsubsample": "balanced"},
    "learning_rate": {
        "plateau": "adaptive", "reducelronplateau": "adaptive", "cosineannealing": "cosine", "fixed": "constant",
        "1cycle": "one_cycle", "onecyclelr": "one_cycle", "warmup": "warmup_cosine", "cosinewarmup": "warmup_cosine",
    },
    "loss": {
        "mse": "squared_error", "meansquarederror": "squared_error", "l2": "squared_error", "rmse": "squared_error",
        "mae": "absolute_error", "meanabsoluteerror": "absolute_error", "l1": "absolute_error",
        "pinball": "quantile", "quantiles": "quantile", "multiquantile": "quantile", "smoothl1": "huber",
        "poissonnll": "poisson", "normal": "gaussian", "gaussiannll": "gaussian", "studentt": "student_t",
        "t": "student_t", "nb": "negative_binomial", "negbin": "negative_binomial",
    },
    "method": {"zscore": "standard", "standardize": "standard"},
    "missing": {"locf": "ffill", "forward": "ffill", "forwardfill": "ffill", "pad": "ffill", "raise": "error"},
    "out_activation": {"sigmoid": "logistic", "linear": "identity"},
    "pooling": {
        "avg": "mean", "average": "mean", "meanpool": "mean", "maximum": "max", "maxpool": "max", "laststep": "last",
        "none": "last", "concat": "last_mean_max", "all": "last_mean_max",
    },
    "scoring": {
        "auc": "roc_auc", "rocauc": "roc_auc", "logloss": "neg_log_loss", "crossentropy": "neg_log_loss",
        "mse": "neg_mean_squared_error", "mae": "neg_mean_absolute_error", "rmse": "neg_root_mean_squared_error",
        "validationloss": "loss", "f1score": "f1",
    },
    "solver": {"lbfgsb": "lbfgs", "rms": "rmsprop"},
    "strategy": {
        "locf": "ffill", "forward": "ffill", "forwardfill": "ffill", "pad": "ffill", "linear": "interpolate",
        "average": "mean",
    },
}
# What is said where no other value is near
ADVICE = {
    "activation": 'It is that of the cell "rnn"; the other cells have their own',
    "batch_size": '"auto" leaves the choice to the net, the number of sequences takes all of them at once',
    "class_weight": "Weights of classes are a dict {label: weight}, those of sequences the sample_weight of fit",
    "dropout": "It is one fraction for all layers, 0 for none",
    "early_stopping": "It is True or False; for how many epochs it waits is n_iter_no_change",
    "hidden_size": "Layers are stacked with a tuple, (32, 16)",
    "learning_rate": "It is the schedule of the rate; the rate itself is learning_rate_init",
    "loss": "For labels, and their log loss, there is RNNClassifier",
    "max_grad_norm": "None leaves gradients as they are",
    "missing": (
        'NaN is what is missing: "error" refuses it, "ffill" and "indicator" fill it and leave out padding; other '
        "values have to be NaN first"
    ),
    "n_iter_no_change": "With max_iter training does not stop before",
    "random_state": "An int gives the same result every time; numpy.random.RandomState is taken, Generator is not",
    "recurrent_dropout": "It is one fraction for all layers, 0 for none",
    "scoring": 'It is "loss", None, a name that sklearn.metrics.get_scorer_names() lists, or scorer(estimator, X, y)',
}
# Up to which floats hold all whole numbers
MAX_WHOLE = 2**53
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "none": None, "null": None}


class CheckedParametersMixin(DocumentedMixin):
    """Errors of parameters hint at what may have been meant; a base class before `BaseEstimator`."""

    def _validate_params(self):
        check_parameters(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)


def check_parameters(constraints, values, caller_name):
    """Raise an InvalidParameterError for the first value that its constraints do not allow, as scikit-learn does."""
    try:
        validate_parameter_constraints(constraints, values, caller_name=caller_name)
    except InvalidParameterError as error:
        name = next(
            name for name, value in values.items() if name in constraints and not _allows(constraints, name, value)
        )
        value = values[name]
        refused = str(error).replace(repr(value), shown(value))
        raise InvalidParameterError(f"{refused} {hint_at(constraints, name, value)}".rstrip()) from None
    for name, value in values.items():
        if isinstance(value, Integral) and abs(value) > float_info.max:
            raise InvalidParameterError(
                f"The {name!r} parameter of {caller_name} is an int of {value.bit_length()} bits, expected one up to "
                f"{float_info.max:.1e}, as floats are"
            )


def hint_at(constraints, name, value):
    """What may have been meant by a value that a parameter does not take; empty where nothing is known."""
    allowed = constraints[name]
    options = sorted(
        option for constraint in allowed if isinstance(constraint, StrOptions) for option in constraint.options
    )
    is_flag = "boolean" in allowed or "verbose" in allowed
    for meant in (*_named(name, value, options), *_converted(value)):
        if (is_flag or not isinstance(meant, bool)) and _allows(constraints, name, meant):
            return f"Did you mean {name}={meant!r}?"
    return ADVICE.get(name, "")


def _named(name, value, options):
    """Options, or other values, that are named nearly like a text, the likeliest first."""
    if not isinstance(value, str):
        return
    plain = _plain(value)
    yield from (option for option in options if _plain(option) == plain)
    for known in (SYNONYMS.get(name, {}), WORDS):
        if plain in known:
            yield known[plain]
    yield from get_close_matches(value.lower(), options, n=1, cutoff=0.76)


def _converted(value):
    """Values of other types that mean the same: numbers that are text, ints that are floats or percentages, flags."""
    if isinstance(value, str) and (number := _number(value)) is not None:
        yield number
        value = number
    if value is None:
        yield False
    elif isinstance(value, Real) and abs(value) < MAX_WHOLE and value == int(value):
        whole = int(value)
        yield whole
        if whole in (0, 1):
            yield bool(whole)
        if whole == 0:
            yield None
        if 5 <= whole < 100:
            yield whole / 100


def _number(text):
    """The number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _plain(text):
    """A name in lower case, without what separates its words."""
    return "".join(filter(str.isalnum, text.lower()))


def _allows(constraints, name, value):
    """Whether a parameter may have a value."""
    try:
        validate_parameter_constraints({name: constraints[name]}, {name: value}, caller_name=name)
    except InvalidParameterError:
        return False
    return True
