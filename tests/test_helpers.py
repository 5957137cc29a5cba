"""What other tests rely on."""

from itertools import combinations, product

import pytest
from pairwise import one_at_a_time, pairwise


@pytest.mark.parametrize("sizes", [(7, 4, 4, 2), (2, 2), (3, 1, 5), (2, 2, 2, 2, 2)])
def test_any_two_values_meet_in_a_combination(sizes):
    chosen = pairwise(*map(range, sizes))
    for (i, n), (j, m) in combinations(enumerate(sizes), 2):
        assert {(choice[i], choice[j]) for choice in chosen} == set(product(range(n), range(m)))
    assert len(chosen) < 1.5 * max(n * m for n, m in combinations(sizes, 2)) + 2
    assert chosen == pairwise(*map(range, sizes))


def test_one_value_changes_at_a_time():
    assert one_at_a_time("ab", "xyz", [0]) == [("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("a", "z", 0)]
