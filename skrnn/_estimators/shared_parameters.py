"""The parameters of the estimators: what each may be and what it means, said once.

`with_parameters` makes of this table the constraints that are checked in `fit` and the Parameters section of the
docstrings. What lists cells, losses and solvers is made of their own tables, so that a new one is documented by being
there.
"""

import inspect
from dataclasses import dataclass
from numbers import Integral, Real
from textwrap import fill

from sklearn.metrics import get_scorer_names

from skrnn._data.categories import MAX_CATEGORIES
from skrnn._data.missing import MISSING
from skrnn._data.parts import FROM_DTYPE
from skrnn._estimators.embeddings import AUTOMATIC_DIM_TEXT
from skrnn._estimators.patches import AUTOMATIC_SIZES
from skrnn._network.static import STATIC_TO
from skrnn._sklearn import Interval, StrOptions
from skrnn._training import epochs
from skrnn._training.epochs import AUTO
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.report import MAX_LINES
from skrnn._training.run import LEARNING_RATE, LEARNING_RATE_OF_PARTS
from skrnn._training.schedules import SCHEDULES
from skrnn.kernels import ACTIVATIONS, CELLS, POOLINGS

WIDTH = 120


@dataclass(frozen=True)
class Parameter:
    """A parameter of an estimator.

    Parameters
    ----------
    constraint : list
        As in ``_parameter_constraints`` of scikit-learn's estimators.
    kind : str
        What the docstring says that it may be.
    meaning : str
        What the docstring says that it does.
    """

    constraint: list
    kind: str
    meaning: str


def positive_int(meaning, *, or_none=False):
    """An int of at least 1."""
    constraint = [Interval(Integral, 1, None, closed="left"), *[None] * or_none]
    return Parameter(constraint, "int or None" if or_none else "int", meaning)


def fraction(meaning, *, closed="left"):
    """A number between 0 and 1."""
    brackets = {"left": "[0, 1)", "neither": "(0, 1)", "both": "[0, 1]"}[closed]
    return Parameter([Interval(Real, 0, 1, closed=closed)], f"float in {brackets}", meaning)


def flag(meaning):
    """True or False."""
    return Parameter(["boolean"], "bool", meaning)


def loss_parameter(name, note=""):
    """The parameter of a loss, in the range that the loss gives."""
    loss = next(loss for loss in LOSSES.values() if loss.parameter_name == name)
    low, high = loss.parameter_range
    kind = "float" if high is None else f"float in ({low}, {high})"
    meaning = f'For the loss "{loss.name}"{": " * bool(note)}{note}.'
    return Parameter([Interval(Real, low, high, closed="neither")], kind, meaning)


def one_or_several(parameter, note):
    """A parameter that may also be a list."""
    kind, meaning = f"{parameter.kind}, or a list of them", f"{parameter.meaning} {note}"
    return Parameter([*parameter.constraint, "array-like"], kind, meaning)


def positive_int_or_auto(meaning):
    """An int of at least 1, or "auto"."""
    return Parameter([StrOptions({AUTO}), *positive_int("").constraint], 'int or "auto"', meaning)


def choice(options, meaning):
    """One of some names."""
    return Parameter([StrOptions(set(options))], options_text(options), meaning)


def options_text(options):
    """Names as docstrings list them."""
    return "{" + ", ".join(f'"{name}"' for name in options) + "}"


def summaries(table):
    """What the entries of a table are, in one text: "name": summary; ..."""
    return "; ".join(f'"{name}", {entry.summary}' for name, entry in table.items())


def for_solvers(name):
    """The solvers that take a parameter, in words."""
    *others, last = (f'"{solver}"' for solver, optimizer in OPTIMIZERS.items() if name in optimizer.parameters)
    return f"for the solvers {', '.join(others)} and {last}" if others else f"for the solver {last}"


REGRESSION_LOSSES = {name: loss for name, loss in LOSSES.items() if loss.is_regression}
SOLVERS_TEXT = summaries(OPTIMIZERS)
AUTOMATIC_TEXT = ", ".join(f"{size} from {n_steps} steps on" for n_steps, size in AUTOMATIC_SIZES)
LBFGS_TEXT = 'or "lbfgs", L-BFGS on all sequences at once, for small data (Liu & Nocedal 1989)'

