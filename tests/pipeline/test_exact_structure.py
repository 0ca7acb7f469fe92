"""The exact structure against figures by hand, against permutations one by one, and by its laws."""

from itertools import permutations, product

import numpy as np
import pytest
from exact_structure import (
    MOST_LINKS,
    Structure,
    birnbaum,
    closed_links,
    coalition_value,
    delivers,
    expected_value,
    realised_value,
    shapley_exact,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def make(values, requirements, chance) -> Structure:
    return Structure(np.array(values, float), requirements, np.array(chance, float))


@st.composite
def structures(draw) -> Structure:
    links = draw(st.integers(1, 5))
    link = st.integers(0, links - 1)
    groups = st.lists(st.lists(link, min_size=1, max_size=3, unique=True), max_size=4)
    requirements = draw(st.lists(groups, min_size=1, max_size=4))
    values = [draw(st.floats(0, 100)) for _ in requirements]
    return make(values, requirements, [draw(st.floats(0, 1)) for _ in range(links)])


def value_of(structure: Structure, closed: set[int]) -> float:
    worth = zip(structure.values, structure.requirements, strict=True)
    return sum(v for v, groups in worth if all(closed & set(group) for group in groups))


def by_hand(structure: Structure, fixed: dict[int, bool]) -> float:
    """Mean value with some links held, state by state."""
    total = 0.0
    for state in product([False, True], repeat=structure.links):
        if any(state[link] != is_closed for link, is_closed in fixed.items()):
            continue
        chance = 1.0
        for link, closed in enumerate(state):
            if link not in fixed:
                chance *= structure.chance[link] if closed else 1 - structure.chance[link]
        total += chance * value_of(structure, {link for link, closed in enumerate(state) if closed})
    return total


def test_one_store_for_two_projects_by_hand():
    # A (10 t) needs links 0 and 2, B (30 t) needs 1 and 2; link 2 is their common store.
    both = make([10, 30], [[[0], [2]], [[1], [2]]], [0.5, 0.4, 0.2])
    assert expected_value(both) == pytest.approx(10 * 0.5 * 0.2 + 30 * 0.4 * 0.2)
    assert birnbaum(both) == pytest.approx([10 * 0.2, 30 * 0.2, 10 * 0.5 + 30 * 0.4])
    assert shapley_exact(both) == pytest.approx([0.5, 1.2, 1.7])  # halves of 1.0 and of 2.4


def test_two_alternatives_share_less_than_what_both_need():
    # One project needs link 0 and one of 1, 2; all sure: 0 is the last in 1/3 + ... = 2/3 of orders.
    one = make([6], [[[0], [1, 2]]], [1, 1, 1])
    assert shapley_exact(one) == pytest.approx([4, 1, 1])
    assert birnbaum(one) == pytest.approx([6, 0, 0])  # neither alternative is missed


def test_pure_and_is_shared_equally():
    assert shapley_exact(make([8], [[[0], [1], [2], [3]]], [1] * 4)) == pytest.approx([2] * 4)


def test_what_needs_nothing_belongs_to_nobody():
    free = make([5, 4], [[], [[0]]], [0.5])
    assert expected_value(free) == pytest.approx(7)
    assert shapley_exact(free) == pytest.approx([2])


@settings(max_examples=60, deadline=None)
@given(structures())
def test_mean_and_importance_equal_states_one_by_one(structure):
    assert expected_value(structure) == pytest.approx(by_hand(structure, {}), abs=1e-9)
    for link, importance in enumerate(birnbaum(structure)):
        gained = by_hand(structure, {link: True}) - by_hand(structure, {link: False})
        assert importance == pytest.approx(gained, abs=1e-9)
        # what is lost if it never closes is its chance times its importance
        never = expected_value(structure) - by_hand(structure, {link: False})
        assert never == pytest.approx(structure.chance[link] * importance, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(structures())
def test_shapley_equals_all_orders_one_by_one(structure):
    value = coalition_value(structure)
    found = np.zeros(structure.links)
    orders = list(permutations(range(structure.links)))
    for order in orders:
        have = 0
        for link in order:
            found[link] += value[have | 1 << link] - value[have]
            have |= 1 << link
    assert shapley_exact(structure) == pytest.approx(found / len(orders), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(structures())
def test_laws_of_shapley(structure):
    shares = shapley_exact(structure)
    free = value_of(structure, set())
    assert shares.sum() == pytest.approx(expected_value(structure) - free, abs=1e-9)
    assert shares.min() >= -1e-9
    needed = {link for groups in structure.requirements for group in groups for link in group}
    for link in range(structure.links):
        if link not in needed or structure.chance[link] == 0:
            assert shares[link] == pytest.approx(0, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(structures())
def test_links_that_change_places_change_shares(structure):
    turned = [
        [[structure.links - 1 - link for link in g] for g in groups] for groups in structure.requirements
    ]
    mirror = make(structure.values, turned, structure.chance[::-1])
    assert shapley_exact(mirror)[::-1] == pytest.approx(shapley_exact(structure), abs=1e-9)
    assert birnbaum(mirror)[::-1] == pytest.approx(birnbaum(structure), abs=1e-9)


def test_coalitions_and_states():
    one = make([10], [[[0], [1]]], [0.5, 0.4])
    assert realised_value(one).tolist() == [0, 0, 0, 10]
    assert coalition_value(one) == pytest.approx([0, 0, 0, 2])
    assert closed_links(2).tolist() == [[False, True, False, True], [False, False, True, True]]
    assert delivers(one).tolist() == [[False, False, False, True]]


def test_sixteen_links_at_once():
    chance = np.linspace(0.1, 0.9, MOST_LINKS)
    chain = make([100], [[[link] for link in range(MOST_LINKS)]], chance)
    assert shapley_exact(chain) == pytest.approx([100 * chance.prod() / MOST_LINKS] * MOST_LINKS)


@pytest.mark.parametrize(
    ("values", "requirements", "chance", "word"),
    [
        ([1], [[[0]]], [0.5] * 17, "at most 16"),
        ([1], [[[3]]], [0.5], "outside 0 to 0"),
        ([1, 2], [[[0]]], [0.5], "2 values, 1 projects"),
        ([1], [[[0]]], [1.5], "outside \\[0, 1\\]"),
    ],
)
def test_what_is_no_structure(values, requirements, chance, word):
    with pytest.raises(ValueError, match=word):
        make(values, requirements, chance)
