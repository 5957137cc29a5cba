"""PyTorch on a GPU, by cuDNN. Its steps return before they are done; `wait` returns when they are."""

import torch

from contenders import torch_

DEVICE = "cuda"


class Training(torch_.Training):
    """Loss, backward pass and Adam, with the batch in the memory of the GPU.

    Parameters
    ----------
    problem : sizes.Problem
    tf32 : bool
        Whether products have factors of 11 bits, as PyTorch lets cuDNN do.
    """

    wait = staticmethod(torch.cuda.synchronize)

    def __init__(self, problem, tf32=True, **of_adam):
        super().__init__(problem, DEVICE, **of_adam)
        self.tf32 = tf32

    def step(self):
        torch.backends.cudnn.allow_tf32 = self.tf32
        super().step()


class Graph(Training):
    """The same step recorded once, and launched as a whole."""

    def __init__(self, problem):
        super().__init__(problem, capturable=True)
        weights = [parameter.detach().clone() for parameter in self.trained]
        self._warm_up()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            super().step()
        self._begin_again(weights)

    def _warm_up(self):
        """Before it is recorded, a step has to have run on a stream other than the usual one."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                super().step()
        torch.cuda.current_stream().wait_stream(stream)
        self.optimizer.zero_grad()

    def _begin_again(self, weights):
        """The net and Adam as they were, in their places in memory."""
        with torch.no_grad():
            for parameter, values in zip(self.trained, weights, strict=True):
                parameter.copy_(values)
                for moment in self.optimizer.state[parameter].values():
                    moment.zero_()

    def step(self):
        self.graph.replay()


class Inference(torch_.Inference):
    """The forward pass of data in the memory of the processor."""

    def __init__(self, problem):
        super().__init__(problem, DEVICE)
