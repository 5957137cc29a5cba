"""skrnn: the only file of the benchmarks that knows its internals."""

import warnings
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

import skrnn.kernels
from skrnn import RNNClassifier
from skrnn._data.examples import Examples
from skrnn._data.sequences import Sequences
from skrnn._network import layer as layers
from skrnn._network.layout import full_range
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads
from skrnn._training import run
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.partial_gradients import PartialGradient
from skrnn._training.sharding import TrainingShard
from skrnn.exceptions import NothingLearnedWarning
from skrnn.kernels.inputs import Inputs
from skrnn.preprocessing import SequenceScaler

# For each cell the number of its gates, and the rows of its bias in the form that is measured
FORM = {"activation": "tanh", "reset_after": True}
GATES = {name: len(cell.gates) for name, cell in skrnn.kernels.CELLS.items()}
BIASES = {name: cell.n_biases[cell.variant_of(**FORM)] for name, cell in skrnn.kernels.CELLS.items()}
# Multiply-adds below which skrnn uses one thread, and how many it uses above
SERIAL_WORK, n_threads = threads.SERIAL_WORK, threads.effective_n_threads


def instruction_set():
    """The one that the kernels use."""
    return skrnn.kernels.instruction_set


def network(problem):
    """The network and its parameters."""
    net = RecurrentNetwork(
        problem.size.D, (problem.size.K,), len(problem.weights["c"]), problem.cell, **FORM, bidirectional=False,
        per_step=False,
    )
    theta = np.zeros(net.layout.size, problem.dtype)
    views = net.layout.views(theta)
    for name, values in named_weights(problem).items():
        views[name][:] = values
    return net, theta


def named_weights(problem):
    """The problem's weights under skrnn's names."""
    return {("head." if name in "Vc" else "layer0.") + name: values for name, values in problem.weights.items()}


@contextmanager
def using(instruction_set):
    """Kernels for another instruction set in the block."""
    before = skrnn.kernels._kernels
    skrnn.kernels._kernels = skrnn.kernels.load(instruction_set)
    try:
        yield
    finally:
        skrnn.kernels._kernels = before


@contextmanager
def initialization(recurrent="orthogonal", forget=None, identity=True, chrono=None, head="zero"):
    """Other initial values in the block.

    Parameters
    ----------
    recurrent : {"orthogonal", "glorot"}
        U.
    forget : float, optional
        The bias of the forget gates of LSTMs.
    identity : bool
        Whether U is the identity for relu.
    chrono : int, optional
        Number of steps T: the biases of gates that keep the state are log u, u uniform in (1, T − 1) (Tallec & Ollivier
        2018), for 32 units.
    head : {"zero", "glorot"}
        The weights V of the head where training begins with the best constant.
    """
    cells = skrnn.kernels.CELLS
    before = layers.orthogonal, {name: dict(cell.bias) for name, cell in cells.items()}, cells["rnn"].identity
    begin = run.begin_with_constant
    if recurrent == "glorot":
        layers.orthogonal = lambda n, random_state: layers.glorot_uniform(n, n, (n, n), random_state)
    keeping = np.log(np.random.default_rng(0).uniform(1, max(2, (chrono or 2) - 1), 32))
    for cell in cells.values():
        if "f" in cell.bias and forget is not None:
            cell.bias["f"] = forget
        if chrono is not None:
            keeps = "z" if "z" in cell.gates else "f"
            cell.bias.update({gate: sign * keeping for gate, sign in ((keeps, 1), ("i", -1)) if gate in cell.gates})
    if not identity:
        object.__setattr__(cells["rnn"], "identity", "")
    if head == "glorot":
        run.begin_with_constant = _begin_with_constant_and_weights
    try:
        yield
    finally:
        layers.orthogonal, run.begin_with_constant = before[0], begin
        for name, bias in before[1].items():
            cells[name].bias.clear()
            cells[name].bias.update(bias)
        object.__setattr__(cells["rnn"], "identity", before[2])


def _begin_with_constant_and_weights(model, examples, whole):
    """As `run.begin_with_constant`, with the head's weights as they are drawn."""
    run.begin_near_constant(model, *examples.with_weight(), whole=whole)


class Training:
    """Loss, gradient and Adam on one batch; `lengths` (N,) cuts the sequences short."""

    def __init__(self, problem, lengths=None):
        n, T, _ = problem.X.shape
        lengths = np.full(n, T) if lengths is None else lengths
        steps = np.concatenate([x[:length] for x, length in zip(problem.X, lengths, strict=True)])
        examples = Examples(Sequences(steps, lengths, "ragged"), problem.y, None, per_step=False)
        net, self.theta = network(problem)
        self.objective, self.index = Objective(net, examples, LOSSES["log_loss"](), n), np.arange(n)
        self.optimizer = OPTIMIZERS["adam"](self.theta)

    def use_threads(self, n_threads):
        """Always that many, without trials."""
        self.objective.thread_tuner = SimpleNamespace(run=lambda function: function(n_threads))

    def step(self):
        self.value, _, gradient, _ = self.objective(self.theta, self.index)
        self.optimizer.update(self.theta, gradient)

    def loss(self):
        return self.value


class Shard(TrainingShard):
    """The rows of a problem that are one partition."""

    def __init__(self, number, parts):
        (problem,) = parts
        self.objective = Training(problem).objective


class Echo(TrainingShard):
    """A shard whose gradient is the parameters: it takes no time."""

    def __init__(self, number, parts):
        pass

    def begin_batch(self, theta, rows, seed):
        self.theta = theta
        return 1

    def next_gradient(self):
        return PartialGradient(0.0, 0.0, self.theta, full_range(self.theta), 1.0)


