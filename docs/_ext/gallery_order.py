"""The order of the examples in the gallery: the first ones first, and those without pictures at the end."""

FIRST = [
    "plot_quickstart", "plot_training", "plot_variable_lengths", "plot_missing_values", "plot_streaming_labels",
    "plot_forecasting",
]


def position(name):
    """What examples are sorted by, of a file's name."""
    stem = name.removesuffix(".py")
    return FIRST.index(stem) if stem in FIRST else len(FIRST), not stem.startswith("plot_"), stem
