"""Whether the parts of what a file holds go together. A file that `save` has written and nobody has changed passes all.

A check is a function of an object of one class, whose fields have the right types; it raises a ValueError.
"""

from functools import singledispatch

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from skrnn._data.encoding import Encoding
from skrnn._data.mixed import Mixed
from skrnn._data.numbers import all_finite
from skrnn._data.reading import Reading
from skrnn._data.times import Times
from skrnn._data.units import Units
from skrnn._estimators.class_targets import ClassTargets
from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.error_scale import ErrorScale
from skrnn._estimators.next_step import NextStepRegressor
from skrnn._estimators.number_targets import NumberTargets
from skrnn._estimators.outlier_detector import FittedDetector, RNNOutlierDetector
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._estimators.survival import RNNSurvival
from skrnn._estimators.survival_targets import SurvivalTargets
from skrnn._estimators.trainable import Fitted
from skrnn._language.language_model import RNNLanguageModel
from skrnn._language.vocabulary import ANALYZERS, TextReading, Vocabulary, check_symbols
from skrnn._plain import expect
from skrnn._sklearn import check_one_hot
from skrnn._training.loop import History
from skrnn._training.losses import MultioutputLogLoss
from skrnn._training.model import Model
from skrnn._training.optimizers import Optimizer
from skrnn._training.schedules import Constant
from skrnn.preprocessing import SlidingWindow

MISSING = ("error", "ffill", "indicator", "decay", "keep")
TARGETS = ClassTargets | NumberTargets | SeveralClassTargets | SurvivalTargets


def expect_numbers(array, shape, what, dtype=np.float64):
    """Raise a ValueError unless an array has a shape and a dtype."""
    fits = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
    expect(fits, f"{what} are no {np.dtype(dtype)} array of shape {shape}")


@singledispatch
def check(value):
    """Raise a ValueError if the parts of an object do not go together: here, or as its class says itself."""
    own = getattr(type(value), "check_parts", None)
    if own is not None:
        own(value)


@check.register
def _(units: Units):
    expect_numbers(units.scale, units.center.shape[:1], "the scales of units")
    expect_numbers(units.center, units.scale.shape, "the centers of units")
    expect(all_finite(units.center) and all_finite(units.scale), "units are not finite")
    expect(bool((units.scale > 0).all()), "scales of units are not positive")


@check.register
def _(encoding: Encoding):
    expect(len(set(encoding.categories)) == len(encoding.categories), f"categories of {encoding.name!r} repeat")


@check.register
def _(mixed: Mixed):
    for names, encodings in ((mixed.step_names, mixed.steps), (mixed.static_names, mixed.static)):
        expect(not names or len(names) == len(encodings), "there are not as many names as features")
    n = len(mixed.steps) + len(mixed.static)
    expect(not mixed.is_static or len(mixed.is_static) == n, "there are not as many columns as features")
    expect(not mixed.is_static or sum(mixed.is_static) == len(mixed.static), "other columns are static than features")


@check.register
def _(times: Times):
    expect(times.n_features >= 0 and times.n_directions in (1, 2), "times are of no features or directions")
    expect(times.since in ("", "input", "decay"), f"times are read as {times.since!r}")
    if times.means is not None:
        expect_numbers(times.means, times.means.shape[:1], "the means of times")
        expect(len(times.means) == 1 + times.n_features * bool(times.since), "there are not as many means as times")


@check.register
def _(reading: Reading):
    expect(reading.missing in MISSING, f"missing={reading.missing!r} is none of {MISSING}")
    expect(min(reading.n_features_in, reading.n_step_features) > 0 <= reading.n_categories, "X has no features")
    expect(
        reading.from_table or reading.mixed is not None or reading.n_features_in == reading.n_step_features,
        f"X has {reading.n_features_in} features, its steps {reading.n_step_features}",
    )
    expect(reading.standardize in (False, True, "sequence"), f"standardize={reading.standardize!r} is none")
    expect(reading.n_steps is None or reading.n_steps > 0, f"n_steps={reading.n_steps} is no number of steps")
    names = reading.feature_names
    expect(names is None or len(names) == reading.n_features_in, "there are not as many names as features")
    expect(
        reading.mixed is None or len(reading.mixed.steps) in (0, reading.n_step_features),
        "there are not as many kinds of features as features"
    )
    expect(reading.units is None or len(reading.units.center) == reading.n_numbers, "units are not of all numbers")
    n_static = reading.n_static - len(reading.static_encodings)
    expect(reading.static_units is None or len(reading.static_units.center) == n_static, "units are not of all numbers")


