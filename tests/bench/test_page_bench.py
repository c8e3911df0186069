"""What a page costs is measured on the page that a runner has."""

from hftlib.bench.page import measured


def test_a_larger_page_costs_no_more_than_its_share_of_it():
    small, large = measured(2), measured(400)
    assert large["bytes"] > small["bytes"] > 300_000
    assert small["ns"] > 0 and small["cold_ns"] > 0 and large["instruments"] == 400
