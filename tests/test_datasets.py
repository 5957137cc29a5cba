"""The files that come with the package, against published figures."""

from importlib import resources

import numpy as np
import pytest

from skrnn.datasets import load_japanese_vowels, load_sunspots

TEST_UTTERANCES = [31, 35, 88, 44, 29, 24, 40, 50, 29]    # of speakers 1 to 9, as published


def lengths(sequences):
    return np.array([len(x) for x in sequences])


def test_vowels_are_as_published():
    vowels = load_japanese_vowels()
    assert len(vowels.data) == len(vowels.target) == len(vowels.split) == 640
    assert isinstance(vowels.data, list)
    assert {x.dtype for x in vowels.data} == {np.dtype(np.float64)}
    assert {x.shape[1] for x in vowels.data} == {12}
    assert lengths(vowels.data).min() == 7
    assert lengths(vowels.data).max() == 29
    assert np.isfinite(np.concatenate(vowels.data)).all()
    train = vowels.split == "train"
    np.testing.assert_array_equal(np.unique(vowels.split, return_counts=True)[1], [370, 270])
    assert np.issubdtype(vowels.target.dtype, np.integer)
    np.testing.assert_array_equal(np.bincount(vowels.target[train]), [30] * 9)
    np.testing.assert_array_equal(np.bincount(vowels.target[~train]), TEST_UTTERANCES)


def test_vowels_values():
    """The first and the last line of the published files, to the last decimal."""
    data = load_japanese_vowels().data
    np.testing.assert_array_equal(lengths(data[:5]), [20, 26, 22, 20, 21])
    np.testing.assert_array_equal(
        data[0][0],
        [1.860936, -0.207383, 0.261557, -0.214562, -0.171253, -0.118167, -0.277557, 0.025668, 0.126701, -0.306756,
         -0.213076, 0.088728],
    )
    np.testing.assert_array_equal(data[-1][-1][[0, 1, 11]], [1.177449, -0.40408, 0.224688])


@pytest.mark.parametrize(("subset", "n", "steps", "longest"), [("train", 270, 4274, 26), ("test", 370, 5687, 29)])
def test_vowels_subsets(subset, n, steps, longest):
    vowels = load_japanese_vowels(subset=subset)
    assert len(vowels.data) == n
    assert lengths(vowels.data).sum() == steps
    assert lengths(vowels.data).max() == longest
    assert set(vowels.split) == {subset}
    everything = load_japanese_vowels()
    chosen = np.flatnonzero(everything.split == subset)
    np.testing.assert_array_equal(vowels.target, everything.target[chosen])
    for x, i in zip(vowels.data, chosen, strict=True):
        np.testing.assert_array_equal(x, everything.data[i])


def test_vowels_split_is_disjoint():
    train, test = ({x.tobytes() for x in load_japanese_vowels(subset=subset).data} for subset in ("train", "test"))
    assert len(train) == 270
    assert len(test) == 370
    assert not train & test


@pytest.mark.parametrize("subset", ["train", "test", "all"])
def test_vowels_return_X_y(subset):
    X, y = load_japanese_vowels(subset=subset, return_X_y=True)
    vowels = load_japanese_vowels(subset=subset)
    np.testing.assert_array_equal(y, vowels.target)
    assert len(X) == len(vowels.data)
    np.testing.assert_array_equal(np.concatenate(X), np.concatenate(vowels.data))


def test_vowels_names():
    vowels = load_japanese_vowels()
    assert vowels.feature_names[0] == "cepstrum 1"
    assert vowels.feature_names[-1] == "cepstrum 12"
    assert len(vowels.feature_names) == 12
    assert vowels.target_names[vowels.target[0]] == "speaker 1"
    assert vowels.target_names[vowels.target[-1]] == "speaker 9"


def test_vowels_are_loaded_anew():
    load_japanese_vowels().data[0][:] = 0
    assert load_japanese_vowels().data[0][0, 0] == 1.860936


def test_sunspots():
    sunspots = load_sunspots()
    np.testing.assert_array_equal(sunspots.year, np.arange(1700, 2009))
    assert np.issubdtype(sunspots.year.dtype, np.integer)
    assert sunspots.activity.shape == (309,)
    assert sunspots.activity.dtype == np.float64
    known = {1700: 5.0, 1701: 11.0, 1712: 0.0, 1957: 190.2, 2007: 7.5, 2008: 2.9}
    assert {year: sunspots.activity[year - 1700] for year in known} == known
    assert sunspots.activity.min() == 0.0
    assert sunspots.activity.argmax() == 1957 - 1700
    assert "frame" not in sunspots


def test_sunspots_as_frame():
    sunspots = load_sunspots(as_frame=True)
    assert list(sunspots.frame.columns) == ["year", "activity"]
    assert len(sunspots.frame) == 309
    np.testing.assert_array_equal(sunspots.frame["year"], sunspots.year)
    np.testing.assert_array_equal(sunspots.frame["activity"], sunspots.activity)
    assert sunspots.frame["activity"].dtype == np.float64


@pytest.mark.parametrize(
    ("load", "title", "licence", "source"),
    [
        (load_japanese_vowels, "Japanese vowels", "CC BY 4.0", "Kudo"),
        (load_sunspots, "Sunspots", "public domain", "National Geophysical Data Center"),
    ],
)
def test_description(load, title, licence, source):
    description = load().DESCR
    assert description.startswith(title)
    assert licence in description
    assert source in description
    assert "##" not in description


def test_every_file_is_described():
    folder = resources.files("skrnn.datasets") / "data"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    described = {line.removeprefix("## ") for line in readme.splitlines() if line.startswith("## ")}
    assert described == {file.name for file in folder.iterdir()} - {"README.md"}
    assert readme.count("\nSource: ") == readme.count("\nLicence: ") == readme.count("\nFormat: ") == len(described)


@pytest.mark.parametrize(
    ("load", "parameters", "message"),
    [
        (load_japanese_vowels, {"subset": "validation"}, "'subset' parameter of load_japanese_vowels"),
        (load_japanese_vowels, {"subset": None}, "'subset' parameter"),
        (load_japanese_vowels, {"return_X_y": "yes"}, "'return_X_y' parameter"),
        (load_sunspots, {"as_frame": "pandas"}, "'as_frame' parameter of load_sunspots"),
    ],
)
def test_bad_parameters(load, parameters, message):
    with pytest.raises(ValueError, match=message):
        load(**parameters)
