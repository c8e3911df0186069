"""Every figure that `hft metrics` may say: its name, kind, labels and meaning, in one table.

    METRICS["hftlib_open_orders"].about

Units are the last word of a name, before `_total` of what only counts up. `money` is the currency
of the instrument, which a label says. Each but the last has the label `runner` first. Prometheus
knows what is counted from the difference of two scrapes; a runner that begins anew begins at 0.

`docs/draw_metrics.py` draws docs/metrics.md from here, and a test holds what a scrape says to it.

Worst case: labels are bounded: ROWS_MAX rows of a family and runner, RUNNERS_MAX runners; what is
beyond is left out and counted in `hftlib_rows_left_out`.
"""

from __future__ import annotations

from dataclasses import dataclass

ROWS_MAX = 512
GAUGE, COUNTER, HISTOGRAM, INFO = "gauge", "counter", "histogram", "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of figures."""

    name: str
    kind: str
    labels: tuple[str, ...]
    about: str


# `row` stands for strategy, symbol and venue.
_COLUMNS = ((0, 29), (29, 51), (51, 100))
_TABLE = """
up                           -                     1: a runner is there and its hot thread runs
runner_info                  mode release journal  What it is; always 1
runner_left                  -                     1: its process is gone, its day did not end
page_age_seconds             -                     How long ago its hot thread last said so
frames_total                 -                     Frames that the hot thread took
timers_total                 -                     Timers of strategies that were due
alarms_total                 -                     Moments that risk and parents had asked for
directives_total             -                     What people and processes told it
datagrams_total              -                     Datagrams of all feeds
feed_messages_total          -                     Messages of all feeds that went to the books
feed_strangers_total         -                     Messages of a kind that is not known
feed_notices_total           -                     Changes of a feed's state
events_total                 -                     Events that the first strategy saw
commands_total               -                     Orders, replaces and cancels that left
reports_total                -                     What venues answered
rejected_total               -                     Orders that a venue rejected
refused_total                -                     Orders that risk refused
segments_total               -                     Pieces of TCP that came
journaled_frames_total       -                     Frames of the journal
journal_disk_free_bytes      -                     Of the file system of the journal, to use
journal_disk_size_bytes      -                     Of the same, in all
open_orders                  -                     Orders that stand or are on their way
working_orders               strategy venue side   The same by whose and where
refusals_total               strategy reason       Orders that risk refused, by reason
limit_value                  scope limit unit      A limit that is set
limit_used                   scope limit unit      What of it is in use
limit_used_ratio             scope limit unit      The same as a share: 1 is at the limit
position_quantity            row                   What is held
position_exposure_money      row currency          Its size at the middle of the book
position_profit_money        row currency          What came of it there, fees taken off
position_open_orders         row                   Orders that stand there
fills_total                  row                   Fills of the day
best_price_money             symbol venue side     The best bid and ask
trading_state                scope                 0 active, 1 reducing, 2 halted, 3 flattening
strategy_stopped             strategy              1: it was stopped, or stopped itself
feed_ready                   feed venue            1: it is LIVE
feed_next_number             feed venue            The number of the message that is next
link_ready                   link venue            1: orders may go by it
link_commands_total          link venue            What left by it
link_reports_total           link venue            What came by it
clock_offset_seconds         -                     UTC of the host minus the runner's time
clock_error_seconds          -                     By how much the kernel's clock is wrong at most
clock_error_estimate_seconds -                     By how much it is wrong, the kernel believes
clock_synchronised           -                     1: the kernel says that its clock is
clock_steps_total            -                     How often the host's clock was set
clock_largest_step_seconds   -                     The largest of these steps, with its sign
standby_ready                -                     1: orders wait for it, and it is there
standby_lag_frames           -                     Frames that the standby has not acknowledged
standby_lag_seconds          -                     How long the oldest of them waits
standby_acknowledged_frames  -                     The last frame that it has
stage_seconds                stage                 How long stages of the hot loop take
stage_percentile_seconds     stage percentile      Of the day: 50, 99, 99.9; 100 is the longest
stage_outside_total          stage                 Beyond a histogram: below 0 or above 73 min
watchdog_up                  -                     1: one looks at it; 0: one that did is gone
rows_left_out                -                     Rows beyond the bound of a family
alerts                       severity state        Alerts of `hft alerts`, with --alerts FOLDER
"""
_ROW = ("strategy", "symbol", "venue")


def _read(text: str) -> dict[str, Metric]:
    found = {}
    for line in text.strip().splitlines():
        name, labels, about = (line[a:b].strip() for a, b in _COLUMNS)
        words = [word for one in labels.split() for word in (_ROW if one == "row" else (one,))]
        given = ("runner", *(word for word in words if word != "-"))
        found[f"hftlib_{name}"] = Metric(f"hftlib_{name}", _kind(name), given, about)
    return found


def _kind(name: str) -> str:
    if name.endswith("_total"):
        return COUNTER
    return {"stage_seconds": HISTOGRAM, "runner_info": INFO}.get(name, GAUGE)


METRICS = _read(_TABLE)
