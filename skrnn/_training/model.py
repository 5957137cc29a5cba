"""Model: a network with its loss and parameters, and how far its training has come."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from skrnn._training.loop import History


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
    schedule : entry of ``SCHEDULES``, made for the optimizer; or None
    """

    network: object
    loss: object
    theta: np.ndarray
    random_state: np.random.RandomState
    history: History = field(default_factory=History)
    optimizer: object = None
    schedule: object = None

    def copy(self):
        """A copy that can be trained on without a change of this one."""
        # The schedule changes the rate of its optimizer: both in one deep copy.
        names = ("theta", "random_state", "history", "optimizer", "schedule")
        return replace(self, **deepcopy({name: getattr(self, name) for name in names}))

    @property
    def dtype(self):
        """The dtype that the network computes in."""
        return self.theta.dtype

    @property
    def parameters(self):
        """The parameters by name, as views of theta."""
        return self.network.layout.views(self.theta)
