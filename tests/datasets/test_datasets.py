"""The files that come with the package, against published figures."""

from importlib import resources

import numpy as np
import pytest

from skrnn.datasets import load_co2, load_japanese_vowels, load_promoters, load_sunspots

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


def test_co2():
    co2 = load_co2()
    assert co2.date.dtype == np.dtype("datetime64[D]")
    np.testing.assert_array_equal(co2.date, np.datetime64("1958-03-29") + 7 * np.arange(2284))
    assert co2.date[-1] == np.datetime64("2001-12-29")
    assert co2.date[0].item().strftime("%A") == "Saturday"
    assert co2.co2.shape == (2284,)
    assert co2.co2.dtype == np.float64
    known = {"1958-03-29": 316.1, "1958-11-08": 313.0, "2001-05-12": 373.9, "2001-12-29": 371.5}
    assert {day: co2.co2[co2.date == np.datetime64(day)].item() for day in known} == known
    assert np.nanmin(co2.co2) == 313.0
    assert np.nanmax(co2.co2) == 373.9
    assert "frame" not in co2


def test_co2_gaps():
    co2 = load_co2()
    letters = "".join("x" if missing else " " for missing in np.isnan(co2.co2))
    gaps = [len(gap) for gap in letters.split()]
    assert (sum(gaps), len(gaps), min(gaps), max(gaps)) == (59, 22, 1, 18)
    assert co2.date[letters.index("x" * 18)] == np.datetime64("1964-01-25")


def test_co2_as_frame():
    co2 = load_co2(as_frame=True)
    assert list(co2.frame.columns) == ["date", "co2"]
    assert len(co2.frame) == 2284
    np.testing.assert_array_equal(co2.frame["date"], co2.date)
    np.testing.assert_array_equal(co2.frame["co2"], co2.co2)
    assert co2.frame["co2"].isna().sum() == 59


def test_promoters():
    promoters = load_promoters()
    assert isinstance(promoters.data, list)
    assert {type(sequence) for sequence in promoters.data} == {str}
    assert len(set(promoters.data)) == 106
    assert {len(sequence) for sequence in promoters.data} == {57}
    assert set("".join(promoters.data)) == set("ACGT")
    assert np.issubdtype(promoters.target.dtype, np.integer)
    np.testing.assert_array_equal(promoters.target, [1] * 53 + [0] * 53)
    assert list(promoters.target_names) == ["no promoter", "promoter"]


@pytest.mark.parametrize(
    ("sequence", "name"),
    [
        ("tactagcaatacgcttgcgttcggtggttaagtatgtataatgcgcgggcttgtcgt", "promoter"),         # S10
        ("tgctatcctgacagttgtcacgctgattggtgtcgttacaatctaacgcatcgccaa", "promoter"),
        ("tggggacgtcgttactgatccgcacgtttatgatatgctatcgtactctttagcgag", "promoter"),
        ("agacgtctctgcatggagtatgagatggactacggtgggtacaatatgctggatgga", "no promoter"),
        ("atatgaacgttgagactgccgctgagttatcagctgtgaacgacattctggcgtcta", "no promoter"),      # 867
    ],
)
def test_promoters_are_as_published(sequence, name):
    promoters = load_promoters()
    target = promoters.target[promoters.data.index(sequence.upper())]
    assert promoters.target_names[target] == name


@pytest.mark.parametrize(("target", "n"), [(0, 51), (1, 2)])
def test_overlap_of_promoters_and_others(target, n):
    """As DESCR says of those that are none."""
    promoters = load_promoters()
    pieces = [x for x, y in zip(promoters.data, promoters.target, strict=True) if y == target]
    pairs = [
        (a, b) for a in pieces for b in pieces
        if a is not b and any(a.endswith(b[:length]) for length in range(15, 57))
    ]
    assert len({piece for pair in pairs for piece in pair}) == n


def test_promoters_return_X_y():
    X, y = load_promoters(return_X_y=True)
    promoters = load_promoters()
    assert promoters.data == X
    np.testing.assert_array_equal(y, promoters.target)


@pytest.mark.parametrize(
    ("load", "title", "license", "source"),
    [
        (load_japanese_vowels, "Japanese vowels", "CC BY 4.0", "Kudo"),
        (load_sunspots, "Sunspots", "public domain", "National Geophysical Data Center"),
        (load_co2, "Carbon dioxide", "public domain", "Keeling"),
        (load_promoters, "Promoters", "CC BY 4.0", "Noordewier"),
    ],
)
def test_description(load, title, license, source):
    description = load().DESCR
    assert description.startswith(title)
    assert license in description
    assert source in description
    assert "##" not in description


def test_every_file_is_described():
    folder = resources.files("skrnn.datasets") / "data"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    described = {line.removeprefix("## ") for line in readme.splitlines() if line.startswith("## ")}
    assert described == {file.name for file in folder.iterdir()} - {"README.md"}
    assert readme.count("\nSource: ") == readme.count("\nLicense: ") == readme.count("\nFormat: ") == len(described)


@pytest.mark.parametrize(
    ("load", "parameters", "message"),
    [
        (load_japanese_vowels, {"subset": "validation"}, "'subset' parameter of load_japanese_vowels"),
        (load_japanese_vowels, {"subset": None}, "'subset' parameter"),
        (load_japanese_vowels, {"return_X_y": "yes"}, "'return_X_y' parameter"),
        (load_sunspots, {"as_frame": "pandas"}, "'as_frame' parameter of load_sunspots"),
        (load_co2, {"as_frame": "pandas"}, "'as_frame' parameter of load_co2"),
        (load_promoters, {"return_X_y": 2}, "'return_X_y' parameter of load_promoters"),
    ],
)
def test_bad_parameters(load, parameters, message):
    with pytest.raises(ValueError, match=message):
        load(**parameters)
