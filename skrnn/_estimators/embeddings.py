"""Embeddings of categorical features: how wide they are, and what they have learned, by name."""

from collections.abc import Mapping

import numpy as np

from skrnn._data.numbers import is_positive_int
from skrnn._messages import shown
from skrnn._network.embeddings import Embedding, table_of
from skrnn._network.static import static_table_of
from skrnn._training.epochs import AUTO

MAX_AUTOMATIC_DIM = 50
AUTOMATIC_DIM_TEXT = f"1.6 n^0.56 for n categories, {MAX_AUTOMATIC_DIM} at most"


def automatic_dim(n_categories):
    """The width of an embedding of so many categories, see benchmarks/embedding_sizes.py."""
    return min(MAX_AUTOMATIC_DIM, round(1.6 * n_categories**0.56))


def check_embedding_dim(embedding_dim):
    """Raise a ValueError where a dict has values that are no widths."""
    if not isinstance(embedding_dim, Mapping):
        return
    for name, dim in embedding_dim.items():
        if not is_positive_int(dim):
            raise ValueError(
                f"embedding_dim[{name!r}] is {shown(dim)}, expected the width of an embedding, an int from 1 on; "
                'leave it out for that of "auto"'
            )


def check_has_categories(embedding_dim, n_categories, has_categories):
    """Raise a ValueError where parameters are for categorical features, and X has none, or for steps that are such."""
    if has_categories and n_categories is not None:
        raise ValueError(
            f"n_categories={n_categories} is for X whose steps are categories, 0, 1, 2, ..., but X has categorical "
            "features, whose categories are those that fit sees, or those of their dtype: leave it out"
        )
    if not has_categories and (isinstance(embedding_dim, Mapping) or embedding_dim == AUTO):
        raise ValueError(
            f"embedding_dim={shown(embedding_dim)} is for categorical features, and X has none: name them in "
            "categorical_features; where each step of X is one category, 0, 1, 2, ..., expected an int"
        )


def embeddings_for(embedding_dim, of_steps, of_static=()):
    """What the network embeds: an `Embedding` for each categorical feature.

    Parameters
    ----------
    embedding_dim : int, dict, "auto" or None
        The width of all, or of those by name; else it is that of `automatic_dim`.
    of_steps, of_static : tuple of Encoding

    Returns
    -------
    tuple of Embedding
        Of the features of steps.
    tuple of Embedding
        Of static features.

    Raises
    ------
    ValueError
        For a dict that names other features.
    """
    names = [encoding.name for encoding in (*of_steps, *of_static)]
    if len(set(names)) < len(names):
        raise ValueError(f"categorical features must have names of their own, got {names}")
    dims = embedding_dim if isinstance(embedding_dim, Mapping) else {}
    unknown = [name for name in dims if name not in names]
    if unknown:
        raise ValueError(
            f"embedding_dim has {shown(unknown[0])}, expected names of categorical features of X: {', '.join(names)}"
        )
    one = embedding_dim if is_positive_int(embedding_dim) else None

    def embedding_of(encoding):
        n = encoding.n_codes
        return Embedding(encoding.name, n, int(dims.get(encoding.name, one or automatic_dim(n))))

    return tuple(map(embedding_of, of_steps)), tuple(map(embedding_of, of_static))


def tables_of(network, reading):
    """The name of each feature that is embedded, with that of its parameter, and what the rows of this stand for."""
    if reading.n_categories:
        named = reading.feature_names and not reading.from_table
        labels = np.array([*range(reading.n_categories - 1), "unseen"], dtype=object)
        return {reading.feature_names[0] if named else "x0": (table_of(), labels)}
    of_static = network.static.embeddings if network.static is not None else ()
    tables = [*map(table_of, network.embeddings), *map(static_table_of, of_static)]
    encodings = (*reading.step_encodings, *reading.static_encodings)
    return {encoding.name: (table, encoding.labels) for encoding, table in zip(encodings, tables, strict=True)}
