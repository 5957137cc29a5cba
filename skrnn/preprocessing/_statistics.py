"""Statistics of each feature, over steps that come in parts; what is missing (NaN) does not count."""

import numpy as np


class Moments:
    """Mean and standard deviation, with divisor n.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: analysis and recommendations. How parts
    are put together, and the bound under which a variance is taken for rounding, and the feature for constant.
    """

    spread = "standard deviation"

    def __init__(self):
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, values):
        """Count in the rows of values (steps, D)."""
        there = ~np.isnan(values)
        count = there.sum(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.sum(values, axis=0, dtype=np.float64, where=there) / np.maximum(count, 1)
            squares = np.sum((values - mean) ** 2, axis=0, dtype=np.float64, where=there)
            total = np.maximum(self.count + count, 1)
            # Σ (x − mean)² of both = of each by itself + (difference of the means)² n m / (n + m)
            difference = mean - self.mean
            self.squares = self.squares + squares + difference * (difference * (self.count * count / total))
            self.mean = self.mean + difference * (count / total)
        self.count = self.count + count

    def center_and_scale(self):
        """Mean and standard deviation (D,)."""
        with np.errstate(invalid="ignore", over="ignore"):
            variance = self.squares / np.maximum(self.count, 1)
            n_eps = self.count * np.finfo(np.float64).eps
            constant = variance <= n_eps * variance + (n_eps * self.mean) ** 2
            return self.mean, np.where(constant & np.isfinite(variance), 0.0, np.sqrt(variance))


class Extremes:
    """Minimum and range."""

    spread = "range"

    def __init__(self):
        self.count, self.least, self.greatest = 0, np.inf, -np.inf

    def add(self, values):
        """Count in the rows of values (steps, D)."""
        there = ~np.isnan(values)
        self.count = self.count + there.sum(axis=0)
        least, greatest = (
            end(values, axis=0, where=there, initial=initial).astype(np.float64)
            for end, initial in ((np.min, np.inf), (np.max, -np.inf))
        )
        self.least, self.greatest = np.minimum(self.least, least), np.maximum(self.greatest, greatest)

    def center_and_scale(self):
        """Minimum and range (D,); 0 for a feature without any value."""
        seen = self.count > 0
        least, greatest = np.where(seen, self.least, 0.0), np.where(seen, self.greatest, 0.0)
        with np.errstate(over="ignore"):
            return least, greatest - least


class Quartiles:
    """Median, and the distance between the first and the third quartile. Of all values at once, not in parts."""

    spread = "distance between the quartiles"

    def __init__(self):
        self.count = 0

    def add(self, values):
        """Take the rows of values (steps, D), which are all there are."""
        quartiles = np.zeros((3, values.shape[1]))
        there = ~np.isnan(values)
        self.count = there.sum(axis=0)
        for feature in np.flatnonzero(self.count):
            quartiles[:, feature] = np.percentile(
                values[there[:, feature], feature].astype(np.float64), [25, 50, 75]
            )
        self.first, self.median, self.third = quartiles

    def center_and_scale(self):
        """Median and distance between the quartiles (D,); 0 for a feature without any value."""
        with np.errstate(over="ignore"):
            return self.median, self.third - self.first


STATISTICS = {"standard": Moments, "minmax": Extremes, "robust": Quartiles}


def add_to_statistic(statistic, sequences, what):
    """Add the steps of all sequences to a statistic; raises a ValueError when it overflows.

    `what` is how messages call whatever needs a statistic that takes all of X at once.
    """
    if isinstance(statistic, Quartiles):
        sequences = sequences.in_memory(what)
    for part, _ in sequences.unshared().iter_chunks(np.arange(len(sequences))):
        statistic.add(part.values)
    center, spread = statistic.center_and_scale()
    large = np.flatnonzero(~np.isfinite(center) | ~np.isfinite(spread))
    if len(large):
        raise ValueError(
            f"X is too large: the {statistic.spread} of feature {large[0]} overflows float64; scale it down first"
        )
