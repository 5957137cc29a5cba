"""What all estimators have in common: parameters that go together, the attributes that training sets, pickling."""

import numpy as np
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

    def _check_same_shapes(self, network):
        """Raise a ValueError when the fitted parameters do not go with a network."""
        shapes, fitted = network.layout.shapes, self._model.network.layout.shapes
        if shapes != fitted:
            raise ValueError(
                f"{type(self).__name__} cannot continue with parameters of the shapes {shapes}, it was fitted with "
                f"{fitted}: set hidden_size, cell and the like back, or clone it"
            )

    def _set_fitted_attributes(self, model, **attributes):
        """Set what fit has found, all at once, with the public attributes that training sets."""
        history, stopped_early = model.history, self.early_stopping
        attributes |= {
            "_model": model,
            "out_activation_": model.loss.out_activation,
            "loss_curve_": list(history.loss_curve),
            "loss_": history.loss_curve[-1],
            "best_loss_": None if stopped_early else history.best_loss,
            "validation_scores_": list(history.validation_scores) if stopped_early else None,
            "best_validation_score_": history.best_score if stopped_early else None,
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
        `fit` has seen, the last, stands for all others. Those of a language model are its `symbols_`, with the begin of
        a text in the place of its end.
        """
        check_is_fitted(self)
        return self._model.parameters

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")
