"""Which steps take the place of others when sequences exchange values, also those of different lengths."""

import numpy as np

ALIGN = ("end", "start")


def exchanged_rows(order, lengths, align="end"):
    """For each step of sequences, one sequence after the other, the row of the step that takes its place.

    Sequence i gets the steps of sequence order[i], counted from the end or the start. Steps that this one does not have
    come from the next one in the cycle of the permutation that has them: order[order[i]], and so on. So at each step
    what the sequences that have it have there is permuted among them, and nothing is lost or made up. If `order` is
    any permutation with the same probability, then so is that of each step.

    Parameters
    ----------
    order : (n,) int array
        A permutation of the sequences.
    lengths : (n,) int array
    align : {"end", "start"}

    Returns
    -------
    rows : (total,) int array
    """
    starts = np.cumsum(lengths) - lengths
    rows = np.empty(lengths.sum(), np.intp)
    by_length = np.argsort(lengths, kind="stable")
    after, before = order.copy(), np.argsort(order)
    begins = np.unique(lengths[by_length], return_index=True)[1]
    done = 0
    for begin, end in zip(begins, [*begins[1:], len(lengths)], strict=True):
        rest, length = by_length[begin:], lengths[by_length[begin]]     # those that have the steps done .. length - 1
        first = starts + (done if align == "start" else lengths - length)
        within = np.arange(length - done)
        rows[first[rest, np.newaxis] + within] = first[after[rest], np.newaxis] + within
        for i in by_length[begin:end]:      # they have no further steps
            after[before[i]], before[after[i]] = after[i], before[i]
        done = length
    return rows


def step_numbers(lengths, align="end"):
    """The numbers of the steps of sequences, (total,), such that the last, or the first, one has the same in all."""
    numbers = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return numbers if align == "start" else numbers + np.repeat(lengths.max() - lengths, lengths)


def exchanged_times(times, rows, lengths):
    """Times of steps when the times since the step before are exchanged, so that they stay in order.

    Parameters
    ----------
    times : (total,) array
        Of one sequence after the other, increasing in each.
    rows : (total,) int array
        As `exchanged_rows` returns them.
    lengths : (n,) int array

    Returns
    -------
    times : (total,) float array
        Sequences begin when they began. Times before the first step that has got another distance are the same bits.
    """
    ends = np.cumsum(lengths)
    times = np.array(times, dtype=float)
    since = np.diff(times, prepend=0.0)
    since[ends - lengths] = 0.0
    change = since[rows] - since
    change[ends - lengths] = 0.0
    for start, end in zip(ends - lengths, ends, strict=True):
        moved = times[start:end] + np.cumsum(change[start:end])
        times[start:end] = np.maximum.accumulate(moved)     # which rounding may have put out of order
    return times
