"""StepConfusionDisplay: which labels of steps are taken for which others."""

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted

from skrnn._data.columns import without_columns
from skrnn._data.numbers import is_sized
from skrnn._messages import kind_of, shown
from skrnn.inspection._arguments import check_index
from skrnn.inspection._displays import in_lines, one_axes, pyplot, styled
from skrnn.metrics import steps_with_target

# So many characters fit below a matrix
MAX_CHARACTERS = 36
# Least width of a figure, and width of a row of the matrix, in inches
MIN_SIZE, SIZE_OF_ROW, MAX_SIZE = 4.8, 0.42, 12.0
# Width of the smallest matrix, and what is beside it but the names, in inches
MIN_MATRIX, BESIDE = 3.4, 0.7
# Letters of a line of a name, and the width of one in inches; values of more classes are not written
NAME_WIDTH, WIDTH_OF_LETTER, MAX_VALUES = 24, 0.085, 30
# The smallest letters in points
MIN_FONT = 5.0


class StepConfusionDisplay(ConfusionMatrixDisplay):
    """The confusion matrix of the labels of steps.

    For a net with ``return_sequences=True``, and anything else that predicts a label for each step. The steps of all
    sequences count, also of different lengths; those without a label (NaN, None, or −1 among integers) do not. Make it
    by :meth:`from_estimator` or :meth:`from_predictions`. The drawing is that of scikit-learn's
    :class:`~sklearn.metrics.ConfusionMatrixDisplay`, which is the display for labels of whole sequences.

    Parameters
    ----------
    confusion_matrix : array of shape (classes, classes)
        Number, weight or fraction of the steps of each class, a row, that are taken for each class, a column.
    display_labels : array of shape (classes,)
        The names of the classes.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    im_ : matplotlib AxesImage
    text_ : array of shape (classes, classes) of matplotlib Text, or None

    Raises
    ------
    ImportError
        When something is drawn and matplotlib is not installed.

    Examples
    --------
    >>> from skrnn.inspection import StepConfusionDisplay
    >>> y, predicted = [["a", "b"], ["b", None, "a"]], [["a", "a"], ["b", "b", "a"]]
    >>> display = StepConfusionDisplay.from_predictions(y, predicted)
    >>> display.confusion_matrix.tolist(), display.display_labels.tolist()
    ([[2, 0], [1, 1]], ['a', 'b'])
    """

    def __init__(self, *, confusion_matrix, display_labels):
        super().__init__(confusion_matrix, display_labels=display_labels)

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, column=None, labels=None, sample_weight=None, normalize=None, display_labels=None,
        ax=None, **drawing,
    ):
        """Predict the labels of steps, and draw their confusion matrix.

        Parameters
        ----------
        estimator : classifier
            Fitted, with a label for each step; also a Pipeline or a search.
        X : as the estimator takes it
        y, column, labels, sample_weight, normalize, display_labels, ax, drawing
            As in :meth:`from_predictions`, where y is `y_true`.

        Returns
        -------
        display : StepConfusionDisplay

        Raises
        ------
        ValueError, TypeError
            When `estimator` is no classifier, or predicts a label for each sequence; as :meth:`from_predictions`.
        NotFittedError
            Before `fit`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> from skrnn.inspection import StepConfusionDisplay
        >>> X = np.random.default_rng(0).normal(size=(60, 9, 1))
        >>> y = np.where(X[:, :, 0] > 0, "up", "down")
        >>> net = RNNClassifier(4, return_sequences=True, random_state=0).fit(X, y)
        >>> display = StepConfusionDisplay.from_estimator(net, X, y, normalize="true")
        >>> display.confusion_matrix.round(1).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        """
        pyplot(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        if not hasattr(estimator, "classes_"):
            raise TypeError(f"estimator is {kind_of(estimator)}, which has no classes_: expected a classifier")
        return cls.from_predictions(
            y, estimator.predict(X), column=column, labels=labels, sample_weight=sample_weight, normalize=normalize,
            display_labels=display_labels, ax=ax, **drawing,
        )

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, column=None, labels=None, sample_weight=None, normalize=None, display_labels=None,
        ax=None, **drawing,
    ):
        """Draw the confusion matrix of predicted labels of steps.

        Parameters
        ----------
        y_true : array-like of shape (n, steps) or (n, steps, columns), or a collection of n arrays of these
            Labels as ``fit`` takes them with `return_sequences`.
        y_pred : array-like
            What ``predict`` returned, with the steps of `y_true`.
        column : int, default=None
            Which of several columns of labels it is about.
        labels : array-like of shape (classes,), default=None
            The classes to show, in this order; None for all that occur, sorted.
        sample_weight : array-like of shape (n,), or with the steps of `y_true`, default=None
            Weights of sequences, or of steps.
        normalize : {"true", "pred", "all"}, default=None
            Whether to show fractions: of the steps of the true class, which make the rows add up to 1 and show how well
            rare classes are found; of those of the predicted class; or of all steps. None shows the numbers.
        display_labels : array-like of shape (classes,), default=None
            Names to show for the classes; None for these themselves.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        **drawing
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : StepConfusionDisplay

        Raises
        ------
        ValueError, TypeError
            When `y_true` or `y_pred` has no labels of steps or other steps, naming the sequence, or several columns of
            which none is chosen.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> from skrnn.inspection import StepConfusionDisplay
        >>> y, predicted = [["a", "b", "b", "b"]], [["a", "a", "b", "b"]]
        >>> StepConfusionDisplay.from_predictions(y, predicted, normalize="true").confusion_matrix.round(2).tolist()
        [[1.0, 0.0], [0.33, 0.67]]
        """
        pyplot(f"{cls.__name__}.from_predictions")
        true, predicted, *weights = _labels_of_steps(y_true, y_pred, column, sample_weight)
        labels = unique_labels(true, predicted) if labels is None else labels
        matrix = confusion_matrix(
            true, predicted, labels=labels, normalize=normalize, sample_weight=weights[0] if weights else None
        )
        display_labels = labels if display_labels is None else display_labels
        if len(display_labels) != len(matrix):
            raise ValueError(f"display_labels has {len(display_labels)} names, expected {len(matrix)}, one per class")
        display = cls(confusion_matrix=matrix, display_labels=np.asarray(display_labels))
        return display.plot(ax=ax, **drawing)

    def plot(
        self, ax=None, *, include_values=None, cmap="Blues", xticks_rotation=None, values_format=None, colorbar=False,
        im_kw=None, text_kw=None,
    ):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure, the larger, the more classes there are.
        include_values : bool, default=None
            Whether to write the values; None: of up to 30 classes.
        cmap : str or matplotlib Colormap, default="Blues"
            Colors of the values.
        xticks_rotation : {"vertical", "horizontal"} or float, default=None
            Rotation of the names of the predicted classes; None: vertical if they would overlap.
        values_format : str, default=None
            Format of the values; None for ``".2f"`` if they are fractions, else the shorter of ``"d"`` and ``".2g"``.
        colorbar : bool, default=False
            Whether to show the scale of the colors, which begins at 0.
        im_kw : dict, default=None
            Keywords of matplotlib's ``imshow``.
        text_kw : dict, default=None
            Keywords of matplotlib's ``text``.

        Returns
        -------
        display : StepConfusionDisplay

        Raises
        ------
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.inspection import StepConfusionDisplay
        >>> matrix = np.array([[8, 1], [2, 4]])
        >>> display = StepConfusionDisplay(confusion_matrix=matrix, display_labels=np.array(["rest", "walk"]))
        >>> display.plot().ax_.get_xlabel()
        'Predicted label of the step'
        """
        pyplot(f"{type(self).__name__}.plot")
        from matplotlib.text import Text

        n, names = len(self.confusion_matrix), [in_lines(label, NAME_WIDTH) for label in self.display_labels]
        beside = BESIDE + WIDTH_OF_LETTER * max(len(line) for name in names for line in name.split("\n"))
        size = min(max(MIN_SIZE, max(MIN_MATRIX, SIZE_OF_ROW * n) + beside), MAX_SIZE)
        inches = size - beside if ax is None else None
        ax = one_axes(ax, f"{type(self).__name__}.plot", (size, 0.85 * size if colorbar else size))
        include_values = n <= MAX_VALUES if include_values is None else include_values
        if xticks_rotation is None:
            longest = max(len(str(label)) for label in self.display_labels)
            overlap = longest * len(self.display_labels) > MAX_CHARACTERS
            xticks_rotation = "vertical" if overlap else "horizontal"
        are_fractions = self.confusion_matrix.dtype.kind == "f" and self.confusion_matrix.max() <= 1
        if values_format is None and are_fractions:
            values_format = ".2f"
        super().plot(
            include_values=include_values, cmap=cmap, xticks_rotation=xticks_rotation, values_format=values_format,
            ax=ax, colorbar=colorbar, im_kw={"vmin": 0} | (im_kw or {}), text_kw=styled(Text, {}, text_kw, "text_kw"),
        )
        self._fit_texts(names, text_kw, inches)
        if colorbar:
            self.im_.colorbar.set_label("Fraction of the steps" if are_fractions else "Steps")
        ax.set(xlabel="Predicted label of the step", ylabel="True label of the step")
        return self

    def _fit_texts(self, names, text_kw, inches):
        """Make names, which have lines, and values as small as cells ask for; None inches: as the axes are."""
        if inches is None:
            box = self.ax_.get_position()
            inches = np.min(self.figure_.get_size_inches() * (box.width, box.height))
        points = 72 * inches / len(names)
        lines = max(name.count("\n") + 1 for name in names)
        size = float(np.clip(points / (1.2 * lines), MIN_FONT, self.ax_.yaxis.label.get_size()))
        self.ax_.set_xticks(range(len(names)), names, fontsize=size)
        self.ax_.set_yticks(range(len(names)), names, fontsize=size)
        if self.text_ is not None and not {"size", "fontsize"} & set(text_kw or {}):
            longest = max(len(text.get_text()) for text in self.text_.flat)
            for text in self.text_.flat:
                text.set_fontsize(min(text.get_size(), max(MIN_FONT, points / (0.7 * longest))))


def _labels_of_steps(y_true, y_pred, column, sample_weight):
    """Labels and predictions of the steps that have a label, and their weights if there are any, (R,) each."""
    true, predicted = without_columns(y_true, "y_true"), without_columns(y_pred, "y_pred")
    if not is_sized(predicted) or (len(predicted) and not is_sized(predicted[0])):
        what = shown(predicted[0]) if is_sized(predicted) else shown(predicted)
        raise ValueError(
            f"y_pred[0] is {what}, expected a label for each step, as with return_sequences=True; for labels of whole "
            "sequences there is sklearn.metrics.ConfusionMatrixDisplay"
        )
    true, predicted = _column(true, column, "y_true"), _column(predicted, column, "y_pred")
    beside = {"y_pred": predicted} if sample_weight is None else {"y_pred": predicted, "sample_weight": sample_weight}
    flat, predicted, *weights = steps_with_target(true, beside, "y_true")
    return flat, np.array(predicted.tolist()), *weights


def _column(labels, column, name):
    """One of several columns of labels of steps, a list of n arrays (T_i,); labels of one column as they are."""
    first = labels[0] if is_sized(labels) and len(labels) else None
    n = len(first[0]) if is_sized(first) and len(first) and is_sized(first[0]) else None
    if n is None:
        if column is not None:
            raise ValueError(f"column={column}: {name} has one label per step; leave it out")
        return labels
    if column is None:
        raise ValueError(f"{name} has {n} columns of labels, expected column=..., which of them to show")
    column = check_index(column, n, "column", "columns of labels")
    return [np.array([step[column] for step in sequence], dtype=object) for sequence in labels]
