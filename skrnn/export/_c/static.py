"""Static features in C: what the head reads of them, and the states that sequences begin with."""

from skrnn._data.missing import WITH_INDICATORS
from skrnn._data.reading import FILLED
from skrnn._network.static import HEAD, INITIAL_STATE, static_table_of
from skrnn.export._c.reading import write_code


def write_static(source, function, net, reading):
    """Add to a function what makes of `static_features` the state before the first step.

    Parameters
    ----------
    source : Source
    function : Function
    net : NetworkSource
    reading : Reading
    """
    static, network = net.network.static, net.network
    function.array("z", static.n_inputs)
    places = [j for j, encoding in enumerate(reading.mixed.static) if encoding is None]
    function.say(*(f"z[{i}] = static_features[{place}];" for i, place in enumerate(places)))
    n = len(places)
    if n and reading.missing in WITH_INDICATORS:
        function.do("indicate", n, "z", f"z + {n}")
    if n and reading.missing in FILLED:
        center = source.constant("static_means", reading.static_units.center, "The mean of each static number")
        function.do("fill", n, center, "z")
    if static.units is not None:
        center, scale = static.units
        center = source.constant("static_center", center, "What is subtracted from each static number")
        inverse = source.constant("static_inverse", 1 / scale, "What it is then multiplied by")
        function.do("standardize", static.n_numbers, "z", center, inverse, "z")
    first = static.n_numbers
    columns = [j for j, encoding in enumerate(reading.mixed.static) if encoding is not None]
    for c, (embedding, encoding) in enumerate(zip(static.embeddings, reading.static_encodings, strict=True)):
        table = net.parameter(static_table_of(embedding), to=f"static_embedding{c}")
        code = write_code(source, encoding, f"static_features[{columns[c]}]", f"static_categories{c}")
        function.do("copy", embedding.dim, f"{table} + {code} * {embedding.dim}", f"z + {first}")
        first += embedding.dim
    if HEAD in static.to:
        function.do("copy", static.n_inputs, "z", net.members["static"])
    if INITIAL_STATE in static.to:
        for part, columns in network.state_layout.items():
            if isinstance(part, tuple):
                name, K = net.members[part].removeprefix("s->"), columns.stop - columns.start
                W, b = (net.parameter(f"static.{kind}", columns, to=f"static_{name}_{kind}") for kind in "Wb")
                function.do("first_state", static.n_inputs, K, "z", W, b, net.members[part])
