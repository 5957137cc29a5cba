"""A loss over a whole sequence's scores, written in Python on `RecurrentNetwork.forward` and `backward`."""

import numpy as np
import pytest
from networks import FORMS, Case
from numerical import assert_gradient, central_differences

RATES = {"dropout": 0.2, "recurrent_dropout": 0.3}


class SumOfScores:
    """½ ‖Σ_t scores_t − y‖² over sequences, the mean, plus ½ alpha ‖weights‖², under dropout."""

    def __init__(self, case, alpha):
        self.case, self.alpha = case, alpha
        self.targets = np.random.default_rng(0).normal(size=(len(case.index), case.net.n_outputs))
        self.engine = case.net.engine(case.theta.dtype, **RATES)

    def errors(self, **passes):
        """Σ_t scores_t − y of every sequence."""
        case = self.case
        scores = case.net.forward(case.theta, case.sequences, case.index, engine=self.engine, **passes)
        return np.add.reduceat(scores, case.sequences.starts) - self.targets

    def value(self, **passes):
        squares = sum(np.sum(v**2) for name, v in self.case.parameters.items() if name.rpartition(".")[2] in "WUV")
        return 0.5 * np.sum(self.errors(**passes) ** 2) / len(self.targets) + 0.5 * self.alpha * squares

    def gradient(self, **passes):
        case = self.case
        dscores = np.repeat(self.errors(**passes) / len(self.targets), case.sequences.lengths, axis=0)
        return case.net.backward(
            case.theta, case.sequences, case.index, dscores, penalty=self.alpha, engine=self.engine, **passes
        ).theta


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form)))
def test_its_gradient_and_that_it_learns(form):
    case = Case(form, (4, 3), True, per_step=True)
    head, passes = SumOfScores(case, alpha=0.01), {"training": True, "seed": 5}
    numerical = central_differences(lambda: head.value(**passes), case.theta, 1e-6 if form[1] == "relu" else 1e-4)
    assert_gradient(head.gradient(**passes), numerical, 1e-6)
    before = head.value()
    for seed in range(100):
        gradient = head.gradient(training=True, seed=seed)
        case.theta -= 0.1 / max(1, np.linalg.norm(gradient)) * gradient
    assert head.value() < 0.5 * before