@check.register
def _(vocabulary: Vocabulary):
    expect(len(vocabulary.numbers) == len(vocabulary.symbols), "symbols repeat")


@check.register
def _(reading: TextReading):
    check_symbols(reading.vocabulary.symbols, "symbols")
    expect(reading.analyzer in list(ANALYZERS), f"analyzer={reading.analyzer!r} is none of {', '.join(ANALYZERS)}")


@check.register
def _(history: History):
    best = history.last.best_iter
    expect(0 <= best <= history.n_epochs, f"epoch {best} is the best of {history.n_epochs}")


@check.register
def _(targets: ClassTargets):
    classes = targets.classes
    expect(classes.ndim == 1 and len(classes) > (0 if targets.multilabel else 1), "classes are too few")
    expect(classes.dtype != object or all(isinstance(each, str) for each in classes), "classes are no labels")
    expect(bool((classes[:-1] < classes[1:]).all()), "classes are not in order")


@check.register
def _(targets: SeveralClassTargets):
    expect(len(targets.columns) > 0, "there is no column of classes")


@check.register
def _(targets: NumberTargets):
    expect(len(targets.shape) < 2 and targets.n_outputs > 0, f"targets have the shape {targets.shape}")
    expect((targets.center is None) == (targets.scale is None), "a center needs a scale")
    for part in (targets.center, targets.scale):
        if part is not None:
            expect_numbers(part, (targets.n_outputs,), "the units of targets")
            expect(all_finite(part), "the units of targets are not finite")
    expect(targets.scale is None or bool((targets.scale > 0).all()), "the scales of targets are not positive")


@check.register
def _(targets: SurvivalTargets):
    edges = targets.edges
    expect_numbers(edges, edges.shape[:1], "the edges of intervals")
    expect(len(edges) > 1 and edges[0] == 0 and bool((np.diff(edges) > 0).all()), "the edges of intervals do not grow")


@check.register
def _(optimizer: Optimizer):
    vectors = [part for name, part in vars(optimizer).items() if name in ("velocity", "mean", "square")]
    shapes = {(part.shape, part.dtype) for part in vectors}
    expect(len(shapes) == 1 and vectors[0].ndim == 1, "the averages of the optimizer do not go together")
    expect(not any(np.isnan(part).any() for part in vectors), "the averages of the optimizer are no numbers")
    for name in ("mean", "velocity"):
        expect(all_finite(vars(optimizer).get(name, np.zeros(1))), "the averages of the optimizer are not finite")
    expect(not (vars(optimizer).get("square", np.zeros(1)) < 0).any(), "averages of squares are negative")
    if hasattr(optimizer, "counts"):
        expect_numbers(optimizer.counts, (2,), "the counts of the optimizer")
        expect(all_finite(optimizer.counts) and optimizer.counts.min() >= 0, "the counts of the optimizer are none")
    for name in ("beta_1", "beta_2"):
        expect(0 <= vars(optimizer).get(name, 0) < 1, f"{name} is none of an average")
    for name in ("learning_rate", "epsilon"):
        expect(0 < vars(optimizer).get(name, 1) < np.inf, f"{name} is not positive")
    for name in ("momentum", "alpha"):
        expect(0 <= vars(optimizer).get(name, 0) < np.inf, f"{name} is negative")


@check.register
def _(schedule: Constant):
    expect(0 < schedule.initial < np.inf and -np.inf < schedule.power_t < np.inf, "the learning rate is none")
    expect(schedule.max_iter > 0, f"a schedule has {schedule.max_iter} epochs")
    expect(min(schedule.n_epochs_before, schedule.n_plateaus_before) >= 0, "a schedule begins before the first epoch")


@check.register
def _(loss: MultioutputLogLoss):
    expect(min(loss.n_scores, default=0) > 0, f"columns of classes have {loss.n_scores} scores")


@check.register
def _(model: Model):
    network, theta = model.network, model.theta
    expect(all_finite(theta), "parameters are not finite")
    network.engine(theta.dtype)         # whose checks are those of the kernels: now of sizes that the parameters have
    n_scores = network.n_outputs % model.loss.width
    if isinstance(model.loss, MultioutputLogLoss):
        n_scores = network.n_outputs - sum(model.loss.n_scores)
    expect(n_scores == 0, f"{network.n_outputs} outputs are not scores of the loss")
    expect((model.optimizer is None) == (model.schedule is None), "an optimizer needs a schedule")
    expect(model.max_iter is None or model.max_iter > 0, f"max_iter={model.max_iter} is no number of epochs")
    for name, part in vars(model.optimizer).items() if model.optimizer else ():
        if name in ("velocity", "mean", "square"):
            expect_numbers(part, theta.shape, "the averages of the optimizer", theta.dtype)
        if name == "decayed":
            expect(np.array_equal(part, network.layout.weight_ranges()), "other weights are decayed than there are")