SHARED = {
    "hidden_size": Parameter(
        ["array-like", Interval(Integral, 1, None, closed="left")], "int or tuple of int",
        "Units of the recurrent layer; a tuple stacks layers, from the input upwards.",
    ),
    "cell": choice(CELLS, f"The recurrent cell: {summaries(CELLS)}."),
    "activation": choice(ACTIVATIONS, 'Activation of the cell "rnn"; the other cells have their own.'),
    "reset_after": flag(
        'For the cell "gru": apply the reset gate after the recurrent product (cuDNN, PyTorch) or before it (Cho et '
        "al.). In both, an update gate near 1 keeps the state; some texts exchange the two."
    ),
    "bidirectional": flag("Read every sequence in both directions, in every layer, with separate weights."),
    "pooling": choice(
        POOLINGS,
        "What the output layer reads of a sequence: the last output of the top layer, the mean of its outputs over all "
        "steps, the maximum of each unit, or all three side by side, with three times the weights of the output layer. "
        "Forecasts need the last output; the maximum finds a pattern wherever it is. Not used with "
        "`return_sequences`, which reads every step. The mean is computed in the dtype of X: in float32 it loses "
        "digits over very many steps, and takes 2**24 at most.",
    ),
    "static_to": choice(
        STATIC_TO,
        "What reads the static features of a sequence, where X has any (columns without lists in a frame, or "
        ':class:`skrnn.WithStatic`): "head", the output layer, beside what it reads of the steps; "initial_state", the '
        "states before the first step, tanh(z W + b) of the static inputs z, so that the net may read each sequence in "
        'its own way; "both". Categories among them are embedded as those of steps.',
    ),
    "n_steps": positive_int(
        "Only for 2-D X: the number of steps that the columns of a row are split into, in time order, each of "
        "columns / n_steps features. None: every column is a step of one feature.", or_none=True,
    ),
    "patch_size": Parameter(
        [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None], 'int, "auto" or None',
        "Steps that the first layer reads at a time, side by side: a long series is read in fewer, overlapping patches "
        "(Nie et al. 2023), several times faster and often better. The last patch repeats the last step of its "
        f'sequence where it lacks some. "auto": {AUTOMATIC_TEXT}, by the median length of the sequences in the first '
        '`fit`. None: single steps, as always with `return_sequences`, missing="decay" or where each step is one '
        'category ("auto" is off there).',
    ),
    "patch_stride": Parameter(
        [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None], 'int, "auto" or None',
        'Steps from the first one of a patch to the first one of the next, at most `patch_size`. None and "auto": half '
        "of `patch_size`.",
    ),
    "embedding_dim": Parameter(
        [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO}), dict, None], 'int, dict, "auto" or None',
        "How many numbers stand for a category: a vector that is learned. Of `categorical_features` it is that of all, "
        f'or of those that a dict has by name; of others, and with "auto" or None, {AUTOMATIC_DIM_TEXT}. They are in '
        "`embeddings_`. Where no feature is categorical, an int says that X holds categories, 0, 1, 2, ..., one per "
        "step. Categories that `fit` did not see are vectors of zeros. Padding is NaN, with `missing=\"ffill\"`.",
    ),
    "n_categories": Parameter(
        [Interval(Integral, 1, MAX_CATEGORIES, closed="both"), None], "int or None",
        "With an int as `embedding_dim`, where each step is one category: X holds 0 to n_categories − 1, also those "
        "that later calls of `partial_fit` bring, which begin as vectors of zeros. None: those up to the greatest "
        "category in the first `fit`.",
    ),
    "categorical_features": Parameter(
        ["array-like", StrOptions({FROM_DTYPE}), None], 'array-like, "from_dtype" or None',
        "Features that are categories, each of which is read as a vector that is learned, of a width that "
        "`embedding_dim` sets: a list of names, of indices, or a mask of bools, over all columns of a frame, for other "
        "X over the features of a step and then the static ones of `WithStatic`. They may be strings or numbers. "
        '"from_dtype": in frames those that hold strings or have a dtype of categories (pandas\' category, polars\' '
        "Categorical and Enum, Arrow's dictionary), also in lists, and static strings. Missing ones are a category of "
        "their own; those that the first `fit` did not see are a vector of zeros. None: none is.",
    ),
    "missing": choice(
        MISSING,
        "What to do with NaN in X: refuse it; take the last value of the feature that was seen in the sequence, or 0; "
        'or that, with a further input per feature that is 1 where it was missing; or, "decay", that, where the last '
        "value decays to the mean (to 0 where `standardize` is False), and the states of the first layer to 0, with "
        "the time since the features were last seen, at rates that are learned (GRU-D, Che et al. 2018; with all "
        "cells, but not with patches). "
        'Unless it is "error", steps at the '
        "end of a 3-D X that are NaN in every feature are padding and left out; predictions per step repeat the last "
        "one there. Categories (`embedding_dim`) take the last one, and padding may be in a 2-D X, too; steps before "
        "the first category have a vector of their own, which categories that `fit` did not see share.",
    ),
    "times": Parameter(
        [str, Integral, None], "str, int or None",
        "The feature of a step that is its time, by name or index: a number that does not decrease in a sequence. In "
        'its place the network reads the time since the last step, and with `missing="indicator"` also that since each '
        'feature was last seen before, with "decay" for the decays; 0 at the first step. They are in units of their '
        "means in the first `fit`, so that units of time make no difference. None: a step takes a time of 1.",
    ),
    "standardize": Parameter(
        ["boolean", StrOptions({"sequence"})], 'bool or "sequence"',
        "Read each feature of X, and y of a regressor, in units of its own: minus the mean and divided by the standard "
        "deviation over all steps, of what is not missing in the sequences with weight of the first `fit`, or of the "
        "first call of `partial_fit`, which later calls keep. Units then make no difference, and training begins with "
        "the constant prediction of the least loss. Categories stay as they are, and so do fractions of a \"logistic\" "
        "output; counts for \"poisson\" are divided by their mean. A feature that is constant in `fit` is only "
        "centered. Missing values before the first one of a sequence are the mean, in the place of 0. False: the "
        "network reads and predicts numbers as they are. "
        "\"sequence\": each sequence in its own units, its mean and standard deviation, both of which are further "
        "features of its steps; a regressor's target, too, where X has one feature, or one for each output, and the "
        "prediction is put back (Kim et al. 2022, RevIN). It needs whole sequences: no states, no streams.",
    ),
    "dropout": fraction("Fraction of each layer's outputs that is set to zero in training."),
    "recurrent_dropout": fraction(
        "Fraction of the hidden state that is set to zero in the recurrent products in training: for each sequence the "
        "same units at all steps (Gal & Ghahramani 2016)."
    ),
    "solver": choice([*OPTIMIZERS, "lbfgs"], f"The optimizer: {SOLVERS_TEXT}; {LBFGS_TEXT}."),
    "alpha": Parameter(
        [Interval(Real, 0, None, closed="left")], "float",
        "Strength of the L2 penalty on the weights, ½ alpha ‖weights‖² / Σ sample weights of the batch; for "
        '"adamw" the rate of its decay. Biases and embeddings have no penalty.',
    ),
    "batch_size": positive_int_or_auto('Sequences per batch; "auto" is min(32, n). Not used by "lbfgs".'),
    "learning_rate": choice(
        [AUTO, *SCHEDULES],
        f'The learning rate over the epochs, of all solvers but "lbfgs": {summaries(SCHEDULES)}. Those that come down '
        f'to 0 start again after `max_iter` calls of `partial_fit`. "auto" is "{LEARNING_RATE}", and in `partial_fit`, '
        f'which does not know how many calls there will be, "{LEARNING_RATE_OF_PARTS}".',
    ),
    "learning_rate_init": Parameter(
        [Interval(Real, 0, None, closed="neither")], "float",
        "The initial learning rate, or the greatest of a schedule that begins lower. `partial_fit` goes on with the "
        "optimizer of the call before, its rate and momentum.",
    ),
    "power_t": Parameter([Interval(Real, 0, None, closed="left")], "float", 'Exponent of the schedule "invscaling".'),
    "max_iter": positive_int_or_auto(
        f'Maximum number of epochs, or of iterations of "lbfgs". "auto": epochs for about {epochs.UPDATES:,} updates, '
        f"at least {epochs.MIN_EPOCHS} and at most {epochs.MAX_EPOCHS:,} of them, so that small data have their "
        f"updates, too; of labels at most {epochs.MAX_EPOCHS_OF_LABELS:,}, or {epochs.MAX_EPOCHS:,} times the updates "
        "of an epoch. An update is a batch, or with `truncated_bptt_steps` a stretch of it. With `partial_fit` these "
        f'are the updates of the first call. For "lbfgs" it is {epochs.LBFGS_ITERATIONS}. `max_iter_` is the number.'
    ),
    "average": fraction(
        "The fraction of the `max_iter` epochs at the end over which the parameters are averaged, as they are after "
        "each epoch; the net has the average then, and `early_stopping` validates it (stochastic weight averaging, "
        "Izmailov et al. 2018). 0 averages nothing. A training that stops earlier has no average; `partial_fit` "
        "averages nothing.", closed="both",
    ),
    "shuffle": flag("Take the sequences in a new order in each epoch."),
    "random_state": Parameter(
        ["random_state"], "int, RandomState instance or None",
        "Source of the initial parameters, the order of the sequences, dropout and the validation split; pass an int "
        "for the same fit every time.",
    ),
    "tol": Parameter(
        [Interval(Real, 0, None, closed="left")], "float",
        "An epoch is an improvement when it lowers what training minimizes, loss and penalty, below the least so far, "
        "or with `early_stopping` raises the best validation score, by this much. "
        "At `max_iter` a ConvergenceWarning says by how much the mean over the last tenth of the epochs is still "
        "better than over the tenth before, if by more than this and by more than a hundredth of the whole gain. "
        'For "lbfgs" training ends where no element of the gradient is larger.',
    ),
    "verbose": Parameter(
        ["verbose"], "bool or int",
        "1, or True: print a line for each epoch, with the loss, the loss and score of what is held out, the norm of "
        f"the gradient, the time and what is left of it; of more than {MAX_LINES} epochs for some of them, at least "
        "one a second; then why training ended, and with what. 2: where the output is a terminal or a notebook, a bar "
        'that moves, for which the package rich has to be there (``pip install "skrnn[progress]"``); elsewhere lines.',
    ),
    "warm_start": flag("Continue from the parameters of the last fit instead of new ones."),
    "momentum": fraction(f"Momentum, {for_solvers('momentum')}.", closed="both"),
    "nesterovs_momentum": flag(f"Use Nesterov's momentum, {for_solvers('nesterovs_momentum')}."),
    "early_stopping": flag(
        "Hold out some of the sequences, or take the validation data passed to `fit`, stop when the score on them does "
        "not improve, and keep the parameters of the best epoch. Of labels per sequence each class is held out in "
        "equal shares, where there are enough of it; the only sequence of a class is trained on. The `groups` passed "
        "to `fit` are held out whole."
    ),
    "scoring": Parameter(
        [StrOptions({"loss", *get_scorer_names()}), callable, None], "str, callable or None",
        'What `early_stopping` goes by. "loss": the loss of what is held out, weighted as in training, with the '
        "weights of classes; `validation_scores_` are its negative. None: the accuracy of a classifier, for numbers "
        "the explained fraction of the loss (D²; R² for the squared error and Huber's loss). Or a scorer of "
        'scikit-learn, by its name, such as "roc_auc", with `return_sequences` over all steps that have a target; or a '
        "callable, ``scoring(estimator, X, y)``, with ``sample_weight`` if `fit` has one, that returns a number, the "
        "greater the better: with `return_sequences` it gets targets of steps, see :func:`make_sequence_scorer`.",
    ),
    "validation_fraction": fraction("Fraction of the sequences that is held out.", closed="neither"),
    "beta_1": fraction(f"Decay rate of the first moment, {for_solvers('beta_1')}."),
    "beta_2": fraction(f"Decay rate of the second moment, {for_solvers('beta_2')}."),
    "epsilon": Parameter(
        [Interval(Real, 0, None, closed="neither")], "float",
        f"Added to the root of the second moment, {for_solvers('epsilon')}.",
    ),
    "n_iter_no_change": positive_int_or_auto(
        "Stop after more than this many epochs in a row without improvement. "
        f'"auto": the epochs of {epochs.PATIENCE_UPDATES} updates, at least {epochs.MIN_PATIENCE_EPOCHS}; but where '
        "the learning rate comes down to 0 at `max_iter`, only `early_stopping` ends training before."
    ),
    "max_fun": positive_int('Maximum number of evaluations of the loss by "lbfgs".'),
    "max_grad_norm": Parameter(
        [None, Interval(Real, 0, None, closed="neither")], "float or None",
        "Scale each gradient down to at most this norm; None leaves it alone. Worth setting (to 1, say) for long "
        'sequences, the solver "sgd" and the cell "skip_lstm", whose gradients may explode (Pascanu, Mikolov & Bengio '
        "2013).",
    ),
    "truncated_bptt_steps": positive_int(
        "Split longer sequences into stretches of this many steps, with an update after each: the states are carried "
        "from one to the next, the gradient is not (truncated backpropagation through time). With `patch_size` it "
        "counts patches. None: the gradient goes back to the first step.", or_none=True,
    ),
}


