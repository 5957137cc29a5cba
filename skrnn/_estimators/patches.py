"""Patches: how many steps of a sequence the network reads at a time."""

import numpy as np

# What patch_size="auto" means for typical sequences of at least so many steps; shorter ones are read step by step
AUTOMATIC_SIZES = ((100, 16),)


def automatic_size(lengths):
    """The size of patches for sequences of these lengths, or None where they are read step by step."""
    typical = np.median(lengths)
    return next((size for n_steps, size in AUTOMATIC_SIZES if typical >= n_steps), None)


def check_patches(patch_size, patch_stride, return_sequences, missing):
    """Raise a ValueError for a size and a stride that do not go together, or not with other parameters."""
    if is_number(patch_stride) and not is_number(patch_size):
        raise ValueError(
            f"patch_stride={patch_stride} is for patches of a given size, but patch_size={patch_size!r}: set both, or "
            "leave patch_stride out"
        )
    if not is_number(patch_size):
        return
    if is_number(patch_stride) and patch_stride > patch_size:
        raise ValueError(
            f"patch_stride={patch_stride} is more than patch_size={patch_size}, and steps between patches would not be "
            "read: expected at most patch_size"
        )
    if return_sequences:
        raise ValueError(
            f"patch_size={patch_size} does not go with return_sequences=True: a patch of several steps has one output; "
            "leave it out"
        )
    if missing == "decay":
        raise ValueError(
            f"patch_size={patch_size} does not go with missing='decay', whose states decay from step to step: leave it "
            "out, or take missing='indicator'"
        )


def check_no_patches(patch_size):
    """Raise a ValueError for a size, where each step is a category."""
    if is_number(patch_size):
        raise ValueError(
            f"patch_size={patch_size} is for numbers, but with embedding_dim X holds categories: leave it out"
        )


def patch_for(patch_size, patch_stride, lengths):
    """Size and stride of patches as the network takes them, None for single steps.

    Parameters
    ----------
    patch_size : int, "auto" or None
    patch_stride : int, "auto" or None
    lengths : (n,) int array
        Of the sequences to train on, for "auto".
    """
    size = automatic_size(lengths) if patch_size == "auto" else patch_size
    if size is None or size == 1:
        return None
    return int(size), int(patch_stride) if is_number(patch_stride) else int(size) // 2


def is_number(parameter):
    """Whether a size or stride is given, rather than left to a rule."""
    return parameter is not None and parameter != "auto"
