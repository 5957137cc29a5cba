"""PyTorch: its recurrent modules on time-major input, with the fused Adam, which is its fastest on a CPU."""

import torch
from threads import n_threads
from torch.nn.functional import cross_entropy

torch.set_num_threads(n_threads())

MODULES = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


class Network(torch.nn.Module):
    """A recurrent layer, and a head on its last state, with the problem's weights."""

    def __init__(self, problem):
        super().__init__()
        size, weights = problem.size, problem.weights
        self.recurrent = MODULES[problem.cell](size.D, size.K)
        self.head = torch.nn.Linear(size.K, len(weights["c"]))
        self.recurrent.weight_ih_l0.data = torch.tensor(weights["W"].T.copy())
        self.recurrent.weight_hh_l0.data = torch.tensor(weights["U"].T.copy())
        self.recurrent.bias_ih_l0.data = torch.tensor(weights["b"][0])
        if len(weights["b"]) == 2:
            self.recurrent.bias_hh_l0.data = torch.tensor(weights["b"][1])
        else:   # a second bias adds nothing but a parameter
            torch.nn.init.zeros_(self.recurrent.bias_hh_l0).requires_grad_(False)
        self.head.weight.data = torch.tensor(weights["V"].T.copy())
        self.head.bias.data = torch.tensor(weights["c"])

    def forward(self, X):
        _, state = self.recurrent(X)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h[-1])


class Training:
    """Loss, backward pass and Adam; the batch is where the net is."""

    def __init__(self, problem, device="cpu", **of_adam):
        self.X, self.y = (torch.tensor(array, device=device) for array in (problem.time_major, problem.y))
        self.net = Network(problem).to(device)
        self.trained = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(self.trained, lr=1e-3, fused=True, **of_adam)

    def step(self):
        self.optimizer.zero_grad()
        self.value = cross_entropy(self.net(self.X), self.y)
        self.value.backward()
        self.optimizer.step()

    def loss(self):
        return self.value.item()


class Inference:
    """The forward pass in inference mode, from the memory of the processor and to it, wherever the net is."""

    def __init__(self, problem, device="cpu"):
        self.X, self.device = torch.tensor(problem.time_major), device
        self.net = Network(problem).to(device).eval()

    def step(self):
        with torch.inference_mode():
            self.scores = self.net(self.X.to(self.device)).cpu()

    def logits(self):
        self.step()
        return self.scores.numpy()
