"""Made patients are what their documentation says."""

import numpy as np
import pytest

from skrnn.datasets import make_patients

STATIC = ("age", "ward", "hospital", "died")


@pytest.fixture(scope="module")
def patients():
    return make_patients(random_state=0)


@pytest.fixture(scope="module")
def first(patients):
    """The first row of each patient."""
    return np.unique(patients.patient, return_index=True)[1]


def test_rows(patients, first):
    """One patient after the other, at increasing hours, with all that is of the patient in every row."""
    assert len(first) == 1800
    assert {len(column) for column in patients.values()} == {len(patients.hour)}
    np.testing.assert_array_equal(np.sort(patients.patient), patients.patient)
    same = np.diff(patients.patient) == 0
    assert (np.diff(patients.hour)[same] > 0).all()
    assert patients.hour.min() == 0
    assert patients.hour.max() <= 48
    for name in STATIC:
        column = patients[name]
        both_missing = (column[1:] != column[1:]) & (column[:-1] != column[:-1])
        assert (both_missing | (column[1:] == column[:-1]))[same].all()


def test_what_is_missing(patients, first):
    missing = {name: np.isnan(patients[name]).mean() for name in ("heart_rate", "temperature", "lactate")}
    assert missing["heart_rate"] == pytest.approx(0.05, abs=0.01)
    assert missing["temperature"] == pytest.approx(0.5, abs=0.02)
    assert 0.5 < missing["lactate"] < 0.9
    assert np.isnan(patients.age[first]).mean() == pytest.approx(0.02, abs=0.01)


def test_who_dies(patients, first):
    """One in twelve, more of those who are ill at the end, old, or in intensive care, and who were seen more often."""
    died = patients.died[first] == 1
    assert died.mean() == pytest.approx(1 / 12, abs=0.02)
    last = np.append(first[1:], len(patients.hour)) - 1
    rate, age = patients.heart_rate[last], patients.age[first]
    for sign in (rate, age, np.diff(np.append(first, len(patients.hour)))):
        assert np.nanmean(sign[died]) > np.nanmean(sign[~died]) + 0.3 * np.nanstd(sign)
    ward = patients.ward[first]
    assert died[ward == "intensive care"].mean() > 1.5 * died[ward == "surgery"].mean()


def test_numbers_of_patients_and_hospitals(patients):
    """Fewer patients are the first ones."""
    few = make_patients(20, random_state=0)
    for name, column in few.items():
        np.testing.assert_array_equal(column, patients[name][: len(column)])
    assert set(make_patients(50, n_hospitals=2, random_state=0).hospital.tolist()) == {0, 1}
    with pytest.raises(ValueError, match="n_patients"):
        make_patients(0)
