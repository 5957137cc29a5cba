"""Drawing the next symbol."""

from math import nextafter

import numpy as np


class Sampler:
    """Draws numbers of symbols by their scores.

    Parameters
    ----------
    temperature : float
        Scores are divided by it: below 1 likely symbols become likelier, at 0 only the likeliest is drawn.
    top_k : int, optional
        Only so many of the likeliest are drawn.
    top_p : float, optional
        Only the likeliest that together have this probability are drawn: as few of them as reach it. Holtzman et al.
        (2020), The curious case of neural text degeneration.
    random_state : RandomState
    excluded : list of int
        Symbols that are never drawn.
    """

    def __init__(self, temperature, top_k, top_p, random_state, excluded):
        # The least one by which any score can be divided
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
        chances = np.exp(scores, out=scores)
        if self.top_k is not None or self.top_p is not None:
            self._cut(chances)
        return chances / chances.sum()

    def _cut(self, chances):
        """Set all but the likeliest to 0."""
        order = np.argsort(-chances, kind="stable")
        if self.top_k is not None:
            chances[order[self.top_k :]] = 0
        if self.top_p is not None:
            before = np.cumsum(chances[order]) - chances[order]
            chances[order[before >= self.top_p * chances.sum()]] = 0

    def draw(self, scores):
        """The number of a symbol."""
        sums = self.probabilities(scores).cumsum()
        total = float(sums[-1])
        # Less than the last sum also when rounded, so that what has no chance is never drawn
        drawn = min(self.random_state.random_sample() * total, nextafter(total, 0))
        return int(sums.searchsorted(drawn, side="right"))
