"""The hourly load of a grid, made by stated equations."""

from numbers import Integral

import numpy as np
from scipy.signal import lfilter
from sklearn.utils import Bunch, check_random_state

from skrnn._sklearn import Interval, validate_params

HOURS = 24
HOLIDAYS = 1 / 30           # probability of a day
INERTIA = 1 / 12            # of buildings, per hour
# Center and width in hours, and GW, of the peaks of a day
WORKING, FREE = ((8.5, 1.8, 20.0), (13.0, 3.0, 14.0), (19.0, 2.2, 24.0)), ((11.0, 2.5, 12.0), (20.0, 2.5, 16.0))


@validate_params(
    {
        "n_days": [Interval(Integral, 1, None, closed="left")], "as_frame": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_hourly_load(n_days=400, *, as_frame=False, random_state=None):
    """Make the hourly load of an electric grid, with temperature and holidays, which are known ahead.

    Load follows the hour, the week, holidays, and the temperature that buildings feel: heating below 15 °C and cooling
    above 21 °C.

    Parameters
    ----------
    n_days : int, default=400
        Number of days of 24 hours, from Sunday, 2023-01-01.
    as_frame : bool, default=False
        Whether to return also a pandas DataFrame.
    random_state : int, RandomState instance or None, default=None
        Source of the weather, the holidays and the noise; pass an int for reproducible data.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        time : datetime64[s] array of shape (24 n_days,)
            The beginning of each hour.
        load : float64 array of shape (24 n_days,)
            Load in GW.
        temperature : float64 array of shape (24 n_days,)
            Temperature in °C.
        holiday : int array of shape (24 n_days,)
            1 in the hours of a holiday, else 0.
        frame : DataFrame
            The four columns; with `as_frame`.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    With the hour h = 0 .. 23, the day d = 0, 1, ..., and AR(φ, σ) for an autoregression of the first order whose values
    have the deviation σ:

    - temperature = 11 − 10 cos 2π(d − 20)/365 − 4 cos 2π(h − 3)/24 + AR(0.985, 4)
    - felt temperature f ← f + (temperature − f)/12, hour by hour
    - each day is a holiday with probability 1/30; a day is free on Saturday, Sunday and holidays
    - daily curve = Σ a exp(−((h − c)/s)²/2), the distance h − c taken around the clock, over the peaks (c, s, a): on
      working days (8.5, 1.8, 20), (13, 3, 14), (19, 2.2, 24), on free days (11, 2.5, 12), (20, 2.5, 16)
    - load = 60 + daily curve + 1.3 max(0, 15 − f) + k max(0, f − 21) + AR(0.9, 2); k is 3 on working and 2 on free days

    So a forecast of a day that knew all equations would have a root mean squared error of about 1.8, that of the last
    term.

    Examples
    --------
    >>> from skrnn.datasets import make_hourly_load
    >>> data = make_hourly_load(n_days=7, random_state=0)
    >>> data.load.shape, data.load[:3].round(1).tolist()
    ((168,), [78.8, 76.6, 75.9])
    """
    rng = check_random_state(random_state)
    n = HOURS * int(n_days)
    day, hour = np.divmod(np.arange(n), HOURS)
    weather, noise = (_autoregression(rng.normal(size=n), *ar) for ar in ((0.985, 4.0), (0.9, 2.0)))
    holiday = (rng.uniform(size=n_days) < HOLIDAYS).astype(np.int64)[day]
    temperature = 11 - 10 * np.cos(2 * np.pi * (day - 20) / 365) - 4 * np.cos(2 * np.pi * (hour - 3) / HOURS) + weather
    felt, _ = lfilter([INERTIA], [1, INERTIA - 1], temperature, zi=[(1 - INERTIA) * temperature[0]])
    free = (holiday == 1) | np.isin(day % 7, (0, 6))
    curve = np.where(free, _peaks(hour, FREE), _peaks(hour, WORKING))
    weather_load = 1.3 * np.maximum(0, 15 - felt) + np.where(free, 2, 3) * np.maximum(0, felt - 21)
    time = np.datetime64("2023-01-01T00", "s") + np.arange(n) * np.timedelta64(1, "h")
    data = Bunch(time=time, load=60 + curve + weather_load + noise, temperature=temperature, holiday=holiday)
    if as_frame:
        import pandas as pd

        data.frame = pd.DataFrame(dict(data))
    return data


def _autoregression(normal, phi, deviation):
    """AR(1) of a given deviation from standard normal numbers, in its stationary state from the beginning."""
    shocks = deviation * np.sqrt(1 - phi**2) * normal
    shocks[0] = deviation * normal[0]
    return lfilter([1.0], [1.0, -phi], shocks)


def _peaks(hour, peaks):
    """The sum of the peaks (center, width, height) of a day at each hour."""
    distance = [(hour - center + HOURS / 2) % HOURS - HOURS / 2 for center, _, _ in peaks]
    return sum(height * np.exp(-((d / width) ** 2) / 2) for d, (_, width, height) in zip(distance, peaks, strict=True))
