"""skorch: PyTorch as a scikit-learn estimator."""

import torch
from sizes import N_CLASSES
from skorch import NeuralNetClassifier
from threads import n_threads

torch.set_num_threads(n_threads())


class Network(torch.nn.Module):
    """An LSTM, and a head on its last state."""

    def __init__(self, n_inputs, hidden_size):
        super().__init__()
        self.recurrent = torch.nn.LSTM(n_inputs, hidden_size, batch_first=True)
        self.head = torch.nn.Linear(hidden_size, N_CLASSES)

    def forward(self, X):
        _, (h, _) = self.recurrent(X)
        return self.head(h[-1])


def search(size, n_epochs):
    """For a grid search: an estimator, and its parameter for the number of units."""
    net = NeuralNetClassifier(
        Network, module__n_inputs=size.D, module__hidden_size=size.K, criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam, optimizer__fused=True, lr=1e-3, max_epochs=n_epochs, batch_size=size.B,
        iterator_train__shuffle=True, iterator_valid__batch_size=1024, train_split=None, verbose=0,
    )
    return net, "module__hidden_size"
