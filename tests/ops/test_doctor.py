"""`hft doctor` on small hosts made of real files: all well, all lacking, empty, nonsense."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hftlib.ops import host_checks as checks
from hftlib.ops.doctor import Calls, Finding, Verdict, as_json, diagnose, read_calls, table
from hftlib.ops.host_checks import CannotTell, Judgement

CPU = "sys/devices/system/cpu"
CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
THP = "sys/kernel/mm/transparent_hugepage/enabled"
SWAP_HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
ALL_CAPABILITIES = "CapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n"
NO_CAPABILITIES = "CapInh:\t0000000000000000\nCapEff:\t0000000000000000\n"

GOOD_FILES = {
    f"{CPU}/online": "0-3\n",
    f"{CPU}/isolated": "2-3\n",
    f"{CPU}/nohz_full": "2-3\n",
    f"{CPU}/cpu2/topology/thread_siblings_list": "2\n",
    f"{CPU}/cpu3/topology/thread_siblings_list": "3\n",
    f"{CPU}/cpu2/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/cpu3/cpufreq/scaling_governor": "performance\n",
    f"{CPU}/cpu2/cpuidle/state0/name": "C1\n",
    f"{CPU}/cpu2/cpuidle/state0/latency": "2\n",
    f"{CPU}/cpu2/cpuidle/state0/disable": "0\n",
    f"{CPU}/cpu2/cpuidle/state1/name": "C6\n",
    f"{CPU}/cpu2/cpuidle/state1/latency": "290\n",
    f"{CPU}/cpu2/cpuidle/state1/disable": "1\n",
    CLOCK: "tsc\n",
    THP: "always [madvise] never\n",
    "proc/self/status": NO_CAPABILITIES,
    "proc/self/uid_map": "         0          0 4294967295\n",
    "proc/sys/kernel/sched_rt_runtime_us": "-1\n",
    "proc/sys/vm/nr_hugepages": "512\n",
    "proc/sys/vm/swappiness": "60\n",
    "proc/swaps": SWAP_HEADER,
    "proc/sys/net/core/rmem_max": "67108864\n",
    "proc/sys/net/core/wmem_max": "67108864\n",
    "proc/sys/net/core/busy_poll": "50\n",
    "proc/sys/net/core/busy_read": "50\n",
    "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc\n",
    "proc/stat": "cpu  7496 0 3120 333919 919 0 84 0 0 0\ncpu0 1 0 1 1 1 0 1 0 0 0\n",
}
GOOD_CALLS = Calls("x86_64", frozenset({0, 1}), checks.UNLIMITED, 99, (0, 200), 4096 * checks.MIB)

BAD_FILES = GOOD_FILES | {
    f"{CPU}/online": "0-1\n",
    f"{CPU}/isolated": "\n",
    f"{CPU}/nohz_full": "(null)\n",
    f"{CPU}/cpu0/topology/thread_siblings_list": "0-1\n",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n",
    f"{CPU}/cpu0/cpuidle/state0/name": "C6\n",
    f"{CPU}/cpu0/cpuidle/state0/latency": "290\n",
    f"{CPU}/cpu0/cpuidle/state0/disable": "0\n",
    CLOCK: "hpet\n",
    THP: "[always] madvise never\n",
    "proc/sys/kernel/sched_rt_runtime_us": "950000\n",
    "proc/sys/vm/nr_hugepages": "0\n",
    "proc/swaps": SWAP_HEADER + "/dev/sda2 partition 8388604 0 -2\n",
    "proc/sys/net/core/rmem_max": "212992\n",
    "proc/sys/net/core/wmem_max": "212992\n",
    "proc/sys/net/core/busy_poll": "0\n",
    "proc/sys/net/core/busy_read": "0\n",
    "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu tsc hypervisor\n",
    "proc/stat": "cpu  7496 0 3120 333919 919 0 84 83000 0 0\n",
}
BAD_CALLS = Calls("aarch64", frozenset({0}), 65_536, 0, (0x40, 16_000_000), 0)
NEEDS_NO_FILE = {"processor", "clock synchronisation", "shared memory"}


def lay_out(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    named = {finding.name: finding for finding in findings}
    assert len(named) == len(findings), "two rows have one name"
    return named


def test_a_good_host_is_ok_in_every_row(tmp_path: Path) -> None:
    findings = diagnose(lay_out(tmp_path, GOOD_FILES), GOOD_CALLS)
    assert [f for f in findings if f.verdict is not Verdict.OK or f.do] == []


def test_a_poor_host_is_told_what_to_do_in_every_row(tmp_path: Path) -> None:
    findings = diagnose(lay_out(tmp_path, BAD_FILES), BAD_CALLS)
    assert {f.verdict for f in findings} == {Verdict.WARN, Verdict.LACKS}
    assert [f.name for f in findings if "  # " not in f.do or not f.wanted] == []


def test_an_empty_tree_says_unknown_and_why_for_every_file(tmp_path: Path) -> None:
    findings = diagnose(tmp_path, GOOD_CALLS)
    unknown = [f for f in findings if f.verdict is Verdict.UNKNOWN]
    assert {f.name for f in findings} - {f.name for f in unknown} == NEEDS_NO_FILE
    assert all(f.found.endswith("is missing") and f.do for f in unknown)


def test_refused_calls_are_unknown(tmp_path: Path) -> None:
    calls = replace(GOOD_CALLS, clock_status_and_error_us=None, shared_memory_free_bytes=None)
    found = by_name(diagnose(lay_out(tmp_path, GOOD_FILES), calls))
    unknown = {name for name, finding in found.items() if finding.verdict is Verdict.UNKNOWN}
    assert unknown == {"clock synchronisation", "shared memory"}
    assert read_calls(tmp_path).shared_memory_free_bytes is None


# Another user map is a namespace, an idle state may have any name, and one that is off is not read.
NONSENSE_PATHS = [
    path for path in GOOD_FILES if not path.endswith(("uid_map", "/name", "state1/latency"))
]


@pytest.mark.parametrize("path", NONSENSE_PATHS)
def test_one_nonsense_file_makes_only_its_rows_unknown(tmp_path: Path, path: str) -> None:
    findings = diagnose(lay_out(tmp_path, GOOD_FILES | {path: "\0no [sense]"}), GOOD_CALLS)
    changed = [f for f in findings if f.verdict is not Verdict.OK]
    assert changed
    assert {f.verdict for f in changed} == {Verdict.UNKNOWN}


def test_a_folder_where_a_file_should_be_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "proc/swaps").mkdir(parents=True)
    swap = by_name(diagnose(tmp_path, GOOD_CALLS))["swap"]
    assert (swap.verdict, swap.found) == (
        Verdict.UNKNOWN,
        "/proc/swaps cannot be read: Is a directory",
    )


CONTENTS = st.one_of(
    st.binary(max_size=80),
    st.text("0123456789-,: \n", max_size=80).map(str.encode),
    st.sampled_from([text.encode() for text in (GOOD_FILES | BAD_FILES).values()]),
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
ANY_CALLS = st.builds(
    Calls,
    machine=st.text(max_size=20),
    cores_allowed=st.frozensets(st.integers(0, 8_191), max_size=4),
    memlock_bytes=NUMBERS,
    realtime_priority=NUMBERS,
    clock_status_and_error_us=st.none() | st.tuples(NUMBERS, NUMBERS),
    shared_memory_free_bytes=st.none() | NUMBERS,
)


@settings(max_examples=200, deadline=None)
@given(
    contents=st.fixed_dictionaries(dict.fromkeys(GOOD_FILES | BAD_FILES, CONTENTS)),
    calls=ANY_CALLS,
)
def test_no_content_of_any_file_raises(contents: dict[str, bytes], calls: Calls) -> None:
    with tempfile.TemporaryDirectory() as folder:
        findings = diagnose(lay_out(Path(folder), contents), calls)
    by_name(findings)
    for finding in findings:
        assert finding.found.isprintable() and finding.found
        assert bool(finding.do) is (finding.verdict is not Verdict.OK)
    assert json.loads(json.dumps(as_json(findings))) == as_json(findings)


def low_cores(count: int) -> frozenset[int]:
    return frozenset(range(count))


def steal_of(ppm: int) -> Judgement:
    return checks.steal_time(f"cpu  {1_000_000 - ppm} 0 0 0 0 0 0 {ppm} 0 0")


def swap_at(swappiness: int) -> Judgement:
    return checks.swap(SWAP_HEADER + "/dev/sda2 partition 1 0 -2", swappiness)


@pytest.mark.parametrize(
    ("check", "limit", "below_at_above"),
    [
        (lambda n: checks.cores(low_cores(8), low_cores(n), low_cores(0)), 4, "WARN OK OK"),
        (lambda n: checks.cores(low_cores(8), low_cores(n), low_cores(0)), 2, "LACKS WARN WARN"),
        (lambda n: checks.isolated_cores(low_cores(n)), 2, "WARN OK OK"),
        (lambda n: checks.isolated_cores(low_cores(n)), 1, "LACKS WARN OK"),
        (lambda us: checks.idle_states({"C1": us}), 10, "OK OK WARN"),
        (lambda us: checks.idle_states({"POLL": 0, "C6": us}), 50, "WARN WARN LACKS"),
        (lambda us: checks.clock_synchronisation((0, us)), 1_000, "OK OK WARN"),
        (lambda us: checks.clock_synchronisation((0, us)), 100_000, "WARN WARN LACKS"),
        (lambda n: checks.locked_memory(n, 0), 1 << 30, "WARN OK OK"),
        (lambda n: checks.locked_memory(n, 0), 64 << 20, "LACKS WARN WARN"),
        (lambda n: checks.realtime_priority(n, 0), 50, "WARN OK OK"),
        (lambda n: checks.realtime_priority(n, 0), 1, "LACKS WARN WARN"),
        (checks.realtime_throttling, -1, "WARN OK WARN"),
        (checks.huge_pages, 128, "WARN OK OK"),
        (swap_at, 1, "WARN WARN LACKS"),
        (checks.socket_buffer, 16 << 20, "WARN OK OK"),
        (checks.socket_buffer, 4 << 20, "LACKS WARN WARN"),
        (lambda us: checks.busy_polling(us, 50), 1, "WARN OK OK"),
        (lambda us: checks.busy_polling(50, us), 1, "WARN OK OK"),
        (steal_of, 1, "OK WARN WARN"),
        (steal_of, 10_000, "WARN WARN LACKS"),
        (checks.shared_memory, 1 << 30, "WARN OK OK"),
        (checks.shared_memory, 256 << 20, "LACKS WARN WARN"),
    ],
)
def test_thresholds(check: Callable[[int], Judgement], limit: int, below_at_above: str) -> None:
    assert " ".join(check(limit + step)[0] for step in (-1, 0, 1)) == below_at_above


def test_verdicts_that_are_names_rather_than_numbers() -> None:
    assert checks.clock_source("tsc")[0] is Verdict.OK
    assert checks.clock_source("kvm-clock")[0] is Verdict.WARN
    assert checks.clock_source("acpi_pm")[0] is Verdict.LACKS
    assert checks.cores(low_cores(1), low_cores(8), low_cores(8))[0] is Verdict.LACKS
    assert checks.governor({"performance", "schedutil"})[0] is Verdict.LACKS
    assert checks.clock_synchronisation((0x41, 0))[0] is Verdict.LACKS
    assert checks.tickless_cores(low_cores(2), low_cores(3)) == (
        Verdict.WARN,
        "0-1, but not isolated 2",
    )


def test_a_capability_lifts_a_limit_but_not_in_another_user_namespace(tmp_path: Path) -> None:
    files = GOOD_FILES | {"proc/self/status": ALL_CAPABILITIES}
    calls = replace(GOOD_CALLS, memlock_bytes=0, realtime_priority=0)

    def verdicts() -> set[Verdict]:
        found = by_name(diagnose(tmp_path, calls))
        return {found["locked memory"].verdict, found["real-time priority"].verdict}

    lay_out(tmp_path, files)
    assert verdicts() == {Verdict.OK}
    lay_out(tmp_path, {"proc/self/uid_map": "0 100000 65536\n"})
    assert verdicts() == {Verdict.LACKS}
    (tmp_path / "proc/self/uid_map").unlink()  # a kernel without user namespaces
    assert verdicts() == {Verdict.OK}
    lay_out(tmp_path, {"proc/self/status": NO_CAPABILITIES})
    assert verdicts() == {Verdict.LACKS}


@pytest.mark.parametrize(
    ("online", "isolated", "suggested"),
    [("0", "", "<cores>"), ("0-1", "", "1"), ("0-7", "", "2-7"), ("0-7", "4,6-7", "4,6-7")],
)
def test_the_line_to_type_names_cores_of_this_host(
    tmp_path: Path, online: str, isolated: str, suggested: str
) -> None:
    paths = {"online": online, "isolated": isolated, "nohz_full": ""}
    lay_out(tmp_path, {f"{CPU}/{name}": text for name, text in paths.items()})
    assert f" nohz_full={suggested} " in by_name(diagnose(tmp_path))["tickless cores"].do


@given(st.frozensets(st.integers(0, checks.LINUX_CORES_MAX - 1), max_size=40).filter(bool))
def test_core_lists_are_read_back_as_written(cores: frozenset[int]) -> None:
    assert checks.parse_cores(checks.core_text(cores), "here") == cores


@pytest.mark.parametrize("text", ["8192", "0-8192", "3-1", "1,,2", "0-", "a", "0-9999999999"])
def test_core_lists_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(CannotTell, match="here holds no list of cores"):
        checks.parse_cores(text, "here")


@pytest.mark.parametrize("width", [80, 160])
def test_the_table_crops_no_name_and_no_advice(tmp_path: Path, width: int) -> None:
    findings = diagnose(lay_out(tmp_path, BAD_FILES), BAD_CALLS)
    page = io.StringIO()
    Console(file=page, width=width).print(table(findings))
    cells = [line.split("│") for line in page.getvalue().splitlines() if "│" in line]
    assert [c[2].strip() for c in cells if c[2].strip()] == [f.name for f in findings]
    shown = "".join("".join(c[3] for c in cells).split())
    assert all("".join(f.do.split()) in shown for f in findings)


def test_this_host_is_answered_without_heavy_imports() -> None:
    script = (
        "import json, sys; from hftlib.ops.doctor import as_json, diagnose; "
        "rows = as_json(diagnose()); "
        "heavy = {'numpy', 'numba', 'pandas', 'mlflow', 'rich'} & set(sys.modules); "
        "print(json.dumps([sorted(heavy), [row['name'] for row in rows]]))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    heavy, names = json.loads(out.stdout)
    assert heavy == []
    assert len(names) == len(set(names)) >= 20
