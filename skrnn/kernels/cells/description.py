"""What the rest of skrnn has to know of a cell."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class CellDescription:
    """A recurrent cell, without its arithmetic.

    Parameters
    ----------
    name : str
        The estimators' parameter ``cell``.
    summary : str
        A phrase for docstrings, such as "the long short-term memory".
    gates : tuple of str
        The K-wide blocks of its parameters, in order.
    states : tuple of str
        What it carries from step to step, h first.
    forms : tuple of dict
        The parameters of estimators that choose between its forms, one dict per form.
    bias : dict of str to float
        Initial biases of gates that are not zero.
    identity : str
        The activation with which U starts as the identity rather than as a random orthogonal matrix.
    source : str
        The publication, author and year, where there is one.
    n_biases, n_saved : tuple of int
        For each form the rows of its bias, and the K-wide blocks that its step leaves for its gradient; as its kernels
        say, from `register`.
    """

    name: str
    summary: str
    gates: tuple
    states: tuple
    forms: tuple = ({},)
    bias: dict = field(default_factory=dict)
    identity: str = ""
    source: str = ""
    n_biases: tuple = ()
    n_saved: tuple = ()

    def variant_of(self, **parameters):
        """The number of the form that goes with the estimator's parameters."""
        return next(
            number for number, form in enumerate(self.forms)
            if all(parameters[name] == value for name, value in form.items())
        )
