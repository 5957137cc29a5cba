"""TrainingDisplay: how the training of a net went."""

from functools import partial

import numpy as np

from skrnn._estimators.base import BaseRNN
from skrnn._estimators.survival import RNNSurvival
from skrnn._language.language_model import RNNLanguageModel
from skrnn._messages import kind_of, shown
from skrnn._sklearn import name_of_scorer
from skrnn.inspection._displays import (
    TRAINING,
    VALIDATION,
    marker_of,
    pyplot,
    reference_style,
    set_log_scale,
    several_axes,
    styled,
    tidy,
)
from skrnn.inspection._nets import net_of

PANELS = ("loss", "score", "grad_norm", "clipped")
# Losses that span more than so many decades are drawn on a logarithmic axis; up to so many epochs each is a dot, too
DECADES, FEW = 1.5, 20


class TrainingDisplay:
    """How the training of a net went: losses, scores and gradients by epoch.

    The panels, one below the other: the loss of the training data and of what was held out; the validation score, where
    it is another than the loss; the norm of the gradient, with the limit `max_grad_norm`; and how many of the updates
    were clipped, where there was a limit. It is best made by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    loss : array of shape (n_epochs,)
        Mean over the updates of each epoch, without the penalty.
    penalty : array of shape (n_epochs,), default=None
        The same of the penalty.
    validation_loss : array of shape (n_epochs,), default=None
        Of what was held out, NaN in epochs without.
    validation_score : array of shape (n_epochs,), default=None
        The same of the score that `early_stopping` went by.
    grad_norm : array of shape (n_epochs,), default=None
        Mean over the updates of each epoch, before clipping.
    n_clipped : array of shape (n_epochs,), default=None
        Updates in each epoch whose gradient was clipped.
    n_updates : array of shape (n_epochs,), default=None
        Updates in each epoch. None: they are not known, and the number of the clipped ones is drawn in place of their
        share.
    max_grad_norm : float, default=None
        The limit.
    best_epoch : int, default=None
        The number of the epoch whose parameters were kept, from 1. None: those of the last.
    loss_name : str, default=None
        What the axis of the loss says.
    score_name : str, default=None
        What that of the score says, after "validation".
    unit : str, default="epoch"
        What the horizontal axis counts.

    Attributes
    ----------
    axes_ : array of matplotlib Axes
        One for each panel.
    figure_ : matplotlib Figure
    panels_ : tuple of str
        What the panels show: "loss", "score", "grad_norm", "clipped".
    lines_ : dict of matplotlib Line2D
        By name: "loss", "objective" (loss and penalty), "validation_loss",
        "validation_score", "grad_norm", "max_grad_norm", "clipped".
    best_ : list of matplotlib Line2D
        The vertical lines at `best_epoch`, one for each panel, or none.

    See Also
    --------
    SearchDisplay : Scores over the parameters of a search.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import TrainingDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> net = RNNClassifier(4, early_stopping=True, max_grad_norm=1.0, random_state=0)
    >>> display = TrainingDisplay.from_estimator(net.fit(X, X[:, 0, 0] > 0))
    >>> display.panels_
    ('loss', 'grad_norm', 'clipped')
    >>> bool((display.lines_["loss"].get_ydata() == net.loss_curve_).all())
    True
    """

    def __init__(
        self, *, loss, penalty=None, validation_loss=None, validation_score=None, grad_norm=None, n_clipped=None,
        n_updates=None, max_grad_norm=None, best_epoch=None, loss_name=None, score_name=None, unit="epoch",
    ):
        self.loss = loss
        self.penalty = penalty
        self.validation_loss = validation_loss
        self.validation_score = validation_score
        self.grad_norm = grad_norm
        self.n_clipped = n_clipped
        self.n_updates = n_updates
        self.max_grad_norm = max_grad_norm
        self.best_epoch = best_epoch
        self.loss_name = loss_name
        self.score_name = score_name
        self.unit = unit

    @classmethod
    def from_estimator(
        cls, estimator, *, ax=None, panels=None, include_penalty=False, name=None, line_kw=None, validation_kw=None
    ):
        """Display the training of a fitted estimator, all epochs of it: also those of calls before the last one.

        Parameters
        ----------
        estimator : estimator
            A fitted net, also one that was loaded, an RNNLanguageModel, or an estimator with a net inside: of a
            Pipeline its last step, of a search its best one, of an RNNOutlierDetector the net of its forecasts.
        ax, panels, include_penalty, name, line_kw, validation_kw
            As in `plot`.

        Returns
        -------
        display : TrainingDisplay

        Raises
        ------
        TypeError, ValueError
            When there is no net in the estimator, or one that was not trained; as in `plot`.
        NotFittedError
            Before `fit`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> from skrnn.inspection import TrainingDisplay
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
        >>> TrainingDisplay.from_estimator(net, panels=["loss"]).axes_[0].get_ylabel()
        'squared error\\n(y standardized)'
        """
        pyplot(f"{cls.__name__}.from_estimator")
        net = net_of(estimator, (BaseRNN, RNNLanguageModel))
        model = net._get_fitted().model
        epochs = model.history.columns
        if not epochs["loss"]:
            raise ValueError(f"{kind_of(net)} has parameters that were set, and no epochs of training to display")
        validated = any(score is not None for score in epochs["score"])
        own_score = validated and getattr(net, "scoring", "loss") != "loss"     # a language model goes by its loss
        display = cls(
            loss=np.array(epochs["loss"]), penalty=np.array(epochs["penalty"]),
            validation_loss=_held_out(epochs["validation_loss"]) if validated else None,
            validation_score=_held_out(epochs["score"]) if own_score else None,
            grad_norm=np.array(epochs["grad_norm"]), n_clipped=np.diff(epochs["n_clipped"], prepend=0),
            n_updates=_n_updates(net, model, epochs["n_samples_seen"]), max_grad_norm=net.max_grad_norm,
            best_epoch=None if model.history.last.score is None else model.history.last.best_iter,
            loss_name=_name_of_loss(net._get_fitted()), score_name=_name_of_score(net) if own_score else None,
            unit="iteration" if net.solver == "lbfgs" else "epoch",
        )
        return display.plot(
            ax, panels=panels, include_penalty=include_penalty, name=name, line_kw=line_kw, validation_kw=validation_kw
        )

    def plot(self, ax=None, *, panels=None, include_penalty=False, name=None, line_kw=None, validation_kw=None):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each panel, default=None
            A single one gives its place to all panels; None makes a figure. With ``ax=display.axes_`` of another
            display two trainings are compared, in other colors by `line_kw`.
        panels : list of {"loss", "score", "grad_norm", "clipped"}, default=None
            What to draw. None: all that there is.
        include_penalty : bool, default=False
            Whether to draw the loss with the penalty, which is what training minimizes, as a further line.
        name : str, default=None
            Of the net, for the legend.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the lines of the training data.
        validation_kw : dict, default=None
            The same for those of what was held out.

        Returns
        -------
        display : TrainingDisplay

        Raises
        ------
        ValueError, TypeError
            For panels that there is nothing to draw in, another number of axes, keywords in no dict.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        Two trainings, one above the other:

        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> from skrnn.inspection import TrainingDisplay
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
        >>> display = TrainingDisplay.from_estimator(net, name="GRU")
        >>> lstm = RNNRegressor(4, cell="lstm", random_state=0).fit(X, X[:, 0, 0])
        >>> both = TrainingDisplay.from_estimator(lstm, ax=display.axes_, name="LSTM", line_kw={"color": "C2"})
        >>> [text.get_text() for text in both.axes_[0].get_legend().get_texts()]
        ['GRU: training', 'LSTM: training']
        """
        self.panels_ = self._panels(panels)
        axes = several_axes(ax, len(self.panels_), f"{type(self).__name__}.plot")
        training, validation = self._styles(line_kw, validation_kw)
        self.axes_, self.figure_, self.lines_, self.best_ = axes, axes[0].figure, {}, []
        draw = {
            "loss": partial(self._draw_loss, with_penalty=include_penalty), "score": self._draw_score,
            "grad_norm": self._draw_grad_norm, "clipped": self._draw_clipped,
        }
        of_name = f"{name}: " if name else ""
        for panel, of_panel in zip(self.panels_, axes, strict=True):
            draw[panel](of_panel, of_name, training, validation)
            if self.best_epoch is not None:
                label = f"{of_name}best {self.unit}: {self.best_epoch}" if of_panel is axes[0] else None
                color = {"color": training["color"]} if name else {}
                style = reference_style(of_panel, ":") | {"linewidth": 1.2} | color
                self.best_.append(of_panel.axvline(self.best_epoch, label=label, **style))
            if of_panel.get_legend_handles_labels()[0]:
                of_panel.legend(frameon=False)
        tidy(axes[-1], x=self.unit, integers="x")
        return self

    def _styles(self, line_kw, validation_kw):
        """Keywords for the lines of the training data, and for those of what was held out."""
        from matplotlib.lines import Line2D

        training = styled(Line2D, {"color": TRAINING, "linewidth": 1.3}, line_kw, "line_kw")
        return training, styled(Line2D, {"color": VALIDATION, "linewidth": 1.3}, validation_kw, "validation_kw")

    def _panels(self, panels):
        """The panels that are wanted, of those that there is something to draw in."""
        there = {
            "loss": True, "score": self.validation_score is not None, "grad_norm": self.grad_norm is not None,
            "clipped": self.n_clipped is not None and (self.max_grad_norm is not None or bool(np.any(self.n_clipped))),
        }
        there = tuple(panel for panel in PANELS if there[panel])
        if panels is None:
            return there
        if not isinstance(panels, list | tuple) or not panels or not set(panels) <= set(there):
            raise ValueError(f"panels={shown(panels)}: expected a list of what there is to draw, of {list(there)}")
        return tuple(panels)

    def _line(self, ax, what, values, **style):
        style = {"marker": marker_of(values, FEW)} | style
        self.lines_[what] = ax.plot(np.arange(1, len(values) + 1), values, **style)[0]

    def _draw_loss(self, ax, of_name, training, validation, with_penalty):
        self._line(ax, "loss", self.loss, label=f"{of_name}training", **training)
        drawn = [self.loss]
        if with_penalty:
            drawn.append(np.add(self.loss, self.penalty))
            style = training | {"linestyle": "--", "linewidth": 0.9, "marker": ""}
            self._line(ax, "objective", drawn[-1], label=f"{of_name}training, penalty included", **style)
        if self.validation_loss is not None:
            drawn.append(self.validation_loss)
            self._line(ax, "validation_loss", self.validation_loss, label=f"{of_name}validation", **validation)
        tidy(ax, y=self.loss_name or "loss")
        _choose_scale(ax, drawn)

    def _draw_score(self, ax, of_name, training, validation):
        self._line(ax, "validation_score", self.validation_score, **validation)
        tidy(ax, y=f"validation\n{self.score_name or 'score'}")

    def _draw_grad_norm(self, ax, of_name, training, validation):
        self._line(ax, "grad_norm", self.grad_norm, **training)
        if self.max_grad_norm is not None:
            label = f"max_grad_norm = {self.max_grad_norm:g}"
            self.lines_["max_grad_norm"] = ax.axhline(self.max_grad_norm, label=label, **reference_style(ax))
        tidy(ax, y="gradient norm")
        _choose_scale(ax, [self.grad_norm])

    def _draw_clipped(self, ax, of_name, training, validation):
        from matplotlib.ticker import PercentFormatter

        if self.n_updates is None:
            self._line(ax, "clipped", self.n_clipped, **training)
            tidy(ax, y="updates\nclipped", integers="y")
            ax.set_ylim(bottom=0)
            return
        self._line(ax, "clipped", self.n_clipped / self.n_updates, **training)
        tidy(ax, y="updates\nclipped")
        ax.set_ylim(-0.05, 1.05)
        ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _choose_scale(ax, values):
    """Make the y axis logarithmic where positive values span several decades."""
    values = np.concatenate([np.asarray(each, dtype=float) for each in values])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and np.log10(values.max() / values.min()) > DECADES:
        set_log_scale(ax, "y")


def _held_out(values):
    """A column of the history as numbers, NaN for the epochs in which nothing was held out."""
    return np.array([np.nan if value is None else value for value in values])


def _n_updates(net, model, n_samples_seen):
    """The updates of each epoch, or None: where a batch is several of them, or no batch of sequences."""
    if net.solver == "lbfgs" or isinstance(net, RNNLanguageModel) or net.truncated_bptt_steps is not None:
        return None
    batch_size = 32 if net.batch_size == "auto" else int(net.batch_size)
    return -(-np.diff(n_samples_seen, prepend=0) // batch_size)


def _name_of_loss(fitted):
    """What the axis of the loss says, with its unit."""
    loss, name = fitted.model.loss, fitted.model.loss.name.replace("_", " ")
    if loss.is_likelihood:
        return f"negative log-likelihood\n({name})"
    if name.endswith("log loss"):
        return "log loss (nats)"
    name = name if name.endswith("error") else f"{name} loss"
    return f"{name}\n(y standardized)" if getattr(fitted.targets, "scale", None) is not None else name


def _name_of_score(net):
    """What the score is that early stopping went by, where it is another than the loss."""
    if net.scoring is None:
        if isinstance(net, RNNSurvival):
            return "concordance index"
        loss = net._get_fitted().model.loss
        if not loss.is_regression:
            return "accuracy"
        return "R²" if loss.is_likelihood or loss.name in ("squared_error", "huber") else "D²"
    return name_of_scorer(net.scoring)
