"""What is read of x in C: the order of features, categories, missing values and times."""

import numpy as np

from skrnn._data.reading import FILLED
from skrnn.exceptions import ExportError


def write_reading(source, function, reading):
    """Add to a function what makes of the features x of a step the numbers v that the network reads; their name.

    They are numbers, indicators of what was missing, what times add, and codes of categories.
    """
    n, times, encodings = reading.n_numbers, reading.times, reading.step_encodings
    order = reading.mixed.order if encodings else range(reading.n_step_features)
    if not encodings and times is None and reading.missing not in FILLED:
        return "x"
    n_added = 0 if times is None else times.n_inputs
    function.array("v", n + reading.n_indicators + n_added + len(encodings))
    _copy_numbers(function, reading.places_of_numbers)
    if times is not None:
        now = "s->begun" if times.column is None else f"x[{order[times.column]}]"
        _write_times(source, function, times, now, n + reading.n_indicators)
    if reading.n_indicators:
        function.do("indicate", n, "v", f"v + {n}")
    if reading.missing in FILLED and n:
        function.do("fill_forward", n, "v", "s->seen")
    for c, encoding in enumerate(encodings):
        code = write_code(source, encoding, f"x[{order[len(order) - len(encodings) + c]}]", f"categories{c}")
        function.say(f"v[{n + reading.n_indicators + n_added + c}] = (net_real){code};")
    return "v"


def declare_memory(source, reading):
    """Add what is known of the steps before to the state, in the order of `Reading.fill`."""
    if reading.missing in FILLED and reading.n_numbers:
        source.member("seen", reading.n_numbers)
    if reading.times is not None:
        source.member("last_time")
        source.member("begun")
        if reading.times.since:
            source.member("last_seen", reading.times.n_features)


def write_first_memory(source, function, reading):
    """Add to a function what sets it before the first step; all else is 0."""
    n = reading.n_numbers
    if reading.missing not in FILLED or not n:
        return
    before = np.broadcast_to(reading.before_first, n)
    if before.any():
        center = source.constant("before_first", before, "What numbers are taken to be before they are first seen")
        function.do("copy", n, center, "s->seen")


def write_code(source, encoding, x, name):
    """The code of a category x, an expression.

    Categories that are numbers are looked up; in the place of others x is the code itself.
    """
    n, missing = encoding.n_codes, encoding.missing
    if encoding.is_of_text:
        return f"net_code({x}, {n}, {missing})"
    categories = np.array(encoding.categories, dtype=np.float64).astype(source.dtype)
    if len(set(categories.tolist())) < len(encoding.categories):
        raise ExportError(
            f"the categories of {encoding.name!r} are numbers that are not different in {source.dtype}: fit with their "
            "positions, 0, 1, 2, ..., or with strings"
        )
    table = source.constant(name, categories, f"The categories of {encoding.name}")
    return f"net_find_category({x}, {table}, {len(categories)}, {missing}, {n - 1})"


def _copy_numbers(function, places):
    """v ← the numbers of x."""
    if list(places) == list(range(len(places))):
        if len(places):
            function.do("copy", len(places), "x", "v")
        return
    function.say(*(f"v[{i}] = x[{place}];" for i, place in enumerate(places)))


def _write_times(source, function, times, now, first):
    """v[first], ... ← the time since the last step, and since each feature was last seen."""
    n = times.n_features
    if times.column is not None:
        mean = source.number(times.means[0], "the mean time of a step")
        function.say(f"v[{first}] = net_log1p(net_elapsed({now}, s->last_time, s->begun) / {mean});")
        first += 1
    if times.since:
        means = source.constant("mean_times", times.means[1:], "The mean time since each number was seen")
        function.do("since_seen", n, "v", now, "s->begun", means, "s->last_seen", f"v + {first}")
    if times.since == "input":
        function.do("log1p_all", n, f"v + {first}")
    if times.column is not None:
        function.say(f"s->last_time = {now};")
    elif times.since:       # steps are counted from the last one on
        function.do("subtract", n, now, "s->last_seen")
    function.say("s->begun = 1;")
