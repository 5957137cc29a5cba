"""Loaders of the files in ``data``."""

import csv
from importlib import resources

import numpy as np
from sklearn.utils import Bunch

from skrnn._sklearn import StrOptions, validate_params


def _file(name):
    return resources.files("skrnn.datasets") / "data" / name


def _description(name):
    """The section of ``data/README.md`` about a file."""
    _, *sections = _file("README.md").read_text(encoding="utf-8").split("\n## ")
    texts = dict(section.split("\n", 1) for section in sections)
    return texts[name].strip() + "\n"


def _rows(name):
    """The rows of a CSV file below its header, as tuples of str."""
    with _file(name).open("r", encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


@validate_params(
    {"subset": [StrOptions({"train", "test", "all"})], "return_X_y": ["boolean"]}, prefer_skip_nested_validation=True
)
def load_japanese_vowels(*, subset="all", return_X_y=False):
    """Load the Japanese vowels: classify nine speakers by short utterances of different lengths.

    =================  =========================
    Classes                                    9
    Sequences          640 (270 train, 370 test)
    Steps of each                        7 to 29
    Features per step                   12, real
    =================  =========================

    Nine male speakers utter the two Japanese vowels /ae/ one after the other. A step is a frame of 25.6 ms, and frames
    begin 6.4 ms apart; its features are the 12 cepstrum coefficients of a linear prediction analysis (LPC), which have
    no unit.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="all"
        A part of the published split, or all of it: train before test, each in the order of the speakers.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        data : list of n float64 arrays of shape (steps, 12)
            The sequences; n is 270, 370 or 640.
        target : int array of shape (n,)
            The speaker of each sequence, 0 to 8.
        split : str array of shape (n,)
            The part of the published split that each sequence belongs to, "train" or "test".
        feature_names : list of 12 str
            Names of the coefficients.
        target_names : str array of shape (9,)
            Names of the speakers.
        DESCR : str
            Description, source and license.
    (data, target) : tuple if `return_X_y`
        The list of sequences and the array of speakers.

    Raises
    ------
    ValueError
        If an argument is not one of its values.

    Notes
    -----
    Source: UCI Machine Learning Repository, "Japanese Vowels", given by M. Kudo, J. Toyama and M. Shimbo, as packaged
    in aeon 1.6.0. License: CC BY 4.0.

    References
    ----------
    Kudo, Toyama & Shimbo (1999), Multidimensional curve classification using passing-through regions. Pattern
    Recognition Letters 20, 1103-1111.

    Examples
    --------
    >>> from skrnn.datasets import load_japanese_vowels
    >>> X, y = load_japanese_vowels(subset="train", return_X_y=True)
    >>> len(X), X[0].shape, X[1].shape
    (270, (20, 12), (26, 12))
    >>> vowels = load_japanese_vowels()
    >>> int((vowels.split == "test").sum())
    370
    >>> str(vowels.target_names[vowels.target[-1]])
    'speaker 9'
    """
    with _file("japanese_vowels.npz").open("rb") as file, np.load(file) as arrays:
        # float32 holds the six published decimals but is not equal to them; rounding in float64 restores them.
        frames = np.round(arrays["x"].astype(np.float64), 6)
        ends = np.cumsum(arrays["lengths"])
        target = arrays["y"].astype(np.int64)
        split = np.array(["train", "test"])[arrays["split"]]
    data = np.split(frames, ends[:-1])
    if subset != "all":
        chosen = np.flatnonzero(split == subset)
        data, target, split = [data[i] for i in chosen], target[chosen], split[chosen]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        split=split,
        feature_names=[f"cepstrum {i}" for i in range(1, 13)],
        target_names=np.array([f"speaker {i}" for i in range(1, 10)]),
        DESCR=_description("japanese_vowels.npz"),
    )


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_sunspots(*, as_frame=False):
    """Load the yearly numbers of sunspots from 1700 to 2008: a series to forecast.

    ========  ==================
    Years      309, 1700 to 2008
    Activity  real, 0.0 to 190.2
    ========  ==================

    The activity rises and falls in cycles of about 11 years, of different heights. There is no target: the user chooses
    what to predict, and from how many years before.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return the series as a pandas DataFrame, too.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        year : int array of shape (309,)
            The years, in order and without gaps.
        activity : float64 array of shape (309,)
            Yearly mean of the relative sunspot number, which has no unit.
        frame : DataFrame of shape (309, 2)
            The columns "year" and "activity". Only with `as_frame`.
        DESCR : str
            Description, source and license.

    Raises
    ------
    ValueError
        If an argument is not one of its values.

    Notes
    -----
    Source: US National Geophysical Data Center, as packaged in statsmodels 0.15.0. License: public domain.

    References
    ----------
    Yule (1927), On a method of investigating periodicities in disturbed series, with special reference to Wolfer's
    sunspot numbers. Philosophical Transactions of the Royal Society A 226, 267-298.

    Examples
    --------
    The activity of a year from the 12 years before it, oldest first:

    >>> import numpy as np
    >>> from skrnn.datasets import load_sunspots
    >>> sunspots = load_sunspots()
    >>> X = np.lib.stride_tricks.sliding_window_view(sunspots.activity[:-1], 12)
    >>> y = sunspots.activity[12:]
    >>> X.shape, y.shape
    ((297, 12), (297,))
    >>> int(sunspots.year[12]), float(y[0])
    (1712, 0.0)
    """
    with _file("sunspots_yearly.csv").open("r", encoding="utf-8") as file:
        year, activity = np.loadtxt(file, delimiter=",", skiprows=1, unpack=True)
    series = {"year": year.astype(np.int64), "activity": np.ascontiguousarray(activity)}
    bunch = Bunch(**series, DESCR=_description("sunspots_yearly.csv"))
    if as_frame:
        import pandas as pd

        bunch.frame = pd.DataFrame(series)
    return bunch


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_co2(*, as_frame=False):
    """Load the weekly carbon dioxide at Mauna Loa from 1958 to 2001: a series with gaps to forecast.

    ==============  ========================================
    Weeks           2284, 29 March 1958 to 29 December 2001
    Carbon dioxide  real, 313.0 to 373.9 ppm, NaN in 59 weeks
    ==============  ========================================

    The fraction of carbon dioxide in the air rises from year to year and varies with the seasons. Weeks without a value
    are NaN, in 22 gaps of 1 to 18 weeks. There is no target: the user chooses what to predict, and from how many weeks
    before.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return the series as a pandas DataFrame, too.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        date : datetime64[D] array of shape (2284,)
            The Saturdays of the weeks, in order, each 7 days after the one before it.
        co2 : float64 array of shape (2284,)
            Weekly mean of carbon dioxide in the air, in parts per million by volume (ppm); NaN where there is none.
        frame : DataFrame of shape (2284, 2)
            The columns "date" and "co2". Only with `as_frame`.
        DESCR : str
            Description, source and license.

    Raises
    ------
    ValueError
        If an argument is not one of its values.

    Notes
    -----
    Source: C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, through the Carbon Dioxide Information
    Analysis Center, as packaged in statsmodels 0.15.0. License: public domain.

    References
    ----------
    Keeling & Whorf (2004), Atmospheric CO2 concentrations derived from flask air samples at sites in the SIO network.
    In Trends: A Compendium of Data on Global Change, Oak Ridge National Laboratory.

    Examples
    --------
    The value of a week from the 52 weeks before it, oldest first. Estimators with ``missing="ffill"`` or
    ``"indicator"`` accept the gaps in X; weeks to predict must have a value:

    >>> import numpy as np
    >>> from skrnn.datasets import load_co2
    >>> co2 = load_co2()
    >>> X = np.lib.stride_tricks.sliding_window_view(co2.co2[:-1], 52)
    >>> y = co2.co2[52:]
    >>> known = ~np.isnan(y)
    >>> X[known].shape, y[known].shape
    ((2190, 52), (2190,))
    >>> str(co2.date[52]), float(y[0])
    ('1959-03-28', 316.7)
    """
    dates, values = zip(*_rows("co2_weekly.csv"), strict=True)
    series = {
        "date": np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in dates], dtype="datetime64[D]"),
        "co2": np.array([float(value or "nan") for value in values]),
    }
    bunch = Bunch(**series, DESCR=_description("co2_weekly.csv"))
    if as_frame:
        import pandas as pd

        bunch.frame = pd.DataFrame(series)
    return bunch


