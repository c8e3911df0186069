"""The pieces by themselves: mounted in an empty element, with data of each kind, and taken away."""

from __future__ import annotations

import pytest

from hftlib.ops.desk.assets import PIECES

MOUNT = """async ([name, data, options]) => {
    const { mount } = await import(`/static/pieces/${name}.js`);
    const root = document.querySelector('main').appendChild(document.createElement('div'));
    const piece = mount(root, options || {});
    for (const one of data) piece.show(one);
    const shown = root.innerText;
    window.piece = { root, piece };
    return shown;
}"""
ODD = '<img src=x onerror="document.title = 1">'
DAY = 1_795_406_692_477_564_928


@pytest.fixture
def bare(stage, opened):
    """A page of the desk's own, behind its own policy of content, with nothing on it."""
    page = opened()
    page.goto(f"{stage.view}/static/icon.svg".replace("//static", "/static"))
    page.goto(stage.view)
    page.wait_for_selector("#enter form, #user:has-text('·')")
    page.evaluate("document.querySelectorAll('dialog').forEach((one) => one.close())")
    return page


@pytest.mark.parametrize("name", PIECES)
def test_a_piece_takes_nothing_and_odd_words_and_goes_without_a_trace(bare, name):
    nothing = [None, {}, {"status": None}] if name != "ladder" else [None, {}]
    bare.evaluate(MOUNT, [name, nothing, {}])
    words = {"venue": ODD, "symbol": ODD, "name": ODD, "title": ODD, "state": ODD, "scope": ODD}
    words |= {"id": ODD, "said": ODD, "reason": ODD, "side": "buy", "severity": ODD, "rule": ODD}
    one = words | {"kind": ODD, "text": ODD, "quantity": 1, "price": 1, "count": 1, "limit": 1}
    one |= {"used": 1, "share": 1, "profit": 1, "multiplier": 1, "time_ns": DAY, "since_ns": DAY}
    lists = ("ladders", "positions", "orders", "fills", "refusals", "limits", "scopes", "feeds")
    told = {part: [one] for part in (*lists, "links", "strategies")} | {"time_ns": DAY}
    given = {"journey": {"title": ODD, "steps": [one]}, "ladder": one, "alerts": [one]}
    given |= {"rollout": [one], "latency": {ODD: {"count": 1, "p50": 1, "p99": 1, "max": 1}}}
    shown = bare.evaluate(MOUNT, [name, [given.get(name, told)], {}])
    assert ODD in shown or name in ("runner", "health")
    assert bare.evaluate("document.querySelectorAll('main img').length") == 0
    assert bare.title() != "1"
    left = bare.evaluate("(window.piece.piece.remove(), window.piece.root.childNodes.length)")
    assert left == 0


def test_a_ladder_shows_depth_and_our_place_in_the_queue(bare):
    bids = [{"price": 99.5, "quantity": 400, "orders": 3, "own": 0, "ahead": None}]
    bids += [{"price": 99.0, "quantity": 1200, "orders": 7, "own": 200, "ahead": 850}]
    asks = [{"price": 100.125, "quantity": 600, "orders": 2, "own": 0, "ahead": None}]
    ladder = {"venue": "XNAS", "symbol": "AAA", "time_ns": 1, "bids": bids, "asks": asks}
    shown = bare.evaluate(MOUNT, ["ladder", [ladder], {}])
    assert "AAA@XNAS" in shown and "spread 0.625" in shown
    row = bare.evaluate(
        "[...window.piece.root.querySelectorAll('tbody tr')[1].cells].map((one) => one.textContent)"
    )
    assert row == ["◆ 200", "850", "7", "1,200", "99.000", "", "", "", "", ""]
    bars = bare.evaluate(
        "[...window.piece.root.querySelectorAll('.hft-bids .hft-depth')].slice(0, 2)"
        ".map((one) => one.style.getPropertyValue('--hft-share'))"
    )
    assert [float(one) for one in bars] == [pytest.approx(1 / 3), 1.0]


def test_limits_stand_by_their_share_with_a_word_beside_the_colour(bare):
    limits = [("firm", "messages", "count", 1000, 200), ("firm", "open_orders", "count", 10, 9)]
    limits += [("instrument:AAA", "position_lots", "lots", 500, 500)]
    told = [
        {"scope": s, "name": n, "unit": u, "limit": most, "used": used, "share": used / most}
        for s, n, u, most, used in limits
    ]
    bare.evaluate(MOUNT, ["limits", [{"limits": told}], {}])
    shares = bare.evaluate(
        "[...window.piece.root.querySelectorAll('.hft-limit-share')].map((one) => one.textContent)"
    )
    assert shares == ["100 % full", "90 % near", "20 %"]


def test_an_orders_life_says_what_lies_between_to_the_nanosecond(bare):
    steps = [
        {"time_ns": str(DAY + after), "kind": kind, "text": "order 17"}
        for after, kind in ((0, "decided"), (850, "journaled"), (12_850, "sent"))
    ]
    shown = bare.evaluate(MOUNT, ["journey", [{"title": "order 17", "steps": steps}], {}])
    assert "+850 ns" in shown and "+12.0 µs" in shown


def test_an_alert_is_acknowledged_by_a_button_until_somebody_has_it(bare):
    alert = {"id": "1", "rule": "r", "severity": "critical", "runner": "maker", "said": "gone"}
    alert |= {"since_ns": DAY, "state": "firing", "by": "", "why": ""}
    told = bare.evaluate(
        """async (alert) => {
            const { mount } = await import('/static/pieces/alerts.js');
            const root = document.querySelector('main').appendChild(document.createElement('div'));
            const taken = [];
            const piece = mount(root, { onAcknowledge: (one) => taken.push(one.id) });
            piece.show([alert]);
            root.querySelector('button').click();
            piece.show([{ ...alert, state: 'acknowledged', by: 'ann', why: 'on it' }]);
            return [taken, root.querySelector('button').hidden, root.innerText];
        }""",
        alert,
    )
    assert told[0] == ["1"] and told[1] and "acknowledged by ann: on it" in told[2]
