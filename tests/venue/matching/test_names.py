"""Names and a dictionary: random names come, are looked for and go, in a table half full."""

from __future__ import annotations

from random import Random

import pytest
from matching_flow import ROOM, engine

from hftlib.core import jit
from hftlib.venue.matching.names import enter_name, find_name, leave_name

pytestmark = pytest.mark.modes


@jit.compiled("int64(int64, int64, int64, int64)")
def enters(base: int, session: int, urn: int, n: int) -> int:
    enter_name(base, session, urn, n)
    return n


@jit.compiled("int64(int64, int64, int64, int64)")
def leaves(base: int, session: int, urn: int, n: int) -> int:
    leave_name(base, session, urn, n)
    return n


@jit.compiled("int64(int64, int64, int64)")
def finds(base: int, session: int, urn: int) -> int:
    return find_name(base, session, urn)


# In rows, all over, and all at one place of the table.
URNS = (lambda pick: pick(1, 150), lambda pick: pick(1, 2**32 - 1), lambda pick: 256 * pick(1, 40))


@pytest.mark.parametrize("kind", range(3))
def test_names_are_a_dictionary(kind):
    random, made = Random(kind), engine()
    owns, table = made.arena["owns"], made.arena["names"]
    free, known = list(range(1, ROOM + 1)), {}
    for _ in range(6000 if jit.COMPILED else 1500):
        name = random.randint(0, 3), URNS[kind](random.randint)
        assert finds(made.address, *name) == known.get(name, 0)
        if name in known:
            free.append(leaves(made.address, *name, known.pop(name)))
        elif free:
            n = free.pop()
            owns[n]["session"], owns[n]["urn"] = name
            known[name] = enters(made.address, *name, n)
        elif random.random() < 0.2:
            for name in random.sample(sorted(known), 60):
                free.append(leaves(made.address, *name, known.pop(name)))
        assert (table != 0).sum() == len(known)
    for name, n in list(known.items()):
        assert finds(made.address, *name) == leaves(made.address, *name, n) == n
    assert not table.any()
