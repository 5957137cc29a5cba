"""Statistics of each feature over steps that come in chunks; missing values (NaN) do not count."""

import numpy as np

from skrnn._data.lazy import in_memory, unshared
from skrnn._data.units import is_rounding
from skrnn._plain import plain, with_attributes


@plain(make=with_attributes, count=np.ndarray | int, mean=np.ndarray | float, squares=np.ndarray | float)
class Moments:
    """Mean and standard deviation, with divisor n.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: analysis and recommendations. How
    chunks are combined, and the bound below which a variance counts as rounding and the feature as constant.
    """

    spread = "standard deviation"

    def __init__(self):
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, values):
        """Add the rows of values (steps, D)."""
        present = ~np.isnan(values)
        count = present.sum(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.sum(values, axis=0, dtype=np.float64, where=present) / np.maximum(count, 1)
            squares = np.sum((values - mean) ** 2, axis=0, dtype=np.float64, where=present)
            total = np.maximum(self.count + count, 1)
            # Σ (x − mean)² of both = that of each + (difference of the means)² n m / (n + m)
            difference = mean - self.mean
            self.squares = self.squares + squares + difference * (difference * (self.count * count / total))
            self.mean = self.mean + difference * (count / total)
        self.count = self.count + count

    def center_and_scale(self):
        """Mean and standard deviation (D,)."""
        with np.errstate(invalid="ignore", over="ignore"):
            variance = self.squares / np.maximum(self.count, 1)
            return self.mean, np.where(is_rounding(self.mean, variance, self.count), 0.0, np.sqrt(variance))


@plain(make=with_attributes, count=np.ndarray | int, min=np.ndarray | float, max=np.ndarray | float)
class Extremes:
    """Minimum and range."""

    spread = "range"

    def __init__(self):
        self.count, self.min, self.max = 0, np.inf, -np.inf

    def add(self, values):
        """Add the rows of values (steps, D)."""
        present = ~np.isnan(values)
        self.count = self.count + present.sum(axis=0)
        minimum, maximum = (
            extreme(values, axis=0, where=present, initial=initial).astype(np.float64)
            for extreme, initial in ((np.min, np.inf), (np.max, -np.inf))
        )
        self.min, self.max = np.minimum(self.min, minimum), np.maximum(self.max, maximum)

    def center_and_scale(self):
        """Minimum and range (D,); 0 for a feature without values."""
        seen = self.count > 0
        minimum, maximum = np.where(seen, self.min, 0.0), np.where(seen, self.max, 0.0)
        with np.errstate(over="ignore"):
            return minimum, maximum - minimum


@plain(make=with_attributes, count=np.ndarray, first=np.ndarray, median=np.ndarray, third=np.ndarray)
class Quartiles:
    """Median and interquartile range; of all values at once, not in chunks."""

    spread = "interquartile range"

    def __init__(self):
        self.count = 0

    def add(self, values):
        """Set the rows of values (steps, D), which must be all of them."""
        quartiles = np.zeros((3, values.shape[1]))
        present = ~np.isnan(values)
        self.count = present.sum(axis=0)
        for feature in np.flatnonzero(self.count):
            quartiles[:, feature] = np.percentile(
                values[present[:, feature], feature].astype(np.float64), [25, 50, 75]
            )
        self.first, self.median, self.third = quartiles

    def center_and_scale(self):
        """Median and interquartile range (D,); 0 for a feature without values."""
        with np.errstate(over="ignore"):
            return self.median, self.third - self.first


STATISTICS = {"standard": Moments, "minmax": Extremes, "robust": Quartiles}


def add_to_statistic(statistic, sequences, what):
    """Add the steps of all sequences to a statistic; raises a ValueError when it overflows.

    `what` is how messages call whatever needs a statistic that takes all of X at once.
    """
    if isinstance(statistic, Quartiles):
        sequences = in_memory(sequences, what)
    for chunk, _ in unshared(sequences).iter_chunks(np.arange(len(sequences))):
        statistic.add(chunk.values)
    center, spread = statistic.center_and_scale()
    large = np.flatnonzero(~np.isfinite(center) | ~np.isfinite(spread))
    if len(large):
        raise ValueError(
            f"X is too large: the {statistic.spread} of feature {large[0]} overflows float64; scale it down first"
        )