@check.register
def _(fitted: Fitted):
    expect(isinstance(fitted.model, Model), "there is no model")
    network, reading, targets = fitted.model.network, fitted.reading, fitted.targets
    if isinstance(reading, TextReading):
        n = len(reading.vocabulary)
        expect(targets is None and network.per_step and n == network.n_categories == network.n_outputs, "texts have "
               f"{n} symbols, the net {network.n_categories} and {network.n_outputs}")
        return
    expect(isinstance(reading, Reading) and isinstance(targets, TARGETS), "it is not known how X and y are read")
    expect(targets.n_outputs * fitted.model.loss.width == network.n_outputs, "the net has other outputs than targets")
    expect(reading.per_step == network.per_step, "the net and its reading differ in whether steps have outputs")
    expect(reading.n_categories == network.n_categories, "the net has other categories than X")
    _check_inputs(reading, network)


def _check_inputs(reading, network):
    """Whether a network reads what a reading of X gives it."""
    if not network.n_categories:
        n = reading.first_indicator + reading.n_indicators + len(reading.step_encodings)
        n += 0 if reading.times is None else reading.times.n_inputs
        expect(n == network.n_inputs, f"the net reads {network.n_inputs} features, X has {n}")
    expect(_same_units(reading.network_units, network.units), "the net reads X in other units")
    static = network.static
    expect((static is None) == (reading.n_static == 0), "the net and X differ in static features")
    for encodings, embeddings in (
        (reading.step_encodings, network.embeddings),
        (reading.static_encodings, () if static is None else static.embeddings),
    ):
        codes = [(encoding.name, encoding.n_codes) for encoding in encodings]
        expect(codes == [embedding[:2] for embedding in embeddings], "the net embeds other categories than X has")
    if static is not None:
        expect(static.n_numbers == reading.n_static_numbers, "the net reads other static numbers than X has")
        expect(_same_units(reading.network_static_units, static.units), "the net reads static numbers in other units")
    if network.decay is not None:
        expect(
            tuple(network.decay) == (reading.n_numbers, reading.first_indicator), "other features decay than X has"
        )


def _same_units(a, b):
    if a is None or b is None:
        return a is b
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


@check.register
def _(scale: ErrorScale):
    fitted = isinstance(scale.net, NextStepRegressor) and vars(scale.net).get("_fitted")
    expect(fitted and fitted.reading.units is not None, "errors are of no net that was fitted")
    expect_numbers(scale.of_errors, (fitted.reading.n_numbers,), "the scales of errors")


@check.register
def _(fitted: FittedDetector):
    expect(fitted.reduction in ("mean", "max"), f"reduction={fitted.reduction!r} is none")


@check.register
def _(encoder: OneHotEncoder):
    check_one_hot(encoder)


def check_fitted(estimator, *types, targets=object):
    """Raise a ValueError unless an estimator, if it is fitted, has learned one of these types."""
    fitted = vars(estimator).get("_fitted")
    expect(fitted is None or isinstance(fitted, types), f"{type(estimator).__name__} learns no {type(fitted).__name__}")
    if isinstance(fitted, Fitted):
        expect(isinstance(fitted.targets, targets), f"{type(estimator).__name__} has other targets")


@check.register
def _(net: RNNClassifier):
    check_fitted(net, Fitted, targets=ClassTargets | SeveralClassTargets)


@check.register
def _(net: RNNRegressor):
    check_fitted(net, Fitted, targets=NumberTargets)


@check.register
def _(net: RNNSurvival):
    check_fitted(net, Fitted, targets=SurvivalTargets)


@check.register
def _(net: RNNLanguageModel):
    check_fitted(net, Fitted, targets=type(None))
    expect(not net.__sklearn_is_fitted__() or isinstance(net._fitted.reading, TextReading), "it reads no texts")


@check.register
def _(detector: RNNOutlierDetector):
    check_fitted(detector, FittedDetector)


@check.register
def _(windows: SlidingWindow):
    window = (vars(windows).get("_fitted") or (None, 1))[1]
    expect(window > 0, f"windows have {window} rows")
