"""Quantile tables are what the distribution says, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import random
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from hftlib.venue.quantiles import STEPS, VALUES, lognormal, normal_quantile, of_values

FINE = STEPS * STEPS
SHARES = [Fraction(i, STEPS) for i in range(STEPS + 1)]
SHARES += [Fraction(STEPS - 1, STEPS) + Fraction(i, FINE) for i in range(STEPS + 1)]
MOST = (1 << 42) - 1


def test_the_quantiles_of_measured_values_lie_on_lines_between_them():
    chance = random.Random(7)
    values = sorted(chance.randrange(10**6) for _ in range(777))
    table = of_values(np.array(chance.sample(values, len(values))))
    assert len(table) == VALUES == len(SHARES)
    for share, found in zip(SHARES, table.tolist(), strict=True):
        place = share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        exact = values[below] + (values[above] - values[below]) * (place - below)
        assert abs(found - exact) <= Fraction(1, 2)


@pytest.mark.parametrize("count", [1, 2, 1025, FINE + 1])
def test_the_ends_are_the_least_and_the_largest_value(count):
    table = of_values(np.arange(count) + 5)
    assert (table[0], table[STEPS], table[STEPS + 1], table[-1]) == (
        5,
        count + 4,
        table[STEPS - 1],
        count + 4,
    )
    assert (np.diff(table[: STEPS + 1]) >= 0).all()
    assert (np.diff(table[STEPS + 1 :]) >= 0).all()


def test_a_lognormal_table_has_the_quantiles_of_the_distribution():
    normal = NormalDist()
    table = lognormal(200_000, 2_000_000, MOST)
    spread = np.log(10) / normal.inv_cdf(0.99)
    inside = [(share, n) for n, share in enumerate(SHARES) if 0 < share < 1]
    wanted = [200_000 * np.exp(spread * normal.inv_cdf(float(share))) for share, _ in inside]
    assert [int(table[n]) for _, n in inside] == pytest.approx(wanted, rel=1e-9, abs=0.6)
    assert table[STEPS // 2] == 200_000
    assert 0 < table[0] < table[1]
    assert table[STEPS] == table[-1] > table[-2]


def test_quantiles_of_the_normal_distribution_have_more_digits_than_a_float():
    for share, digits in (
        (Fraction(975, 1000), "1.9599639845400542355245944"),
        (Fraction(99, 100), "2.3263478740408411008856062"),
        (Fraction(1, 2), "0"),
    ):
        assert abs(normal_quantile(share) - Decimal(digits)) <= Decimal("2e-25")
        assert normal_quantile(1 - share) == -normal_quantile(share)


def test_a_median_that_is_the_99th_percentile_is_a_constant():
    assert set(lognormal(5_000, 5_000, MOST).tolist()) == {5_000}


def test_a_tail_beyond_the_largest_latency_ends_there():
    assert lognormal(10**9, MOST, MOST).max() == MOST


def test_the_bytes_of_a_table_are_those_of_any_machine():
    digest = hashlib.sha256(lognormal(200_000, 2_000_000, MOST).tobytes()).hexdigest()
    assert digest == "cee4115633759401252a851c9367174ed286186ed0e0cf12ec3a05742f1b14f3"
