"""`hft` as its users meet it: real processes, exit codes, clean JSON, sentences for mistakes."""

import json
import os
import subprocess
import sys

import pytest

import hftlib
from hftlib.bench.harness import (
    Bench,
    Measurement,
    as_json,
    beside,
    measure,
    require_all,
    table,
)
from hftlib.core.errors import StateError

HFT = [sys.executable, "-c", "from hftlib.cli import main; main()"]


def hft(*arguments, **options):
    return subprocess.run(
        [*HFT, *arguments], capture_output=True, text=True, timeout=900, check=False, **options
    )


def test_version():
    assert hft("--version").stdout == f"hftlib {hftlib.__version__}\n"


def test_help_lists_every_command():
    shown = hft("--help").stdout
    assert all(
        name in shown
        for name in (
            "doctor",
            "warm",
            "bench",
            "demo",
            "data",
            "backtest",
            "tca",
            "journal",
            "live",
            "replay",
            "fanout",
        )
    )


def test_doctor_gives_a_table_and_json_with_the_same_rows():
    rows = json.loads(hft("doctor", "--json").stdout)
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names)) > 10
    shown = hft("doctor").stdout
    assert all(name.split()[0] in shown for name in names)


def test_doctor_strict_fails_exactly_when_something_lacks():
    done = hft("doctor", "--json", "--strict")
    lacks = any(row["verdict"] == "LACKS" for row in json.loads(done.stdout))
    assert done.returncode == int(lacks)


def test_warm_twice_compiles_once():
    hft("warm")
    entries = json.loads(hft("warm", "--json").stdout)
    assert len(entries) >= 10
    assert all(entry["from_cache"] for entry in entries)


def test_bench_core_measures_what_it_promises_as_json():
    done = hft("bench", "core", "--probe", "--runs", "1", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)["measurements"]}
    wanted = (
        "ring push + pop",
        "ring hop",
        "histogram record",
        "arena snapshot",
        "function-pointer",
    )
    for start in wanted:
        (row,) = [row for name, row in rows.items() if name.startswith(start)]
        assert row["median"] > 0
        assert row["ratio"] > 0
    assert {"UDP loopback round trip, p50", "TCP loopback round trip, p50"} <= set(rows)


def test_a_measurement_is_the_median_against_its_probe():
    costs = iter([100.0, 3.0, 1.0, 2.0])
    probes = iter([100.0, 4.0, 4.0, 4.0])
    row = measure(Bench("x", lambda: next(costs), against="y", probe=lambda: next(probes)), runs=3)
    assert (row.median, row.best, row.against_median, row.ratio) == (2.0, 1.0, 4.0, 0.5)
    assert json.loads(json.dumps(as_json([row])))["measurements"][0]["runs"] == 3


def test_an_unknown_bench_is_a_sentence():
    done = hft("bench", "nonsense")
    assert done.returncode == 2
    assert "There is no bench 'nonsense'" in done.stderr
    assert "hft bench core" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_sentence():
    done = hft("frobnicate")
    assert done.returncode == 2
    assert "No such command" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cache_directory_others_can_write_is_a_sentence(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    done = hft("warm", env={**os.environ, "HFT_CACHE_DIR": str(tmp_path / "open")})
    assert done.returncode == 4
    assert "can be written by somebody else" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_fault():
    program = f"{sys.executable} -c 'from hftlib.cli import main; main()' doctor | true"
    done = subprocess.run(
        ["bash", "-c", program + "; exit ${PIPESTATUS[0]}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"], ["--version"]])
def test_a_full_disk_is_a_sentence_about_the_output(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*HFT, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 4
    assert "The output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of ours" not in done.stderr


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_name_in_a_bench_table_is_cut(width):
    from rich.console import Console

    rows = [
        Measurement("ring hop between two threads, p50", "ns", 1234.0, 1.0, 1, 150, "one word", 2),
        Measurement("function-pointer call", "ns", 1.0, 1.0, 1, None, "inlined", 1.0, 1.0),
    ]
    console = Console(width=width)
    with console.capture() as capture:
        console.print(table(rows, "title"), crop=False)
    shown = capture.get()
    assert "…" not in shown
    for word in ["function-pointer", "between", "threads,", "1,234", "inlined"]:
        assert word in shown


def test_a_figure_from_fewer_operations_than_asked_for_is_refused():
    require_all("items", 10, 10, beside(lambda: 10, core=1).result())
    with pytest.raises(StateError, match="Only 9 of 10 items"):
        require_all("items", 10, 10, 9)


def test_what_fails_beside_is_not_lost():
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 // 0, core=1).result()


@pytest.mark.parametrize(
    "arguments", [["demo"], ["demo", "ground"], ["bench", "core"], ["bench", "--probe"]]
)
def test_uncompiled_nothing_spins(arguments):
    done = hft(*arguments, env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
    assert done.returncode == 3
    assert "Unset NUMBA_DISABLE_JIT" in done.stderr
