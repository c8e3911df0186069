"""Widgets in a real JupyterLab, looked at by a real browser."""

from __future__ import annotations

import re

import pytest
from jupyter_desk import CHROMIUM, Lab, needs_browser

import hftlib as hft
from hftlib.ops.page_reading import PageReader, page_path
from hftlib.research.clocks import clock_text

SERVERS = """
from hftlib.lab import server
c.ServerProxy.servers = {"hft-desk": server.desk(), "mlflow": server.tracking()}
"""
REPLAY = """import hftlib as hft
tape = hft.open_tape("day.tape")
result = hft.backtest(hft.library.QueueImbalance, tape)
replay = hft.book_replay(tape, "AAA", result=result)
replay"""
THREADS = (
    "import threading\nprint('left:', [t.name for t in threading.enumerate() if 'hft ' in t.name])"
)
SLOW_MS = 90_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    needs_browser()
    folder = tmp_path_factory.mktemp("jupyter")
    hft.to_tape(hft.synthetic(symbols=1, seconds=60, seed=7), folder / "day.tape")
    with Lab(folder, SERVERS) as made:
        yield made


@pytest.fixture(scope="module")
def browser():
    needs_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def opened(lab, browser):
    """A notebook of these cells, its kernel ready."""
    pages = []

    def of(name, *cells):
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        page.set_default_timeout(SLOW_MS)
        pages.append(page)
        page.goto(lab.notebook(name, *cells))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".jp-CodeCell .cm-content").first.click()
        return page

    yield of
    for page in pages:
        page.close()


def cells_of(page, side):
    """The prices and quantities of a side of the ladder, as they are shown at one moment."""
    rows = page.evaluate(
        "side => [...document.querySelectorAll('.hft-ladder tbody tr')].map((row) =>"
        " ['price', 'quantity'].map((n) => row.querySelector(`.hft-${n}.hft-${side}`).innerText))",
        side,
    )
    return [tuple(map(as_number, row)) for row in rows if row[0].strip()]


def as_number(text):
    return float(re.sub(r"[^0-9.]", "", text))


def test_the_slider_moves_the_book(opened, lab):
    page = opened("replay.ipynb", REPLAY)
    page.keyboard.press("Shift+Enter")
    slider = page.locator(".hft-replay input[type=range]")
    slider.wait_for()
    tape = hft.open_tape(lab.folder / "day.tape")
    for share in (0.9, 0.5):
        moment = tape.begin + int(share * (tape.end - tape.begin))
        slider.evaluate(
            f"e => {{ e.value = {moment - tape.begin}; e.dispatchEvent(new Event('input')); }}"
        )
        book = tape.book_at(moment, "AAA")
        clock = clock_text(moment, tape.zone)
        page.locator(".hft-replay output", has_text=clock[11:26]).wait_for()
        for side, levels in (("bids", book.bids(3)), ("asks", book.asks(3))):
            shown = dict(cells_of(page, side))
            for level in levels:
                assert shown[level.price] == level.quantity, (side, shown)
    before = page.locator(".hft-replay output").inner_text()
    page.locator(".hft-replay button").click()
    page.wait_for_function(
        "was => document.querySelector('.hft-replay output').textContent !== was", arg=before
    )
    page.screenshot(path=lab.folder / "replay.png")


def test_a_live_ladder_is_what_the_runner_says_and_ends_with_its_notebook(opened, lab, paper):
    socket = repr(str(paper.socket))
    both = f"import hftlib as hft\nhft.watch({socket})", f"hft.ladder('AAA', {socket})"
    page = opened("watch.ipynb", *both, THREADS)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    page.locator(".hft-runner .hft-mode-word", has_text="PAPER").wait_for()
    page.locator(".hft-positions", has_text="AAA").wait_for()
    page.locator(".hft-ladder tbody tr").first.wait_for()
    with PageReader(page_path(paper.socket)) as reader:
        stages = reader.status()["latencies_ns"]
        told = page.locator(".hft-latency").inner_text()
        assert stages and all(stage in told for stage in stages)
        # The market goes on: what is shown is what the page said, now or a moment ago.
        said = []
        for _ in range(400):
            (ladder,) = reader.status()["ladders"]
            said.append(top_of(ladder, "bids"))
            if (shown := cells_of(page, "bids")[:1]) in said and shown:
                break
            page.wait_for_timeout(25)
        assert shown in said and shown
    page.screenshot(path=lab.folder / "watch.png")
    # An output that is cleared is a view that closes.
    page.get_by_text("Edit", exact=True).first.click()
    page.get_by_text("Clear Outputs of All Cells").click()
    page.locator(".hft-lab").first.wait_for(state="detached")
    page.locator(".jp-CodeCell .cm-content").nth(2).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("left: []", exact=True).wait_for()


def top_of(ladder, side):
    return [(one["price"], one["quantity"]) for one in ladder[side][:1]]


def test_the_launcher_leads_to_desk_and_mlflow(lab, browser):
    page = browser.new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(lab.url("lab/workspaces/empty"))
    for title in ("hft desk", "MLflow"):
        page.locator(".jp-LauncherCard", has_text=title).first.wait_for()
    page.screenshot(path=lab.folder / "launcher.png")
    with page.context.expect_page() as told:
        page.locator(".jp-LauncherCard", has_text="hft desk").first.click()
    desk = told.value
    desk.wait_for_url("**/hft-desk/")
    desk.locator("#clock", has_text=":").wait_for()  # as its stream says it, behind Jupyter
    desk.close()
    page.close()