def with_parameters(like=None, **own):
    """A class decorator: parameters of an estimator from the table above, and its own.

    It sets ``_parameter_constraints``. In the docstring it puts the Parameters section in the place of
    ``{parameters}``, in the order of ``__init__`` and with its defaults, the sources of the cells in the place of
    ``{cell_references}``, and the Attributes of `like` in that of ``{attributes}``.

    Parameters
    ----------
    like : class, optional
        Another estimator, whose own parameters this one has, too.
    **own : Parameter
        Those that the table does not have, or in which the estimator differs.
    """
    theirs = {} if like is None else like._parameter_table

    def decorate(cls):
        signature = inspect.signature(cls.__init__).parameters
        table = {name: (SHARED | theirs | own)[name] for name in list(signature)[1:]}
        cls._parameter_table = table
        cls._parameter_constraints = {name: parameter.constraint for name, parameter in table.items()}
        if cls.__doc__ is not None:         # python -OO has none
            section = "\n".join(documentation(name, table[name], signature[name].default) for name in table)
            text = inspect.cleandoc(cls.__doc__)    # indented before Python 3.13, as later ones have it
            text = text.replace("{parameters}", section).replace("{cell_references}", cell_references())
            if like is not None:
                text = text.replace("{attributes}", attributes_of(like))
            cls.__doc__ = text
        return cls

    return decorate


