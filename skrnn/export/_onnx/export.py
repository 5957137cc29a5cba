"""Fitted estimators and Pipelines as ONNX models."""

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.base import BaseRNN
from skrnn._estimators.outlier_detector import RNNOutlierDetector
from skrnn._estimators.states import state_width
from skrnn._language.language_model import RNNLanguageModel
from skrnn._messages import kind_of, shown
from skrnn._parameters import check_parameters
from skrnn._sklearn import Interval
from skrnn.exceptions import ExportError
from skrnn.export._onnx.detector import write_detector
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.language import symbols_of, write_language_model
from skrnn.export._onnx.network import scores
from skrnn.export._onnx.pipeline import declare
from skrnn.export._onnx.reading import read_on
from skrnn.export._onnx.streams import check_streams, continue_from, declare_state
from skrnn.export._onnx.targets import write_outputs
from skrnn.export._onnx.transformers import changes_nothing

PARAMETERS = {
    "opset": [Interval(Integral, OLDEST_OPSET, NEWEST_OPSET, closed="both")],
    "states": ["boolean"],
}


def to_onnx(estimator, *, opset=DEFAULT_OPSET, states=False):
    """A fitted estimator as an ONNX model, which predicts without skrnn and Python.

    Parameters
    ----------
    estimator : estimator
        A fitted RNNClassifier, RNNRegressor, RNNSurvival, RNNOutlierDetector or RNNLanguageModel, or a Pipeline that
        ends with one; of a search its ``best_estimator_``.
    opset : int, default=17
        The version of ONNX's operators, 14 to 21. The default is for onnxruntime 1.12 and later.
    states : bool, default=False
        Whether the model continues from states, its further input ``state``, and returns those after the last steps,
        ``state_out``, for streams. Rows of NaN begin. Of a language model: whether it reads one symbol at a time.

    Returns
    -------
    onnx.ModelProto
        Save it with ``onnx.save(model, path)``, or pass ``model.SerializeToString()`` to
        ``onnxruntime.InferenceSession``. The guide on ONNX has a table of inputs and outputs.

    Raises
    ------
    ExportError
        For what has no form in ONNX, naming the step of the Pipeline or the parameter and what to do instead.
    ImportError
        When onnx is not installed.
    NotFittedError
        Before `fit`.

    Notes
    -----
    Models compute in float32, whatever the net was fitted in: predictions agree to about six digits.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> from skrnn import RNNClassifier
    >>> from skrnn.export import to_onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2)).astype(np.float32)
    >>> y = np.where(X[:, 0, 0] > 0, "up", "down")
    >>> net = RNNClassifier(4, random_state=0).fit(X, y)
    >>> session = onnxruntime.InferenceSession(to_onnx(net).SerializeToString())
    >>> lengths = np.full(60, 8, np.int32)
    >>> label, probabilities = session.run(None, {"X": X, "lengths": lengths})
    >>> bool((label == net.predict(X)).all()), bool(np.allclose(probabilities, net.predict_proba(X), atol=1e-6))
    (True, True)
    """
    check_parameters(PARAMETERS, {"opset": opset, "states": states}, "to_onnx")
    steps, net = divided(estimator)
    try:
        return _model(Graph(int(opset)), steps, net, states)
    except UnicodeEncodeError as error:
        raise ExportError(
            f"{shown(error.object)} has a character that is none of Unicode, and ONNX holds text as UTF-8: rename the "
            "feature, category or label"
        ) from None


def _model(g, steps, net, states):
    """The ONNX model of a net behind some steps of a Pipeline, in an empty graph."""
    if isinstance(net, RNNLanguageModel):
        if steps:
            raise ExportError(
                f"the step {steps[0][0]!r} of the Pipeline changes texts, and the model of a language model reads ids: "
                "export the last step alone, pipeline[-1]"
            )
        write_language_model(g, net, states)
        symbols = symbols_of(net)
        return g.model({} if symbols is None else {"symbols": symbols})
    write = write_detector if isinstance(net, RNNOutlierDetector) else write_net
    write(g, net, steps, states)
    return g.model()


def write_net(g, net, steps_before, states):
    """Declare the inputs and outputs of a net behind some steps of a Pipeline."""
    fitted = net._get_fitted()
    network, parameters = fitted.model.network, fitted.model.parameters
    if not states:
        steps, _ = read_on(g, fitted.reading, declare(g, fitted.reading, steps_before))
        of_rows, _ = scores(g, network, parameters, steps)
        write_outputs(g, fitted, of_rows, steps)
        return
    check_streams(fitted)
    inputs = declare(g, fitted.reading, steps_before, in_streams=True)
    of_rows, steps, after = continue_from(g, fitted, inputs, declare_state(g, fitted))
    write_outputs(g, fitted, of_rows, steps)
    g.output("state_out", after, np.float32, ("n", state_width(fitted.model, fitted.reading)))


def divided(estimator):
    """The steps of a Pipeline before its net, pairs of a name and a fitted transformer, and the net.

    Raises
    ------
    ExportError
        When it does not end with a net.
    """
    *steps, (_, net) = _steps_of("", estimator) or [("", estimator)]
    if not isinstance(net, BaseRNN | RNNOutlierDetector | RNNLanguageModel):
        of_search = ": pass its best_estimator_" * hasattr(net, "best_estimator_")
        holds_nets = any(hasattr(net, name) for name in ("calibrated_classifiers_", "estimators_"))
        of_several = "; skl2onnx converts ensembles and calibration, after register_skl2onnx()" * holds_nets
        raise ExportError(
            f"{kind_of(net)} has no form in ONNX{of_search or ', expected a fitted net of skrnn'}, or a Pipeline that "
            f"ends with one{of_several}"
        )
    for _, step in [*steps, ("", net)]:
        check_is_fitted(step)
    return steps, net


def _steps_of(name, estimator):
    """The steps of a Pipeline that change something, also of one within it, under the names that `set_params` knows."""
    if changes_nothing(estimator):
        return []
    if not isinstance(estimator, Pipeline):
        return [(name, estimator)]
    named = [(f"{name}__{inner}" if name else inner, step) for inner, step in estimator.steps]
    return [pair for each in named for pair in _steps_of(*each)]
