"""How each figure of a result is computed, for the table of `docs/strategies.md`. H: a horizon."""

SAID = {
    "pnl_gross": "cash of all fills + position at the end x last known middle",
    "fees": "sum of the fills' fees; rebates are negative",
    "pnl_net": "`pnl_gross` - `fees`",
    "pnl_bp": "`pnl_net` / `turnover` x 10,000",
    "sharpe": "mean / standard deviation (n - 1) of changes of net equity over a regular grid in"
    " trading time, x root of the steps in a year (252 days of 6.5 h; 365 of 24 h where all of it"
    " trades always)",
    "sharpe_error": "root of (1 - skew S + (kurtosis - 1) / 4 S^2) / n, for S of one step, likewise"
    " scaled (Lo 2002, Mertens 2002)",
    "sharpe_step_ns": "the largest step of a ladder from 1 ms to 1 h that leaves a hundred changes,"
    " none finer than the samples; `result.statistics(step=...)` takes another",
    "sharpe_changes": "n of the two above",
    "sharpe_autocorrelation": "of the changes, one after the other; far from 0, the error is wrong",
    "drawdown": "largest fall of net equity below an earlier top",
    "drawdown_ns": "from the top before it to when that was reached again, or the end",
    "drawdown_longest_ns": "longest time from a top to the next moment at one",
    "turnover": "sum of price x quantity of all fills",
    "orders": "orders that left us",
    "orders_refused": "of these, refused by the venue without a fill",
    "fills": "how many",
    "quantity_filled": "sum; of one instrument",
    "fill_mean": "mean quantity of a fill; of one instrument",
    "fill_rate": "quantity filled / quantity asked for; of several instruments the mean of the"
    " orders' own rates",
    "orders_filled": "orders with a fill / orders",
    "order_to_trade": "(orders + replaces + cancels) / fills",
    "maker_share": "turnover of fills that stood / turnover",
    "adverse_H": "mean of side x (middle just before the fill - middle H after it), weighted by"
    " quantity; side is 1 for a buy, -1 for a sell; a cost is positive",
    "slippage": "of takers: mean of side x (price - middle as we saw it when the order was sent)",
    "effective_spread": "of makers: twice the mean of side x (middle at the fill - price)",
    "realised_spread_H": "of makers: twice the mean of side x (middle H after the fill - price);"
    " the effective spread less twice the adverse move",
    "queue_time_median_ns": "of fills that stood: from the place in the queue to the fill",
    "queue_time_p90_ns": "likewise, 90th percentile",
    "entry_latency_median_ns": "from sending to the venue's acceptance",
    "latency_median_ns": "from sending to hearing of the acceptance",
    "latency_p90_ns": "likewise",
    "latency_p99_ns": "likewise",
    "latency_max_ns": "likewise",
    "position": "at the end; of one instrument",
    "position_max": "largest, long or short; of one instrument",
    "position_mean": "mean of its size, weighted by time",
    "time_flat": "share of the time with no position",
    "time_long": "share of the time long",
    "time_short": "share of the time short",
    "half_life_ns": "of the position, from how much of it is left one step of a grid later",
    "exposure_max": "largest sum over instruments of what is held, long and short added",
    "exposure_mean": "its mean, weighted by time",
    "volume_share": "quantity filled / volume the market printed",
    "volume_share_peak": "the same in the minute in which it was largest",
}
