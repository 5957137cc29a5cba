"""Embeddings of categorical features: how wide they are, and what they have learned, by name."""

from collections.abc import Mapping

from skrnn._data.numbers import is_positive_int
from skrnn._messages import shown
from skrnn._network.embeddings import Embedding, table_of
from skrnn._network.static import parameter_of

AUTO = "auto"


def automatic_dim(n_categories):
    """The width of an embedding of so many categories: 2 for up to four, and one more for every doubling."""
    raise NotImplementedError


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


def check_categories_are_features(embedding_dim, n_categories, has_categories):
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
    return tuple(
        tuple(
            Embedding(encoding.name, encoding.n_codes, int(dims.get(encoding.name) or one or automatic_dim(encoding.n_codes)))
            for encoding in encodings
        ) for encodings in (of_steps, of_static)
    )
