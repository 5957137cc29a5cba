"""Sampling of the next symbol."""

from math import nextafter

import numpy as np


class Sampler:
    """Draws the numbers of symbols with the probabilities that their scores give.

    Parameters
    ----------
    temperature : float
        The scores are divided by it: below 1 likely symbols become likelier, at 0 only the most likely one is drawn.
    top_k : int, optional
        The number of most likely symbols that may be drawn.
    top_p : float, optional
        Only the smallest set of most likely symbols whose probability is at least `top_p` may be drawn (Holtzman et al.
        2020, The curious case of neural text degeneration).
    random_state : RandomState
    excluded : list of int
        Symbols that are never drawn.
    """

    def __init__(self, temperature, top_k, top_p, random_state, excluded):
        # Not so small that dividing by it overflows
        self.temperature, self.top_k, self.top_p = temperature and max(temperature, 1e-300), top_k, top_p
        self.random_state, self.excluded = random_state, excluded

    def probabilities(self, scores):
        """The probability of each symbol to be drawn, (V,) float64."""
        scores = scores.astype(np.float64)
        for symbol in self.excluded:
            scores[symbol] = -np.inf
        scores -= scores.max()
        if self.temperature == 0:
            scores[np.arange(len(scores)) != scores.argmax()] = -np.inf
        elif self.temperature != 1:
            scores /= self.temperature
        weights = np.exp(scores, out=scores)
        if self.top_k is not None or self.top_p is not None:
            self._exclude_unlikely(weights)
        return weights / weights.sum()

    def _exclude_unlikely(self, weights):
        """Set the weights that `top_k` and `top_p` leave out to 0."""
        order = np.argsort(-weights, kind="stable")
        if self.top_k is not None:
            weights[order[self.top_k :]] = 0
        if self.top_p is not None:
            before = np.cumsum(weights[order]) - weights[order]
            weights[order[before >= self.top_p * weights.sum()]] = 0

    def draw(self, scores):
        """The number of a symbol."""
        sums = self.probabilities(scores).cumsum()
        total = float(sums[-1])
        # Less than the last sum even after rounding, so that a symbol of probability 0 is never drawn
        drawn = min(self.random_state.random_sample() * total, nextafter(total, 0))
        return int(sums.searchsorted(drawn, side="right"))
