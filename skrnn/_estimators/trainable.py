"""What all estimators have in common: parameters that go together, what fit has learned, pickling."""

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import numpy as np

from skrnn._data.numbers import is_positive_int
from skrnn._data.reading import set_attributes
from skrnn._estimators.callbacks import watch_for_callbacks
from skrnn._estimators.parameters import FittedParameters, check_complete, check_shapes, fill, read_parameters
from skrnn._estimators.summary import caption_of, summary_of
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin
from skrnn._plain import plain
from skrnn._sklearn import CallbackSupportMixin, DiagramMixin, fitted_of, under_callbacks
from skrnn._training import run

# The parameters of estimators that say which shapes those of the network have
SIZES = ("hidden_size", "cell", "reset_after", "bidirectional", "pooling", "embedding_dim")


@plain
class Fitted(NamedTuple):
    """What `fit` has learned and predictions need.

    One attribute of the estimator, which is set at once and read once per call: predictions of other threads are those
    of one fit, also while another fit ends.
    """

    model: object           # Model
    reading: object         # Reading or TextReading
    targets: object = None  # as in `TrainingData`; a language model has none

    def scores(self, estimator, X):
        """Sequences of X, raw scores, a row per sequence or per step, and what is known of their targets."""
        model = self.model
        sequences = self.reading.read(estimator, X, dtype=model.dtype)
        scores = model.scores(sequences, exponential=model.exponential)
        if not self.reading.in_own_units:
            return sequences, scores, self.targets
        index = np.arange(len(sequences))
        own = self.reading.target_units(model.loss, sequences, index, model.network.n_outputs // model.loss.width)
        if own is None:
            return sequences, scores, self.targets
        if model.loss.width > 1:
            return sequences, scores, self.targets.in_own_units(own)
        return sequences, own.put_back(scores), self.targets

    def attributes(self):
        """The public attributes, without those of training."""
        attributes = self.reading.attributes()
        if self.targets is not None:
            units = self.reading.units or (None, None)
            size, stride = self.model.network.patch or (1, 1)
            static = (self.reading.standardize and self.reading.static_units) or (None, None)
            attributes |= {"static_mean_": static[0], "static_scale_": static[1]}
            attributes |= {"X_mean_": units[0], "X_scale_": units[1], "patch_size_": size, "patch_stride_": stride}
            attributes |= {"n_outputs_": self.targets.n_outputs} | self.targets.attributes()
        return attributes


class TrainableMixin(CallbackSupportMixin, StoredMixin, CheckedParametersMixin, DiagramMixin):
    """An estimator that holds what it has learned as ``_fitted``."""

    def _check_hidden_size(self):
        sizes = np.atleast_1d(np.asarray(self.hidden_size, dtype=object))
        good = sizes.ndim == 1 and len(sizes) > 0
        if not good or not all(is_positive_int(size) for size in sizes):
            raise ValueError(
                f"hidden_size={shown(self.hidden_size)}: expected a positive int, or a tuple of them with one for each "
                "layer"
            )
        return tuple(int(size) for size in sizes)

    def _check_epoch(self):
        """Raise a ValueError for parameters that `partial_fit` does not support."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it sees no data to hold out")

    @property
    def _name_in_messages(self):
        return type(self).__name__

    def _cannot_continue(self, what):
        """The error that says with what a later call cannot continue."""
        return ValueError(f"{self._name_in_messages} cannot continue with {what}: set it back, or clone it")

    def _check_same_shapes(self, network, model):
        """Raise a ValueError when the parameters of a fitted model do not go with a network."""
        shapes, fitted = network.layout.shapes, model.network.layout.shapes
        if shapes != fitted:
            raise self._cannot_continue(f"parameters of the shapes {shapes}, it was fitted with {fitted}")

    def _learn(self, fitted, train):
        """Train a model and set what it has learned, after Ctrl-C what it has learned so far; that is raised again.

        Parameters
        ----------
        fitted : Fitted
            With the model to train.
        train : callable
            Trains it in place. After an interrupt before the first update the estimator stays as it was.
        """
        model = fitted.model
        n_epochs = model.history.n_epochs
        try:
            under_callbacks(self, lambda: timed(model, train))
            self._set_fitted(fitted)
        except KeyboardInterrupt:
            if model.history.n_epochs > n_epochs and np.isfinite(model.theta).all():
                self._set_fitted(fitted)
            raise

    def _watch(self, X, y, sample_weight, fitted):
        """What tells callbacks of a fit with these arguments, whose model is that of `fitted`."""
        return watch_for_callbacks(
            self, X, y, sample_weight, lambda model: self._attributes_of(fitted._replace(model=model))
        )

    def _set_fitted(self, fitted):
        """Set what `fit` has learned, with the public attributes, all at once."""
        fitted.model.freeze()
        set_attributes(self, self._attributes_of(fitted))

    def _attributes_of(self, fitted):
        """The attributes by name, private and public, of an estimator that has learned this."""
        history = fitted.model.history
        last, epochs = history.last, history.epochs
        validated = last.score is not None
        attributes = {
            "_fitted": fitted,
            "out_activation_": fitted.model.loss.out_activation,
            "loss_curve_": [epoch.loss for epoch in epochs],
            "penalty_curve_": [epoch.penalty for epoch in epochs],
            "loss_": last.loss,
            "best_loss_": None if validated else last.best_loss,
            "validation_loss_curve_": _curve(epochs, "validation_loss") if validated else None,
            "validation_scores_": _curve(epochs, "score") if validated else None,
            "best_validation_score_": last.best_score if validated else None,
            "n_iter_": history.n_epochs,
            "max_iter_": fitted.model.max_iter,
            "best_iter_": last.best_iter,
            "t_": last.n_samples_seen,
            "grad_norm_curve_": [epoch.grad_norm for epoch in epochs],
            "n_clipped_": last.n_clipped,
        }
        return attributes | fitted.attributes()

    _get_fitted = fitted_of

    @property
    def parameters_(self):
        """The fitted parameters by name: a mapping of arrays that cannot be written to.

        ``net.parameters_["head.c"] = c`` is ``net.set_parameters({"head.c": c})``, with its checks. The mapping is that
        of one fit: it keeps the parameters when the net is fitted again. ``dict(net.parameters_)`` is a dict.

        ``layer0.W`` (D, G·K), ``layer0.U`` (K, G·K) and ``layer0.b`` (biases, G·K) of the first layer, its gates in the
        order of the cell; ``layer0.reverse.W`` and so on for the other direction of a bidirectional layer; of
        `missing="decay"` ``decay.W`` and ``decay.b`` (features,) of the inputs, ``layer0.decay.W`` (features, K) and
        ``layer0.decay.b`` (K,) of the states; ``head.V`` (K, outputs) and ``head.c`` (outputs,), the last rows of V for
        static features; ``static.W`` and ``static.b``, which make the initial states of these; ``embedding.E``
        (categories, embedding_dim): one more category than `fit` has seen, or than `n_categories`, the last, stands for
        all others. Those of a language model are its `symbols_`, with the begin of a text in the place of its end. Of
        categorical features ``embedding.NAME.E``, of static ones ``static.NAME.E``, with a row for each of
        `categories_`.
        """
        return FittedParameters(self, self._get_fitted().model)

    def _set_parameters(self, parameters, **of_fit):
        """Give the net parameters by name: some of a fitted net, all of one that is not.

        `of_fit` is what a fit would learn besides, None where it is not given; a fitted net keeps what it has learned.
        """
        given = read_parameters(parameters)
        if not self.__sklearn_is_fitted__():
            self._start_with_parameters(given, **of_fit)
            return self
        for name, value in of_fit.items():
            if value is not None:
                raise ValueError(
                    f"{name} is for a net that is not fitted, and a fitted one keeps what it has learned: leave it "
                    "out, or set the parameters of a clone"
                )
        fitted = self._fitted
        model = replace(fitted.model, theta=np.array(fitted.model.theta))
        check_shapes(given, model.network.layout.shapes)
        fill(given, model.parameters)
        model.freeze()
        self._fitted = fitted._replace(model=model)
        return self

    def _set_given(self, given, network, loss, dtype, reading, targets=None):
        """Be fitted with given parameters, all of the network: without an epoch of training."""
        by = ", by " + ", ".join(f"{name}={getattr(self, name)!r}" for name in SIZES if hasattr(self, name))
        if len(given.get("head.V", ())) > network.layout.shapes["head.V"][0]:
            by += "; rows of static features need a fit, for one epoch (max_iter=1), before the parameters are set"
        check_shapes(given, network.layout.shapes, by)
        check_complete(given, network.layout.shapes)
        model = run.given_model(network, loss, np.empty(network.layout.size, dtype), vars(self))
        fill(given, model.parameters)
        self._set_fitted(Fitted(model, reading, targets))

    def _summary(self):
        model = self._get_fitted().model
        return caption_of(model), summary_of(model)

    def __sklearn_is_fitted__(self):
        return "_fitted" in self.__dict__


def timed(model, train):
    """Train a model, and note the seconds."""
    began = perf_counter()
    try:
        train()
    finally:
        model.seconds = perf_counter() - began


def _curve(epochs, name):
    """A field of those epochs that have it."""
    return [getattr(epoch, name) for epoch in epochs if getattr(epoch, name) is not None]
