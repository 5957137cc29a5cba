"""The columns of a OneHotEncoder."""

import numpy as np


def check_one_hot(encoder):
    """Raise a ValueError unless a OneHotEncoder has columns for its categories: it does not check this itself."""
    if not hasattr(encoder, "categories_"):
        return
    found, expected = list(encoder._n_features_outs), list(encoder._compute_n_features_outs())
    if found != expected:
        raise ValueError(f"categories have {found} columns, expected {expected}")
    drop = encoder._drop_idx_after_grouping
    for i, categories in enumerate(encoder.categories_):
        dropped = None if drop is None else drop[i]
        n_grouped = found[i] + (dropped is not None)
        mapping = encoder._default_to_infrequent_mappings[i] if encoder._infrequent_enabled else None
        mapping = np.arange(len(categories)) if mapping is None else mapping
        outside = (np.asarray(mapping) < 0) | (np.asarray(mapping) >= n_grouped)
        if np.shape(mapping) != (len(categories),) or outside.any() or dropped not in (None, *range(n_grouped)):
            raise ValueError(f"the {len(categories)} categories of feature {i} have no columns among {n_grouped}")
