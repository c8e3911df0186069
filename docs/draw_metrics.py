"""Draw `docs/metrics.md` from the names of the exporter and the files of rules: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path

from hftlib.ops.metrics.files import given_files
from hftlib.ops.metrics.names import METRICS, ROWS_MAX
from hftlib.ops.metrics.stages import bounds_ns
from hftlib.ops.runners import RUNNERS_MAX

TARGET = Path(__file__).with_name("metrics.md")
INTRODUCTION = f"""# Metrics

`hft metrics` says what runners are to Prometheus, from a process of its own. This page is generated
by `make docs` from `hftlib/ops/metrics`; `docs/alerts.md` is about telling people without it.

```sh
pip install 'hftlib[metrics]'
hft metrics                                              # all of yours, at 127.0.0.1:9464
hft metrics --runner maker=/run/user/1000/hftlib/runner-77.socket    # this; repeat for more
hft metrics --alerts alerts                              # and how many alerts there are
hft metrics files prometheus                             # rules, a dashboard, examples
cd prometheus && prometheus --config.file=prometheus.yml
prometheus-alertmanager --config.file=alertmanager.yml   # Debian's name of alertmanager
```

Each scrape reads the runners' pages (`docs/live.md`): memory that they keep anyway. Nothing is
asked of them, so a scrape costs a runner nothing, and one that hangs or was killed is seen as it
last was.
Only a runner without a page is asked by its control socket. Without `--runner` a runner is named
after its strategies, and is in the list from when it is first seen until its day ends tidily; after
a kill it stays, as `hftlib_up 0` and `hftlib_runner_left 1`.

Labels are bounded: at most {RUNNERS_MAX} runners, and {ROWS_MAX} rows of a family for each; what is
beyond is left out and counted in `hftlib_rows_left_out`. Each has the label `runner`. Units are the
last word of a name; `money` is the instrument's currency; what ends in `_total` only counts up, and
begins at 0 with a runner. Figures that a runner of an older version does not show are missing.
"""
_STAGES = """
`hftlib_stage_seconds` is the runner's own histogram: {count} bounds from {first} ns to
{last:.2f} s, two to an octave up to 16 ms, each one nanosecond below a round number, so that
counts are exact. `histogram_quantile` of them is right within half an octave; of the whole day
`hftlib_stage_percentile_seconds` is right within 1 %.
"""
_AFTER = """
## The dashboard

`hftlib_runners.json` (Grafana: Dashboards, Import) has runners and states, alerts that fire, P&L,
exposure, limits in use, positions, orders, refusals by reason, stages with a heat map of decisions,
feeds and links, page age, clock, journal and its disk. A test holds every query of it, and of the
rules, to names that there are.

## Tested

`tests/ops/metrics` runs `promtool check` and `promtool test` (each alert just before its edge and
at it), `amtool check-config`, and a paper session that Debian's Prometheus scrapes each second:
figures asked by its HTTP API are the runner's, and after `kill -9` the alert reaches a webhook by
way of Alertmanager.
"""


def drawn() -> str:
    """The page as it should be."""
    parts = [INTRODUCTION, "## Names\n", "| Name | Labels | What it says |", "|---|---|---|"]
    for metric in METRICS.values():
        labels = " ".join(metric.labels[1:])
        parts.append(f"| `{metric.name}` | {labels and f'`{labels}`'} | {metric.about} |")
    bounds = bounds_ns()
    parts.append(_STAGES.format(count=len(bounds), first=bounds[0], last=bounds[-1] / 1e9))
    parts += ["## Recorded\n", "| Name | What it is |", "|---|---|"]
    text = given_files()["hftlib_recording.yml"].decode()
    for name, expression in re.findall(r"- record: (\S+)\n +expr: (.*(?:\n {10}.*)*)", text):
        parts.append(f"| `{name}` | `{_one_line(expression)}` |")
    parts += ["\n## Alerts\n", "| Alert | Severity | When | For |", "|---|---|---|---|"]
    text = given_files()["hftlib_alerts.yml"].decode()
    for part in text.split("- alert: ")[1:]:
        name = part.split("\n", 1)[0]
        expression = re.search(r"expr: (.*(?:\n {10}.*)*)", part)
        severity = re.search(r"severity: (\w+)", part)
        lasts = re.search(r"\n +for: (\w+)", part)
        assert expression and severity, name
        when = _one_line(expression[1])
        parts.append(
            f"| `{name}` | {severity[1]} | `{when}` | {lasts[1] if lasts else 'at once'} |"
        )
    return "\n".join(parts) + "\n" + _AFTER


def _one_line(text: str) -> str:
    return " ".join(text.replace(">-", "").split()).strip("'").replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(drawn())
