"""`hft doctor`: what this host lacks for low latency, and what to type to change it.

A strategy that compiles well still waits when the kernel moves it, the core sleeps or the socket
drops. Each row reads one such thing, judges it, and gives the root operator one line to type.
Nothing on the host is changed. The verdicts are in `host_checks.py`; this file reads and shows.

Every path is taken under a root folder, so a test can lay out a small host of its own. What only
a system call can tell is read once into `Calls`. A file that is missing or holds nonsense makes
its row UNKNOWN, with the reason; no row stops the others.

Worst case: some 20 small file reads per core; 75 ms measured for a laid-out host of 256 isolated
cores with five idle states each.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hftlib.ops import host_checks as checks
from hftlib.ops.host_checks import CannotTell, Judgement, Verdict
from hftlib.ops.kernel_clock import kernel_clock

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Calls", "Finding", "Verdict", "as_json", "diagnose", "read_calls", "table"]

FILE_BYTES_MAX = 1 << 16  # the first core of /proc/cpuinfo is within this; the rest says the same
IDLE_STATES_MAX = 10  # CPUIDLE_STATE_MAX of the kernel
SYSTEM_CORES = 2  # left to the operating system where cores are to be isolated
CPU = "sys/devices/system/cpu"
KERNEL_LINE = "GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub and reboot:"
LIMITS = "/etc/security/limits.d/90-hft.conf:"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    found: str
    wanted: str
    verdict: Verdict
    do: str


@dataclass(frozen=True, slots=True)
class Calls:
    """What only system calls can tell. None: the call was refused."""

    machine: str
    cores_allowed: frozenset[int]
    memlock_bytes: int
    realtime_priority: int
    clock_status_and_error_us: tuple[int, int] | None
    shared_memory_free_bytes: int | None


def diagnose(root: Path = Path("/"), calls: Calls | None = None) -> list[Finding]:
    host = _Host(root, read_calls(root) if calls is None else calls)
    return [_finding(row, host) for row in ROWS]


def as_json(findings: list[Finding]) -> list[dict[str, str]]:
    return [{**asdict(finding), "verdict": finding.verdict.value} for finding in findings]


def table(findings: list[Finding]) -> Table:
    # Rich takes longer to import than all the reads together; JSON output should not wait for it.
    from rich.table import Table
    from rich.text import Text

    colours = dict(zip(Verdict, ("green", "yellow", "red", "dim"), strict=True))
    rows = Table(caption="sysctl -w lasts until reboot: repeat it in /etc/sysctl.d/90-hft.conf")
    rows.add_column("Verdict", no_wrap=True)
    rows.add_column("Name", no_wrap=True)
    rows.add_column("Found, wanted, and what to do", overflow="fold")
    for one in findings:
        answer = f"{one.found}; wanted: {one.wanted}\n{one.do}" if one.do else one.found
        # Text, not str: rich would take "[madvise]" and the like for its own markup.
        rows.add_row(Text(one.verdict, colours[one.verdict]), Text(one.name), Text(answer))
    return rows


def read_calls(root: Path = Path("/")) -> Calls:
    return Calls(
        machine=os.uname().machine,
        cores_allowed=frozenset(os.sched_getaffinity(0)),
        memlock_bytes=resource.getrlimit(resource.RLIMIT_MEMLOCK)[0],
        realtime_priority=resource.getrlimit(resource.RLIMIT_RTPRIO)[0],
        clock_status_and_error_us=_read_clock(),
        shared_memory_free_bytes=_read_free_bytes(root / "dev/shm"),
    )


def _read_clock() -> tuple[int, int] | None:
    found = kernel_clock()
    return None if found is None else (found.status_bits, found.error_us_max)


def _read_free_bytes(folder: Path) -> int | None:
    try:
        space = os.statvfs(folder)
    except OSError:
        return None
    return space.f_bavail * space.f_frsize


@dataclass(frozen=True, slots=True)
class _Host:
    root: Path
    calls: Calls

    def text(self, path: str) -> str:
        try:
            with (self.root / path).open("rb") as file:
                return file.read(FILE_BYTES_MAX).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            raise CannotTell(f"/{path} is missing") from None
        except OSError as error:
            raise CannotTell(f"/{path} cannot be read: {error.strerror}") from None

    def number(self, path: str) -> int:
        return checks.parse_number(self.text(path), f"/{path}")

    def cores(self, path: str) -> frozenset[int]:
        return checks.parse_cores(self.text(path), f"/{path}")

    def hot_cores(self) -> frozenset[int]:
        """The cores a latency-bound thread runs on: the isolated ones, or else any it may use."""
        online = self.cores(f"{CPU}/online")
        return online & self.cores(f"{CPU}/isolated") or online & self.calls.cores_allowed

    def per_core(self, file: str) -> dict[int, str]:
        return {core: self.text(f"{CPU}/cpu{core}/{file}") for core in self.hot_cores()}

    def cores_to_isolate(self) -> str:
        """The core list to suggest; `<cores>` where the host does not say what it has."""
        try:
            online, isolated = self.cores(f"{CPU}/online"), self.cores(f"{CPU}/isolated")
        except CannotTell:
            return "<cores>"
        if len(isolated) >= checks.ISOLATED_WANTED:
            return checks.core_text(isolated)
        kept = max(1, min(SYSTEM_CORES, len(online) // 2))
        spare = sorted(online)[kept:]
        return checks.core_text(spare) if spare else "<cores>"

    def idle_exit_us(self) -> dict[str, int]:
        """The time to wake from each idle state left on, the slowest core speaking for all."""
        exit_us: dict[str, int] = {}
        for core in self.hot_cores():
            for index in range(IDLE_STATES_MAX):
                state = f"{CPU}/cpu{core}/cpuidle/state{index}"
                if not os.path.exists(self.root / state):
                    break
                if self.number(f"{state}/disable") == 0:
                    name = self.text(f"{state}/name")
                    exit_us[name] = max(exit_us.get(name, 0), self.number(f"{state}/latency"))
        return exit_us

    def capabilities(self) -> int:
        # A kernel built without user namespaces has no map: every process is in the first one.
        path = "proc/self/uid_map"
        mapped = os.path.exists(self.root / path)
        uid_map = self.text(path) if mapped else checks.FIRST_NAMESPACE_MAP
        return checks.capabilities(self.text("proc/self/status"), uid_map)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    wanted: str
    check: Callable[[_Host], Judgement]
    do: str  # CORES stands for the core list to isolate on this host


def _finding(row: _Row, host: _Host) -> Finding:
    do = row.do.replace("CORES", host.cores_to_isolate())
    try:
        verdict, found = row.check(host)
    except CannotTell as reason:
        return Finding(row.name, str(reason), row.wanted, Verdict.UNKNOWN, f"If lacking: {do}")
    return Finding(row.name, found, row.wanted, verdict, "" if verdict is Verdict.OK else do)


# One row a paragraph, laid out by hand: the formatter would spread each over seven lines or more.
# fmt: off
ROWS = (
    _Row("processor", "x86_64", lambda host: checks.processor(host.calls.machine),
         "move to an x86-64 machine  # Python reads of shared rings rely on its memory order"),
    _Row("cores", f"{checks.CORES_WANTED} or more that this process may use",
         lambda host: checks.cores(host.cores(f"{CPU}/online"), host.calls.cores_allowed,
                                   host.cores(f"{CPU}/isolated")),
         f"taskset -apc 0-{checks.CORES_WANTED - 1} <pid>, or a machine that has as many  # feed, "
         "strategy, orders and system each need a core"),
    _Row("isolated cores", f"{checks.ISOLATED_WANTED} or more",
         lambda host: checks.isolated_cores(host.cores(f"{CPU}/isolated")),
         f"{KERNEL_LINE} isolcpus=managed_irq,domain,CORES  # no other task is put there"),
    _Row("tickless cores", "every isolated core",
         lambda host: checks.tickless_cores(host.cores(f"{CPU}/nohz_full"),
                                            host.cores(f"{CPU}/isolated")),
         f"{KERNEL_LINE} nohz_full=CORES rcu_nocbs=CORES  # no timer tick in a spinning thread"),
    _Row("shared cores (SMT)", "one thread per physical core",
         lambda host: checks.shared_cores(host.per_core("topology/thread_siblings_list")),
         f"echo off > /{CPU}/smt/control  # a sibling takes cache and execution slots"),
    _Row("frequency governor", "performance",
         lambda host: checks.governor(set(host.per_core("cpufreq/scaling_governor").values())),
         "cpupower frequency-set -g performance  # a slowed core takes time to speed up; in a "
         "virtual machine the hypervisor sets it"),
    _Row("idle states", f"{checks.IDLE_EXIT_US_WANTED} us or less to wake",
         lambda host: checks.idle_states(host.idle_exit_us()),
         f"cpupower idle-set -D {checks.IDLE_EXIT_US_WANTED + 1}  # the first event after a quiet "
         "time pays the wake-up"),
    _Row("clock source", "tsc", lambda host: checks.clock_source(
            host.text("sys/devices/system/clocksource/clocksource0/current_clocksource")),
         "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource  # read in "
         "user space, without the kernel"),
    _Row("clock synchronisation", f"within {checks.CLOCK_ERROR_US_WANTED:,} us",
         lambda host: checks.clock_synchronisation(host.calls.clock_status_and_error_us),
         "/etc/chrony.conf: rtcsync, and server <nearby> minpoll 0 maxpoll 0; then systemctl "
         "restart chronyd  # else exchange and local times cannot be compared"),
    _Row("locked memory", f"{checks.mib_text(checks.MEMLOCK_BYTES_WANTED)} or more",
         lambda host: checks.locked_memory(host.calls.memlock_bytes, host.capabilities()),
         f"{LIMITS} <user> - memlock unlimited  # or LimitMEMLOCK=infinity in the systemd unit; "
         "memory that is not locked can fault on the tick path"),
    _Row("real-time priority", f"{checks.REALTIME_PRIORITY_WANTED} or more",
         lambda host: checks.realtime_priority(host.calls.realtime_priority, host.capabilities()),
         f"{LIMITS} <user> - rtprio 80  # or LimitRTPRIO=80 in the systemd unit; other tasks "
         "cannot then push a hot thread off its core"),
    _Row("real-time throttling", "off (-1)",
         lambda host: checks.realtime_throttling(
             host.number("proc/sys/kernel/sched_rt_runtime_us")),
         "sysctl -w kernel.sched_rt_runtime_us=-1  # else a spinning real-time thread is stopped; "
         "only with isolated cores, or it starves the system"),
    _Row("huge pages", f"{checks.HUGE_PAGES_WANTED} or more",
         lambda host: checks.huge_pages(host.number("proc/sys/vm/nr_hugepages")),
         f"sysctl -w vm.nr_hugepages={checks.HUGE_PAGES_WANTED}  # fewer address look-ups"),
    _Row("transparent huge pages", "madvise or never", lambda host: checks.transparent_huge_pages(
            host.text("sys/kernel/mm/transparent_hugepage/enabled")),
         "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled  # always makes page faults "
         "wait while the kernel gathers memory"),
    _Row("swap", "none", lambda host: checks.swap(host.text("proc/swaps"),
                                                  host.number("proc/sys/vm/swappiness")),
         "swapoff -a, and delete the swap lines of /etc/fstab  # a swapped page takes "
         "milliseconds to come back"),
    _Row("receive buffer", f"{checks.mib_text(checks.SOCKET_BYTES_WANTED)} or more",
         lambda host: checks.socket_buffer(host.number("proc/sys/net/core/rmem_max")),
         f"sysctl -w net.core.rmem_max={checks.SOCKET_BYTES_WANTED}  # a burst is dropped here"),
    _Row("send buffer", f"{checks.mib_text(checks.SOCKET_BYTES_WANTED)} or more",
         lambda host: checks.socket_buffer(host.number("proc/sys/net/core/wmem_max")),
         f"sysctl -w net.core.wmem_max={checks.SOCKET_BYTES_WANTED}  # full, it blocks a send"),
    _Row("busy polling", "both on",
         lambda host: checks.busy_polling(host.number("proc/sys/net/core/busy_poll"),
                                          host.number("proc/sys/net/core/busy_read")),
         "sysctl -w net.core.busy_poll=50 net.core.busy_read=50  # a read looks at the card "
         "instead of waiting for its interrupt"),
    _Row("virtual machine", "no", lambda host: checks.virtual_machine(host.text("proc/cpuinfo")),
         "move to bare metal, or on the hypervisor: virsh vcpupin <guest> <vcpu> <core>  # a "
         "hypervisor may stop a core at any time"),
    _Row("steal time", "none", lambda host: checks.steal_time(host.text("proc/stat")),
         "on the hypervisor: virsh vcpupin <guest> <vcpu> <core>, or rent a dedicated host  # "
         "while time is stolen nothing here runs"),
    _Row("shared memory", f"{checks.mib_text(checks.SHARED_MEMORY_BYTES_WANTED)} free or more",
         lambda host: checks.shared_memory(host.calls.shared_memory_free_bytes),
         "mount -o remount,size=2G /dev/shm  # or docker run --shm-size=2g; rings live there"),
)
# fmt: on
