"""`to_c`: a fitted net as one file of C99."""

import re

import numpy as np

from skrnn._estimators.base import BaseRNN
from skrnn._messages import kind_of, shown
from skrnn._version import __version__
from skrnn.exceptions import ExportError
from skrnn.export._c.network import NetworkSource
from skrnn.export._c.outputs import write_outputs
from skrnn.export._c.reading import declare_memory, write_first_memory, write_reading
from skrnn.export._c.source import Source, verbatim
from skrnn.export._c.static import write_static

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
DTYPES = ("float32", "float64")


def to_c(net, *, name="net", dtype=None):
    """A net as C that predicts step by step, as `predict_step` does: for what has no Python.

    The file is C99 and needs no more than ``math.h`` and ``string.h``: no allocation, no other library, no global
    state. It declares, with the default name:

    - ``net_state``, what one stream carries from step to step: numbers alone, in the order of the states of
      `predict_step`.
    - ``void net_init(net_state *s)``, or ``net_init(net_state *s, const net_real *static_features)`` for a net with
      static features: the state before the first step.
    - ``void net_step(net_state *s, const net_real *x, net_real *y)``: one more step x of a stream, the features of a
      step of X in their order, and what is then predicted, y.
    - ``int net_label(const net_real *y)`` of a classifier: the number of the most probable class, a place in
      `classes_`; of several targets ``net_label(y, target)``. Several labels at once are those above one half.
    - ``NET_FEATURES``, ``NET_OUTPUTS`` and ``NET_STATIC``: how many numbers x, y and static features are.

    y has what the estimator predicts: probabilities (`predict_proba_step`); numbers; several quantiles; of
    distributions the means, then the standard deviations; of `RNNSurvival` the risk, then the probabilities that the
    event comes after each interval. The comment at the beginning of the file says what every number is.

    Categories that are numbers stand in x as they are; in the place of strings stands their position in `categories_`.
    What is missing is NaN. The checks of `predict_step` are not there in C: with numbers that it refuses, such as NaN
    without `missing` or times that decrease, y is of no use. Categories that fit did not see are none of these.

    Parameters
    ----------
    net : RNNClassifier, RNNRegressor or RNNSurvival
        Fitted.
    name : str, default="net"
        What all names of the file begin with.
    dtype : {"float32", "float64"}, optional
        Whether it computes in ``float`` or in ``double``. None: as the net does, in float32 where X was float32 in
        `fit`. Many processors have floats alone.

    Returns
    -------
    str
        The file. With ``NET_DECLARATIONS`` defined it is its own header.

    Raises
    ------
    ExportError
        When the net reads in both directions, or sequences in units of their own; when it is no net that reads step by
        step; when `dtype` does not hold a number of the net.
    ValueError, TypeError
        When `name` is no identifier of C.
    NotFittedError
        Before `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.export import to_c
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2)).astype(np.float32)
    >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> text = to_c(net, name="pump")
    >>> "void pump_step(pump_state *s, const pump_real *x, pump_real *y);" in text
    True
    """
    _check_name(name)
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"dtype={shown(dtype)}: expected one of {DTYPES}, or None")
    fitted = _fitted_of(net)
    source = Source(np.dtype(fitted.model.dtype if dtype is None else dtype))
    about = _write_net(source, fitted)
    return source.text(name, [*_description(net, source, fitted.model), "", *map(verbatim, about)])


def _check_name(name):
    if not isinstance(name, str):
        raise TypeError(f"name={shown(name)}: expected a str")
    if not IDENTIFIER.fullmatch(name):
        raise ValueError(
            f"name={shown(name)}: expected what an identifier of C may begin with, a letter and then letters, digits "
            "and underscores"
        )


