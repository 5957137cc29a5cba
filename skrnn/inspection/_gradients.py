"""`input_gradients`: how the output of a net changes with each number of a sequence."""

from dataclasses import replace

from skrnn.inspection._explanation import Explanation


def input_gradients(net, X, *, target=None, step=None):
    """The gradient of what a net predicts in every cell of X.

    How much the output changes with a number, in units of the output per unit of X, as long as the change is small:
    exact, through everything that the net does with X, units of sequences, filling of gaps and decays included.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it, and
        the gradient is in what these give the net.
    X : as the estimator takes it
        n sequences.
    target : label, int, float or tuple, default=None
        What is explained, in the units of `predict` or `predict_proba`.

        - Of a classifier, the class whose probability is explained. None: of two classes the second one, of several for
          each sequence the one that is predicted. Of several labels the number of one; of several columns of classes a
          pair, the index of the column and a class.
        - Of a regressor, the index of the output; None if there is one. Of several quantiles the level of one, of
          several outputs with quantiles a pair, (output, level). Of distributions the mean is explained.
        - Of RNNSurvival a time, for the probability that the event comes later; None: the risk.
    step : int, default=None
        With `return_sequences`, the step whose output is explained, from the end if it is negative; None: the last one.

    Returns
    -------
    gradients : like X
        An array (n, T, features) for an array, (n, columns) for a table, a list of arrays (steps, features) for a
        list, a :class:`~skrnn.RaggedArray` for one, a frame with numbers in the place of all cells for a frame, a
        :class:`~skrnn.WithStatic` for one: float64, 0 for what is missing or padding. A category has no unit: its
        number is the gradient times the difference of its vector to that of a category that `fit` did not see. Of
        `categorical_features` a missing one is a category, too.

    Raises
    ------
    ValueError, TypeError
        When X, target or step do not go with the net, naming the argument.
    NotFittedError
        Before `fit`.

    See Also
    --------
    integrated_gradients : Attributions that sum to the difference of two outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import input_gradients
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> gradients = input_gradients(net, X[:3])
    >>> gradients.shape
    (3, 8, 2)
    >>> int(np.abs(gradients[0]).argmax())          # the first feature of the first step
    0
    """
    explanation = Explanation(net, X, target, step, baseline=0.0)

    def of_block(block):
        _, gradients = explanation.explained.values_and_gradients(block.X, *block.of(slice(None)))
        X, unseen = block.X, block.baseline
        return replace(
            gradients, vectors=gradients.vectors * (X.vectors - unseen.vectors),
            static_vectors=gradients.static_vectors * (X.static_vectors - unseen.static_vectors),
        )

    return explanation.attributions(of_block)
