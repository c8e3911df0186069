"""The page beside a paper session, in Chromium: what it shows is what the arena says."""

from __future__ import annotations

import signal
import time
from decimal import ROUND_HALF_UP, Decimal

import pytest

SIZES = {"laptop": (1440, 900), "wall": (2560, 1440), "phone": (390, 844)}


def figure(value, low=2, high=2, sign=False):
    """As the page writes a figure."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-high), ROUND_HALF_UP)
    text = f"{rounded:,f}"
    if high > low:
        whole, _, rest = text.partition(".")
        rest = rest.rstrip("0").ljust(low, "0")
        text = f"{whole}.{rest}" if rest else whole
    if sign and value > 0:
        text = f"+{text}"
    return text.replace("-", "\N{MINUS SIGN}")


def rows(page, panel):
    return page.eval_on_selector_all(
        f"#panel-{panel} tbody tr",
        "all => all.filter(one => one.checkVisibility())"
        ".map(one => [...one.cells].map(cell => cell.textContent.trim()))",
    )


def settles(page, holds, wanted):
    """The page is as wanted within two of its states; what it was instead."""
    end = time.monotonic() + 10
    while (found := holds()) != wanted and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert found == wanted


@pytest.fixture
def desk(stage, opened):
    page = opened()
    stage.enter(page, "cyd")
    page.keyboard.press("1")
    page.wait_for_selector("#panel-positions tbody tr")
    return page


def test_each_figure_of_a_position_is_the_arenas(stage, desk):
    stage.still()
    try:
        status = stage.status()
        busy = [p for p in status["positions"] if p["quantity"] or p["open_orders"] or p["fills"]]
        assert busy
        wanted = []
        for one in busy:
            middle = (one["bid"] + one["ask"]) / 2
            row = [f"{one['symbol']}@{one['venue']}", one["strategy"]]
            row += [figure(one["quantity"], 0, 8, sign=True)]
            row += [figure(one["bid"], 2, 8), figure(one["ask"], 2, 8)]
            row += [figure(one["quantity"] * middle, 0, 0, sign=True)]
            row += [f"{figure(one['profit'], sign=True)} {one['currency']}"]
            wanted.append([*row, str(one["open_orders"]), f"{one['fills']:,}"])
        settles(desk, lambda: rows(desk, "positions"), wanted)
        total = figure(sum(one["profit"] for one in status["positions"]), sign=True)
        settles(desk, lambda: desk.text_content("#strip .hft-sum"), f"{total} USD")
        assert desk.text_content("#panel-positions .hft-total b") == f"{total} USD"
        count = status["open_orders"]
        said = desk.text_content("#strip .hft-now .hft-chip")
        assert said == (
            f"quoting, {count} order{'s' * (count != 1)}" if count else "no order works"
        )
    finally:
        stage.goes_on()


def test_counts_feeds_and_latencies_are_the_arenas(stage, desk):
    stage.still()
    try:
        status = stage.status()
        counts = "#panel-health .hft-counts dd:nth-of-type(1)"
        names = ("messages", "commands", "reports", "rejected", "refused")
        wanted = [f"{status['counts'][name]:,}" for name in names]
        settles(desk, lambda: desk.locator(counts).all_text_contents()[:5], wanted)
        lines = desk.locator("#panel-health .hft-line").all_text_contents()
        assert lines[0].startswith("Feed HFTXLIVE") and lines[1].startswith("Orders HFTXOPEN")
        stages = desk.locator("#panel-latency .hft-stage:not(.hft-stage-head)")
        assert stages.locator(".hft-stage-name").all_text_contents() == list(status["latencies_ns"])
        measured = [one.split()[-1] for one in stages.locator(".hft-dim").all_text_contents()]
        assert measured == [f"{one['count']:,}" for one in status["latencies_ns"].values()]
    finally:
        stage.goes_on()


def test_what_the_arena_says_of_books_orders_fills_and_limits_is_on_the_page(stage, desk):
    stage.still()
    try:
        status = stage.status()
        if "ladders" not in status:
            pytest.skip("this runner's page does not say its books yet")
        orders = [f"{one['side'].upper()} {one['id']}" for one in status["orders"]]
        settles(desk, lambda: [f"{r[0]} {r[-1]}" for r in rows(desk, "orders")], orders)
        ladder = status["ladders"][0]
        first = desk.locator(".hft-ladder").first

        def told(cell):
            return [one for one in first.locator(cell).all_text_contents() if one]

        prices = [figure(one["price"], 2, 8) for one in ladder["bids"]]
        settles(desk, lambda: told("td.hft-price.hft-bids"), prices)
        quantities = [f"{one['quantity']:,.0f}" for one in ladder["asks"]]
        settles(desk, lambda: told("td.hft-quantity.hft-asks"), quantities)
        own = [f"◆ {one['own']:,.0f}" for one in ladder["bids"] if one["own"]]
        settles(desk, lambda: told("td.hft-own.hft-bids"), own)
        assert len(rows(desk, "fills")) == len(status["fills"])
        scopes = desk.locator("#panel-limits .hft-limit-scope").all()
        named = [one.get_attribute("title") for one in scopes]
        assert sorted(named) == sorted(one["scope"] for one in status["limits"])
    finally:
        stage.goes_on()


def test_a_mode_is_a_word_and_a_colour_and_the_edge_of_the_page(stage, desk):
    assert desk.text_content("#strip .hft-mode-word") == "PAPER"
    paper = desk.evaluate("getComputedStyle(document.querySelector('#edge')).borderTopColor")
    assert "PAPER maker" in desk.title()
    assert desk.get_attribute("body", "data-mode") == "paper"
    desk.evaluate(
        """async () => {
            const desk = await import('/static/desk.js');
            const state = await (await fetch('api/state')).json();
            for (const one of state.runners) one.status.mode = 'live';
            desk.take(state);
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            window.live = [document.querySelector('#strip .hft-mode-word').textContent,
                getComputedStyle(document.querySelector('#edge')).borderLeftWidth,
                getComputedStyle(document.querySelector('#edge')).borderTopColor, document.title];
        }"""
    )
    word, width, colour, title = desk.evaluate("window.live")
    assert word == "LIVE" and width != "0px" and colour != paper and "LIVE maker" in title


def test_figures_that_are_old_are_grey_with_a_sentence(stage, desk, picture):
    assert desk.is_hidden("#stale")
    stage.runner.send_signal(signal.SIGSTOP)
    try:
        desk.wait_for_selector("#stale:has-text('The figures of maker are')")
        assert "grayscale" in desk.evaluate(
            "getComputedStyle(document.querySelector('#panels')).filter"
        )
        picture(desk, "laptop-light-old")
    finally:
        stage.runner.send_signal(signal.SIGCONT)
    desk.wait_for_selector("#stale", state="hidden")
    stage.desk.send_signal(signal.SIGSTOP)
    try:
        desk.wait_for_selector("#stale:has-text('Connection to the desk lost')")
    finally:
        stage.desk.send_signal(signal.SIGCONT)
    desk.wait_for_selector("#stale", state="hidden")


def test_keys_choose_runners_and_find_the_search(stage, desk):
    assert desk.locator("#rail .rail-name").all_text_contents() == ["All runners", "maker", "taker"]
    desk.keyboard.press("2")
    assert desk.text_content("#strip .hft-name") == "taker"
    desk.keyboard.press("Escape")
    assert desk.locator(".card .hft-name").all_text_contents() == ["maker", "taker"]
    desk.keyboard.press("1")
    desk.keyboard.press("/")
    assert desk.evaluate("document.activeElement.id") == "find"
    desk.keyboard.type("OPENED 12")  # digits are words here, and choose nobody
    assert desk.text_content("#strip .hft-name") == "maker"
    desk.fill("#find", "")
    desk.select_option(".search select", "OPENED")
    desk.click(".search button:has-text('Find')")
    desk.wait_for_selector("#panel-journal .hft-note:has-text('found')")
    assert [row[2] for row in rows(desk, "journal")] == ["OPENED"]
    desk.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_in_light_and_dark_of_every_size(stage, opened, picture, scheme):
    desk = opened(scheme=scheme)
    stage.enter(desk, "cyd")
    grounds = {}
    for name, (width, height) in SIZES.items():
        desk.set_viewport_size({"width": width, "height": height})
        desk.keyboard.press("1")
        desk.wait_for_timeout(600)
        picture(desk, f"{name}-{scheme}", full_page=name == "phone")
        wide = desk.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "nothing sticks out to the side"
        grounds[name] = desk.evaluate("getComputedStyle(document.body).backgroundColor")
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.keyboard.press("0")
    desk.wait_for_timeout(600)
    picture(desk, f"all-{scheme}")
    bright = [sum(map(int, one[4:-1].split(","))) for one in grounds.values()]
    assert all(one > 600 if scheme == "light" else one < 150 for one in bright)
    desk.click("#theme")
    desk.click("#theme" if scheme == "light" else "#user")
    now = desk.evaluate("getComputedStyle(document.body).backgroundColor")
    assert now != grounds["laptop"], "the toggle turns it round"
