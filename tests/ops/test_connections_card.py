"""Through which card a feed is joined: that which the exchange named, if it is one of ours."""

from __future__ import annotations

import socket

import pytest

from hftlib.ops.connections import card


@pytest.mark.parametrize("said", ["", "127.0.0.1", "127.0.0.9"])
def test_a_card_of_ours_is_taken_as_it_was_said(said):
    assert card(said, ("127.0.0.1", 9)) == said


def test_a_card_of_another_host_is_replaced_by_the_one_that_leads_there():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own, pytest.raises(OSError):
        own.bind(("192.0.2.7", 0))  # an address that nobody has
    assert card("192.0.2.7", ("127.0.0.1", 9)) == "127.0.0.1"


def test_what_is_no_address_is_left_to_be_refused_where_it_is_joined():
    assert card("nonsense.invalid", ("127.0.0.1", 9)) == "nonsense.invalid"
    assert card("192.0.2.7", ("nonsense.invalid", 9)) == "192.0.2.7"