@validate_params({"return_X_y": ["boolean"]}, prefer_skip_nested_validation=True)
def load_promoters(*, return_X_y=False):
    """Load the promoters: classify whether a piece of DNA starts a gene.

    ===============  ==========================
    Classes                                   2
    Sequences        106 (53 promoters, 53 not)
    Steps of each                            57
    Alphabet                         A, C, G, T
    ===============  ==========================

    A step is a base. A promoter reaches from 50 bases before the start of transcription to 7 bases after it; the other
    pieces are from DNA without a promoter. The bacterium is Escherichia coli.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        data : list of 106 str
            The sequences, 57 upper-case letters each.
        target : int array of shape (106,)
            1 for a promoter, else 0. Promoters come first: shuffle the data before splitting them.
        target_names : str array of shape (2,)
            Names of the classes 0 and 1.
        DESCR : str
            Description, source and license.
    (data, target) : tuple if `return_X_y`
        The list of sequences and the array of classes.

    Raises
    ------
    ValueError
        If an argument is not one of its values.

    Notes
    -----
    The pieces that are not promoters overlap, so that one that is held out is partly known from others.

    Source: UCI Machine Learning Repository, "Molecular Biology (Promoter Gene Sequences)", given by M. Noordewier and
    J. Shavlik, as packaged in kernlab 0.9-32. License: CC BY 4.0.

    References
    ----------
    Harley & Reynolds (1987), Analysis of E. coli promoter sequences. Nucleic Acids Research 15, 2343-2361.

    Towell, Shavlik & Noordewier (1990), Refinement of approximate domain theories by knowledge-based neural networks.
    Proceedings of AAAI-90, 861-866.

    Examples
    --------
    The bases as categories, for a network with ``embedding_dim``:

    >>> import numpy as np
    >>> from skrnn.datasets import load_promoters
    >>> promoters = load_promoters()
    >>> promoters.data[0][:12], str(promoters.target_names[promoters.target[0]])
    ('GCCTTCTCCAAA', 'promoter')
    >>> X = np.array([["ACGT".index(base) for base in sequence] for sequence in promoters.data])
    >>> X.shape
    (106, 57)
    """
    classes, data = zip(*_rows("promoters.csv"), strict=True)
    data, target = list(data), np.array(classes, dtype=np.int64)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(["no promoter", "promoter"]),
        DESCR=_description("promoters.csv"),
    )
