"""The bench of sweeps runs all of its trials, and says what it used."""

from hftlib.bench import sweep


def test_the_bench_measures_a_small_sweep():
    shares = []
    reading = sweep.read(lambda share, _what: shares.append(share), trials=24, seconds=30)
    assert reading.trials == 24 and shares[-1] == 1.0
    assert reading.cores_used > 0 and 0 < reading.cores_wanted <= reading.workers
    assert reading.memory_mb > 0 and reading.memory_growth_mb >= 0
    assert reading.as_json()["host"]["cores"] == reading.workers
    assert "cores wanted" in _text(sweep.table(reading))


def _text(renderable):
    from rich.console import Console

    console = Console(record=True, width=100)
    console.print(renderable)
    return console.export_text()