def shared_init(like, *, without=(), whole=False, **own):
    """An ``__init__`` with parameters of the table above, as another estimator has them, and its own ones after them.

    Parameters
    ----------
    like : class
        Whose order and defaults these are.
    without : sequence of str
        Parameters that it does not have.
    whole : bool
        Whether it also has the parameters of the other one that are not in the table.
    **own
        Further parameters, with their defaults.
    """
    theirs = inspect.signature(like.__init__).parameters
    names = [name for name in list(theirs)[1:] if (whole or name in SHARED) and name not in without]
    shared = [theirs["self"], *(theirs[name] for name in names)]
    further = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default) for name, default in own.items()
    ]
    signature = inspect.Signature(shared + further)

    def __init__(self, *arguments, **keywords):
        values = signature.bind(self, *arguments, **keywords)
        values.apply_defaults()
        for name in list(signature.parameters)[1:]:
            setattr(self, name, values.arguments[name])

    __init__.__signature__ = signature
    return __init__


def attributes_of(cls):
    """The entries of the section on attributes in the docstring of a class."""
    section = inspect.cleandoc(cls.__doc__).split("Attributes\n----------\n")[1]
    return section.split("\n\n")[0]


def cell_references():
    """The sources of the cells, as a paragraph of a docstring."""
    sources = "; ".join(f'"{name}", {cell.source}' for name, cell in CELLS.items() if cell.source)
    return fill(f"Cells: {sources}.", WIDTH, break_on_hyphens=False)


def documentation(name, parameter, default):
    """A parameter's entry in a docstring."""
    indent = " " * 4
    meaning = fill(parameter.meaning, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return f"{name} : {parameter.kind}, default={default_text(default)}\n{meaning}"


def default_text(default):
    """A default as it is written in code."""
    if isinstance(default, str):
        return f'"{default}"'
    if isinstance(default, float) and 0 < abs(default) < 1e-2:
        digits, exponent = f"{default:e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return repr(default)