def on_cluster(make_shard, parts, client):
    """A context manager of shards, a partition each, on the workers of a Dask cluster."""
    from dask import delayed

    from skrnn.dask._cluster import ClusterShards

    return ClusterShards(make_shard, [[delayed(part)] for part in parts], client)


class ClusterTraining:
    """Loss, gradient and Adam on one batch, of which each of the shards, which `on_cluster` returned, has a part."""

    def __init__(self, problem, shards):
        self.shards, n = shards, shards.n_shards
        self.rows = [np.arange(len(problem.part(s, n).y)) for s in range(n)]
        _, self.theta = network(problem)
        self.optimizer = OPTIMIZERS["adam"](self.theta)

    def step(self):
        (part,) = self.shards.gradients(self.theta, self.rows, 0)
        self.value = part.loss
        self.optimizer.update(self.theta, part.values)

    def loss(self):
        return self.value


class TrainingWith:
    """`Training` with the kernels for another instruction set."""

    def __init__(self, problem, instruction_set):
        self.instruction_set = instruction_set
        with using(instruction_set):
            self.training = Training(problem)
        self.loss = self.training.loss

    def step(self):
        with using(self.instruction_set):
            self.training.step()


class Kernels:
    """What the kernels do in a training step: loss, gradient, its norm and Adam, without a line of Python between."""

    def __init__(self, problem):
        training = Training(problem)
        objective, adam = training.objective, training.optimizer
        examples, gradient = objective.examples, objective.gradient
        sequences = examples.sequences
        inputs = Inputs(sequences.steps, sequences.starts, sequences.lengths, training.index)
        kernels = skrnn.kernels.kernels_for(problem.dtype)
        self.parts = [
            partial(
                objective.engine.gradient, training.theta, inputs, examples.targets, gradient,
                max_bytes=memory.max_bytes(), n_threads=objective.thread_tuner.max_threads,
            ),
            partial(kernels.norm, gradient, objective.ranges),
            partial(
                kernels.update, "adam", training.theta, adam.mean, adam.square, gradient, objective.ranges, scale=1.0,
                learning_rate=1e-9, decay_1=0.9, decay_2=0.999, correction=1.0, epsilon=1e-8,
            ),
        ]

    def step(self):
        for part in self.parts:
            part()


class Inference:
    """The network's forward pass over all sequences in one batch, by its kernels alone."""

    def __init__(self, problem):
        n, T, D = problem.X.shape
        net, theta = network(problem)
        self.scores = np.empty((n, net.n_outputs), theta.dtype)
        inputs = Inputs(problem.X.reshape(-1, D), np.arange(n) * T, np.full(n, T), np.arange(n))
        self.forward = partial(
            net.engine(theta.dtype).forward, theta, inputs, self.scores, max_bytes=memory.max_bytes(),
            n_threads=threads.threads_for(n * T * net.work),
        )

    def step(self):
        self.forward()

    def logits(self):
        self.step()
        return self.scores


class Prediction:
    """The whole `predict` of an estimator."""

    def __init__(self, problem):
        self.X = problem.X
        labels = np.arange(len(problem.weights["c"]))
        X = np.zeros((len(labels), *problem.X.shape[1:]), problem.dtype)
        with warnings.catch_warnings():
            for kind in (ConvergenceWarning, NothingLearnedWarning):
                warnings.simplefilter("ignore", kind)
            self.classifier = classifier(problem.size.K, problem.cell, n_epochs=1).fit(X, labels)
        self.classifier.set_parameters(named_weights(problem))

    def step(self):
        self.classifier.predict(self.X)

    def logits(self):
        return np.log(self.classifier.predict_proba(self.X))


class Serving:
    """What a service calls for one sequence: a method of the classifier, or `predict` of a list or of a Pipeline."""

    def __init__(self, problem, what):
        net, X = Prediction(problem).classifier, problem.X
        self.step = {
            "predict_proba": partial(net.predict_proba, X),
            "list": partial(net.predict, list(X)),
            "pipeline": partial(make_pipeline(SequenceScaler().fit(X), net).predict, X),
            "predict_step": partial(net.predict_step, X[0, 0], net.initial_state()),
        }[what]


class Fit:
    """The whole `fit` of an estimator."""

    def __init__(self, problem, n_epochs):
        self.X, self.y = problem.X, problem.y
        self.classifier = classifier(problem.size.K, problem.cell, n_epochs, batch_size=problem.size.B)

    def step(self):
        self.classifier.fit(self.X, self.y)


class ClusterFit:
    """The whole `fit` on partitions of a Dask cluster, which lie on its workers."""

    def __init__(self, problem, n_epochs, client, n_partitions):
        from dask.array import from_array

        from skrnn.dask import DaskRNNClassifier

        rows = -(-len(problem.X) // n_partitions)
        self.X, self.y = client.persist(from_array(problem.X, chunks=(rows, -1, -1))), problem.y
        self.classifier = classifier(
            problem.size.K, problem.cell, n_epochs, problem.size.B, DaskRNNClassifier, client=client
        )

    def step(self):
        self.classifier.fit(self.X, self.y)


def classifier(hidden_size, cell, n_epochs, batch_size="auto", estimator=RNNClassifier, **parameters):
    """An estimator of the network of `network` that trains for so many epochs."""
    return estimator(
        hidden_size, cell=cell, pooling="last", patch_size=1, standardize=False, batch_size=batch_size,
        max_iter=n_epochs, n_iter_no_change=n_epochs, alpha=0, random_state=0, **parameters,
    )


def search(size, n_epochs):
    """For a grid search: an estimator, and its parameter for the number of units."""
    return classifier(size.K, "lstm", n_epochs, size.B), "hidden_size"
