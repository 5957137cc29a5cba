"""A generator of patients: vital signs at irregular times, with gaps, beside what is known of a patient."""

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skrnn._sklearn import validate_params
from skrnn.datasets._generators import at_least

WARDS = ("emergency", "intensive care", "medicine", "surgery")
# What is added to the log-odds of the outcome
WARD_EFFECTS = (0.3, 1.0, 0.0, -0.5)
# Value of a healthy patient, what a unit of illness adds, deviation of a measurement, fraction of the times measured
SIGNS = {
    "heart_rate": (80.0, 14.0, 6.0, 0.95),
    "systolic_pressure": (125.0, -14.0, 8.0, 0.80),
    "oxygen_saturation": (97.0, -2.0, 1.0, 0.85),
    "temperature": (36.9, 0.5, 0.3, 0.50),
    "lactate": (1.2, 0.9, 0.4, 0.10),
}
HOURS = 48.0


@validate_params(
    {"n_patients": [at_least(1)], "n_hospitals": [at_least(1)], "random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def make_patients(n_patients=1800, *, n_hospitals=12, random_state=None):
    """Make patients: does one die, told by two days of vital signs at irregular times, by age and by ward?

    A long table, a row for each time at which something was measured of a patient. Signs that were not measured then
    are missing. About one patient in twelve dies.

    Parameters
    ----------
    n_patients : int, default=1800
        Number of patients.
    n_hospitals : int, default=12
        Number of hospitals, which differ in how ill their patients are and in what their devices measure.
    random_state : int, RandomState instance or None, default=None
        Source of all numbers; pass an int for reproducible data. A larger number of patients then begins with the
        same ones.

    Returns
    -------
    columns : :class:`~sklearn.utils.Bunch`
        The columns of the table, arrays of shape (rows,): ``pd.DataFrame(columns)`` is the table.

        patient : int
            From 0 on.
        hour : float
            Hours since the admission, increasing, 48 at most.
        heart_rate, systolic_pressure, oxygen_saturation, temperature, lactate : float
            The signs, in beats per minute, mmHg, percent, °C and mmol/l; NaN where not measured.
        age : float
            In years, the same in all rows of a patient; NaN for one patient in fifty.
        ward : str
            "emergency", "intensive care", "medicine" or "surgery", the same in all rows of a patient.
        hospital : int
            From 0 on, the same in all rows of a patient.
        died : int
            1 or 0, the outcome, the same in all rows of a patient.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The illness of a patient is z(t) = z₀ + v t / 48 + u(t): z₀ is normal around the effect of the hospital, v normal,
    and u an Ornstein-Uhlenbeck process with a time of 6 hours. A sign is its value in health plus z(t) times its effect
    plus noise, plus an offset of the hospital. Measurements come after exponential times of 4 hours on average at
    z = 0, and sooner the more ill a patient is; lactate is measured more often of patients who are more ill: the times
    and gaps tell something, too. The log-odds of death are −4.6 + 1.1 z(48) + 0.8 v + 0.05 (age − 65) + the effect of
    the ward.

    Examples
    --------
    >>> from skrnn.datasets import make_patients
    >>> columns = make_patients(n_patients=100, random_state=0)
    >>> sorted(columns)[:4]
    ['age', 'died', 'heart_rate', 'hospital']
    >>> len(set(columns.patient.tolist()))
    100
    """
    rng = check_random_state(random_state)
    of_hospital = rng.normal(0, 0.3, size=int(n_hospitals))
    offsets = {name: rng.normal(0, 0.3 * noise, int(n_hospitals)) for name, (_, _, noise, _) in SIGNS.items()}
    rows = [_stay(patient, rng, of_hospital, offsets) for patient in range(int(n_patients))]
    return Bunch(**{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})


def _stay(patient, rng, of_hospital, offsets):
    """The rows of one patient."""
    hospital, ward = rng.randint(len(of_hospital)), rng.randint(len(WARDS))
    age = np.clip(rng.normal(65, 15), 18, 100)
    z0, v = rng.normal(of_hospital[hospital], 0.8), rng.normal()
    hours, illness = _course(rng, z0, v)
    logit = -4.6 + 1.1 * illness[-1] + 0.8 * v + 0.05 * (age - 65) + WARD_EFFECTS[ward]
    died = rng.uniform() < 1 / (1 + np.exp(-logit))
    # 48 hours, the end of the course, is not a time of measurement
    hours, illness = hours[:-1], illness[:-1]
    same = {"age": np.nan if rng.uniform() < 0.02 else round(age), "ward": WARDS[ward], "hospital": hospital}
    signs = {name: _measured(rng, name, illness, offsets[name][hospital]) for name in SIGNS}
    of_patient = {name: np.full(len(hours), value) for name, value in (same | {"died": int(died)}).items()}
    return {"patient": np.full(len(hours), patient), "hour": np.round(hours, 2)} | signs | of_patient


def _course(rng, z0, v):
    """The hours at which a patient is seen, the last one 48, and the illness then."""
    hours, illness, u = [0.0], [z0], 0.0
    while hours[-1] < HOURS:
        # 0.02: no two rows have the same time
        gap = 0.02 + rng.exponential(4 / (1 + np.exp(illness[-1]) / 2) * 1.5)
        hour = min(HOURS, hours[-1] + gap)
        keep = np.exp(-(hour - hours[-1]) / 6)
        u = u * keep + rng.normal(0, 0.5 * np.sqrt(1 - keep**2))
        hours.append(hour)
        illness.append(z0 + v * hour / HOURS + u)
    return np.array(hours), np.array(illness)


def _measured(rng, name, illness, offset):
    """A sign at each time, NaN where it was not measured."""
    healthy, effect, noise, fraction = SIGNS[name]
    values = healthy + offset + effect * illness + rng.normal(0, noise, len(illness))
    if name == "lactate":
        fraction = fraction * np.exp(np.clip(illness, -2, 2))
    return np.where(rng.uniform(size=len(illness)) < fraction, np.round(values, 1), np.nan)
