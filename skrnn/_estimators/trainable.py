"""What all estimators have in common: parameters that go together, the attributes that training sets, pickling."""

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from skrnn._data.numbers import is_size
from skrnn._pickling import VersionedPickleMixin


class TrainableMixin(VersionedPickleMixin):
    """An estimator that holds a trained `Model` as ``_model``."""

    def _check_hidden_size(self):
        sizes = np.atleast_1d(np.asarray(self.hidden_size, dtype=object))
        good = sizes.ndim == 1 and len(sizes) > 0
        if not good or not all(is_size(size) for size in sizes):
            raise ValueError(
                f"hidden_size={self.hidden_size!r}: expected a positive int, or a tuple of them with one for each layer"
            )
        return tuple(int(size) for size in sizes)

    def _check_epoch(self):
        """Raise an error for parameters with which `partial_fit` cannot train an epoch."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it sees no data to hold out")

    def _cannot_continue(self, what):
        """The error that says with what a later call cannot continue."""
        return ValueError(f"{type(self).__name__} cannot continue with {what}: set it back, or clone it")

    def _check_same_shapes(self, network):
        """Raise a ValueError when the fitted parameters do not go with a network."""
        shapes, fitted = network.layout.shapes, self._model.network.layout.shapes
        if shapes != fitted:
            raise self._cannot_continue(f"parameters of the shapes {shapes}, it was fitted with {fitted}")

    def _hold_out(self, items, what, random_state, strata=None):
        """Items to train on, and items to validate on."""
        try:
            return train_test_split(
                items, test_size=self.validation_fraction, random_state=random_state, stratify=strata
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot hold out validation_fraction={self.validation_fraction} of {len(items)} "
                f"{what}: {error}"
            ) from error

    def _set_fitted_attributes(self, model, **attributes):
        """Set what fit has found, all at once, with the public attributes that training sets."""
        history, validated = model.history, self.early_stopping
        attributes |= {
            "_model": model,
            "out_activation_": model.loss.out_activation,
            "loss_curve_": list(history.loss_curve),
            "loss_": history.loss_curve[-1],
            "best_loss_": None if validated else history.best_loss,
            "validation_scores_": list(history.validation_scores) if validated else None,
            "best_validation_score_": history.best_score if validated else None,
            "n_iter_": history.n_epochs,
            "t_": history.n_samples_seen,
            "grad_norm_curve_": list(history.grad_norm_curve),
            "n_clipped_": history.n_clipped,
        }
        vars(self).pop("feature_names_in_", None)
        vars(self).update(attributes)

    @property
    def parameters_(self):
        """The fitted parameters by name, as views of one vector.

        ``layer0.W`` (D, G·K), ``layer0.U`` (K, G·K) and ``layer0.b`` (biases, G·K) of the first layer, its gates in the
        order of the cell; ``layer0.reverse.W`` and so on for the other direction of a bidirectional layer; ``head.V``
        (K, outputs) and ``head.c`` (outputs,); ``embedding.E`` (categories, embedding_dim): one more category than
        `fit` has seen, or than `n_categories`, the last, stands for all others. Those of a language model are its
        `symbols_`, with the begin of a text in the place of its end.
        """
        check_is_fitted(self)
        return self._model.parameters

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")
