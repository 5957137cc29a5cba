"""Scores of texts by a trained language model, and new texts. Functions of a model and a corpus."""

import numpy as np
from scipy.special import log_softmax

from skrnn._data.ragged import rows_of
from skrnn._data.sequences import Sequences

# Maximum number of scores that are computed at a time
MAX_SCORES = 2**22
# Maximum number of steps of a text that are read at a time
MAX_STEPS_PER_READ = 512


def log_likelihoods(network, theta, corpus):
    """Log-likelihood of the target of each step, (total,) float64."""
    out = np.empty(len(corpus))
    for rows, _, _, scores in _iter_scores(network, theta, corpus):
        out[rows] = target_log_likelihoods(scores, corpus.targets[rows])
    return out


def last_scores(model, corpus):
    """Scores after the last step of each text, (n, V) float64."""
    last = np.empty((len(corpus.lengths), model.network.n_outputs))
    for _, texts, ends, scores in _iter_scores(model.network, model.theta, corpus):
        last[texts] = scores[ends - 1]
    return last


def text_log_likelihoods(model, inputs, targets, hidden):
    """Log-likelihoods of the targets of one text, read from a state (1, width), and the state after it."""
    parts = [np.empty(0)]
    for begin in range(0, len(targets), MAX_STEPS_PER_READ):
        steps = slice(begin, min(begin + MAX_STEPS_PER_READ, len(targets)))
        scores, hidden = _read_one(model, inputs[steps], hidden)
        parts.append(target_log_likelihoods(scores, targets[steps]))
    return np.concatenate(parts), hidden


def generated_symbols(model, vocabulary, inputs, n_tokens, sampler):
    """Symbols that continue the inputs, one by one, until the end is drawn or there are `n_tokens`."""
    # A copy: what is written into the parameters, or fitted, while symbols are drawn does not change these.
    network, theta = model.network, model.theta.copy()
    hidden = np.zeros((1, network.state_width), theta.dtype)
    for begin in range(0, len(inputs), MAX_STEPS_PER_READ):
        scores, hidden = _read_one(model, inputs[begin : begin + MAX_STEPS_PER_READ], hidden)
    engine, number = network.engine(theta.dtype), np.zeros(1, np.intp)
    engine.pack_weights(theta)
    for _ in range(n_tokens):
        number[0] = sampler.draw(scores[-1])
        if number[0] == vocabulary.boundary:
            return
        yield vocabulary.symbols[number[0]]
        scores, hidden, _ = network.step(engine, theta, number, hidden, packed=True)


def target_log_likelihoods(scores, targets):
    """Log-likelihood of a target in each row of scores, (rows,) float64."""
    return log_softmax(scores.astype(np.float64), axis=1)[np.arange(len(targets)), targets]


def _iter_scores(network, theta, corpus):
    """In parts: the rows of steps, their texts, where the steps of each end among these, and their scores."""
    n = len(corpus.lengths)
    n_steps = max(1, min(MAX_STEPS_PER_READ, MAX_SCORES // network.n_outputs))
    n_texts = max(1, MAX_SCORES // (network.n_outputs * min(n_steps, int(corpus.lengths.max()))))
    for first in range(0, n, n_texts):
        texts = np.arange(first, min(first + n_texts, n))
        state = np.zeros((len(texts), network.state_width), theta.dtype)
        for begin in range(0, int(corpus.lengths[texts].max()), n_steps):
            longer = corpus.lengths[texts] > begin
            texts, state = texts[longer], state[longer]
            starts, lengths = corpus.starts[texts] + begin, np.minimum(corpus.lengths[texts] - begin, n_steps)
            scores, state = _read(network, theta, corpus.inputs, starts, lengths, state)
            yield rows_of(starts, lengths), texts, np.cumsum(lengths), scores


def _read(network, theta, inputs, starts, lengths, state):
    """Scores of the steps of sequences, (steps, V), and the states (n, width) after them."""
    final = np.empty_like(state)
    sequences = Sequences(np.empty((0, 1), theta.dtype), lengths, "ragged", categories=inputs, starts=starts)
    return network.forward(theta, sequences, np.arange(len(starts)), state, final), final


def _read_one(model, inputs, state):
    """Scores of the steps of one sequence, and the state (1, width) after it."""
    return _read(model.network, model.theta, inputs, np.zeros(1, np.intp), np.array([len(inputs)]), state)
