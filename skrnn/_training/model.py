"""Model: a network with its loss and parameters, and how far its training has come."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from skrnn._network.network import RecurrentNetwork
from skrnn._plain import plain
from skrnn._training.loop import History
from skrnn._training.loss import Loss
from skrnn._training.optimizers import Optimizer
from skrnn._training.schedules import Constant


@plain(
    make="of_parameters", network=RecurrentNetwork, loss=Loss, parameters=dict, random_state=np.random.RandomState,
    history=History, optimizer=Optimizer | None, schedule=Constant | None, max_iter=int | None,
)
@dataclass
class Model:
    """All that training changes and that predictions need: what is pickled, copied, sent to a worker and exported.

    Parameters
    ----------
    network : RecurrentNetwork
    loss : Loss
    theta : (P,) array
        The parameters.
    random_state : RandomState
        Source of the order of the batches and of the masks of dropout.
    history : History
        Losses and scores by epoch.
    optimizer : entry of ``OPTIMIZERS``, made; or None after L-BFGS
    schedule : entry of ``SCHEDULES``, made with the optimizer; or None
    max_iter : int or None
        Maximum number of epochs or iterations of the last training; with `partial_fit` those of the schedule.
    """

    network: RecurrentNetwork
    loss: Loss
    theta: np.ndarray
    random_state: np.random.RandomState
    history: History = field(default_factory=History)
    optimizer: Optimizer | None = None
    schedule: Constant | None = None
    max_iter: int | None = None
    _engines: list = field(default_factory=list, init=False, repr=False, compare=False)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_engines"}

    def __setstate__(self, state):
        vars(self).update(state, _engines=[])

    def step(self, steps, state):
        """Scores (n, Q) and states (n, width) of n streams after one more step of each, and whether all is finite.

        As `RecurrentNetwork.step`. Engines are kept between calls, as making one takes longer than a step. Each call
        takes one out, so that several threads may call at the same time.

        Parameters
        ----------
        steps : (n, D) array, or (n,) intp array of categories
        state : (n, width) array
        """
        try:
            engine = self._engines.pop()
        except IndexError:
            engine = self.network.engine(self.theta.dtype)
        try:
            return self.network.step(engine, self.theta, steps, state)
        finally:
            self._engines.append(engine)

    def copy(self):
        """A copy that can be trained on without a change of this one."""
        return replace(
            self, theta=self.theta.copy(), random_state=deepcopy(self.random_state), history=self.history.copy(),
            optimizer=deepcopy(self.optimizer),
        )

    @classmethod
    def of_parameters(cls, network, loss, parameters, **training):
        """The model whose `parameters` are these arrays, a dict; `training` are the other fields."""
        return cls(network, loss, network.layout.joined(parameters), **training)

    @property
    def learning_rate(self):
        """The learning rate of the next epoch's first update."""
        return self.schedule.rate(self.history)

    @property
    def exponential(self):
        """Whether predictions are the exponentials of the scores."""
        return self.loss.out_activation == "exp"

    @property
    def dtype(self):
        """The dtype that the network computes in."""
        return self.theta.dtype

    @property
    def parameters(self):
        """The parameters by name, as views of theta, for training: that of a fitted model does not change."""
        return self.network.layout.views(self.theta)

    @property
    def fixed_parameters(self):
        """The parameters by name, as views of theta that cannot be written to."""
        theta = self.theta.view()
        theta.flags.writeable = False
        return self.network.layout.views(theta)