def _fitted_of(net):
    """What a net has learned; an ExportError where it cannot be said in C."""
    if not isinstance(net, BaseRNN):
        what = f"a {kind_of(net)} cannot be exported to C, expected a fitted RNNClassifier, RNNRegressor or RNNSurvival"
        if hasattr(net, "steps"):
            what += (
                "; export the last step of a Pipeline, and do in C what comes before it (with standardize=True a net "
                "needs no scaler)"
            )
        raise ExportError(what)
    fitted = net._get_fitted()
    if fitted.reading.in_own_units:
        raise ExportError(
            "standardize='sequence' takes the mean of all steps, and C reads step by step; fit with standardize=True"
        )
    if len(fitted.model.network.layers[0].directions) == 2:
        raise ExportError(
            "bidirectional=True reads sequences from both ends, and C reads step by step; fit with bidirectional=False"
        )
    return fitted


def _write_net(source, fitted):
    """Add the functions of a net to a file; lines that say what x, y and static features are."""
    model, reading, _ = fitted
    net = NetworkSource(source, model.network, model.parameters)
    declare_memory(source, reading)
    about = [*_about_features(reading)]
    init = source.function(
        f"void net_init(net_state *s{', const net_real *static_features' if reading.n_static else ''})",
        "The state before the first step", exported=True,
    )
    step = source.function(
        "void net_step(net_state *s, const net_real *x, net_real *y)",
        "One more step x (NET_FEATURES), and what is then predicted, y (NET_OUTPUTS)", exported=True,
    )
    scores = net.write_step(step, write_reading(source, step, reading))
    outputs = write_outputs(source, step, fitted, scores)
    init.say("memset(s, 0, sizeof *s);")
    if "maxima" in net.members:
        init.do("set", model.network.layers[-1].n_outputs, "(net_real)-INFINITY", net.members["maxima"])
    write_first_memory(source, init, reading)
    if reading.n_static:
        write_static(source, init, net, reading)
    source.sizes |= {"FEATURES": reading.n_step_features, "OUTPUTS": len(outputs)}
    if reading.n_static:
        source.sizes["STATIC"] = reading.n_static
    return [*about, "", *(f"  y[{i}]  {what}" for i, what in enumerate(outputs))]


def _description(net, source, model):
    """What the file is."""
    return [
        f"A recurrent net in C99, written by skrnn {__version__} from: {verbatim(' '.join(str(net).split()))}", "",
        "    net_state s;", "    net_init(&s);", "    net_step(&s, x, y);      for each step of the stream", "",
        "It allocates nothing and has no global state: a net_state is one stream, and streams may run in parallel. In "
        "another file define NET_DECLARATIONS and include this one, which then is its own header. It computes in "
        f"{source.real}, with {model.network.layout.size} parameters.",
    ]


def _about_features(reading):
    """Lines that say what the features of a step, and the static features, are."""
    names, mixed = reading.step_names, reading.mixed
    n = reading.n_step_features
    steps = mixed.steps if reading.step_encodings else [None] * n
    if names is None or len(names) != n:
        names = [f"feature {j}" for j in range(n)]
    lines = [f"  x[{j}]  {_about_feature(*each)}" for j, each in enumerate(zip(names, steps, strict=True))]
    if reading.n_categories:
        lines = [f"  x[0]  a category, from 0 to {reading.n_categories - 2}; all others are unseen"]
    if not reading.n_static:
        return lines
    static_names = mixed.static_names or [f"static feature {j}" for j in range(len(mixed.static))]
    return [*lines, "", *(
        f"  static_features[{j}]  {_about_feature(*each)}"
        for j, each in enumerate(zip(static_names, mixed.static, strict=True))
    )]


def _about_feature(name, encoding):
    if encoding is None:
        return name
    if not encoding.is_of_text:
        return f"{name}, one of {', '.join(map(repr, encoding.categories))}; all others are unseen"
    codes = ", ".join(f"{code} for {category!r}" for code, category in enumerate(encoding.categories))
    missing = f", {encoding.missing} for a missing one" * encoding.with_missing
    return f"{name}: {codes}{missing}; {encoding.n_codes - 1} for all others"
