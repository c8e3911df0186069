"""An hour of states: the page has as many elements and as much memory as before."""

from __future__ import annotations

HOUR = 7_200
FEED = """async (count) => {
    const desk = await import('/static/desk.js');
    const first = await (await fetch('api/state')).json();
    const drawn = () => new Promise((done) => setTimeout(done));
    const start = window.hftCount || 0;
    for (let n = start; n < start + count; n += 1) {
        const state = structuredClone(first);
        state.time_ns += n * 5e8;
        for (const runner of state.runners) {
            const status = runner.status;
            status.time_ns += n * 5e8;
            status.open_orders = n % 12;
            status.counts.messages += n * 997;
            for (const one of status.positions) {
                one.quantity = ((n * 7) % 21) - 10;
                one.profit = Math.sin(n / 50) * 1000 + n;
                one.fills += n;
            }
            status.orders = Array.from({ length: n % 30 }, (_, k) => ({ strategy: 'M',
                symbol: 'AAA', venue: 'X', id: n * 3 + k, side: k % 2 ? 'buy' : 'sell',
                price: 100 + k, quantity: 10, filled: 0, state: 'OPEN',
                sent_ns: status.time_ns, ahead: n }));
            status.fills = Array.from({ length: 64 }, (_, k) => ({ time_ns: ((n >> 4) - k) * 5e8,
                strategy: 'M', symbol: 'AAA', venue: 'X', side: 'buy', price: 100 + k, quantity: 10,
                fee: 0.1, is_maker: true }));
            status.ladders = ['AAA', 'BBB'].map((symbol) => ({ symbol, venue: 'X', time_ns: n,
                bids: Array.from({ length: 10 }, (_, k) => ({ price: 100 - k, quantity: n + k,
                    orders: k, own: k === 2 ? 5 : 0, ahead: 7 })),
                asks: Array.from({ length: 10 }, (_, k) => ({ price: 101 + k, quantity: n + k,
                    orders: k, own: 0, ahead: null })) }));
        }
        state.alerts = Array.from({ length: n % 5 }, (_, k) => ({ id: `${n}-${k}`, rule: 'r',
            severity: 'warning', runner: 'maker', said: `alert ${n}`, since_ns: n, state: 'firing',
            by: '', why: '' }));
        desk.take(state);
        if (n % 50 === 0) await drawn();
    }
    window.hftCount = start + count;
}"""


def weight(page, session):
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    return used, page.evaluate("document.querySelectorAll('*').length")


def test_an_hour_of_states_does_not_make_the_page_heavier(stage, opened):
    page = opened()
    stage.enter(page, "cyd")
    page.keyboard.press("1")
    page.wait_for_selector("#panel-positions tbody tr")
    now = "() => { window.requestAnimationFrame = (draw) => draw(); }"
    page.evaluate(now)  # not sixty a second
    page.evaluate(FEED, HOUR // 6)  # the curve is full, code is compiled
    session = page.context.new_cdp_session(page)
    before, elements_before = weight(page, session)
    page.evaluate(FEED, HOUR)
    after, elements_after = weight(page, session)
    assert after - before < 1_000_000, f"{before:,} bytes before, {after:,} after"
    assert abs(elements_after - elements_before) < 900, (elements_before, elements_after)
