"""The verdicts behind `hft doctor`: values and file texts in, a verdict and a plain sentence out.

Nothing here opens a file or makes a system call, so every threshold can be tested with numbers.
`doctor.py` reads the host and calls these. A text that makes no sense raises `CannotTell`, which
becomes an UNKNOWN row; nothing else is ever raised.

Worst case: a core list naming all 8,192 cores Linux can have, 1.4 ms measured; longer lists are
refused. All of this runs far away from the tick path.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping

MIB = 1 << 20

CORES_MIN = 2  # one for the operating system, one for a thread that spins
CORES_WANTED = 4  # one each for the system, the feed, the strategy and the order path
ISOLATED_WANTED = 2
MEMLOCK_BYTES_MIN = 64 * MIB  # less does not hold even a small arena
MEMLOCK_BYTES_WANTED = 1024 * MIB
REALTIME_PRIORITY_MIN = 1
REALTIME_PRIORITY_WANTED = 50  # threaded interrupts run at 50; below it they go first
HUGE_PAGES_WANTED = 128  # 256 MiB of 2 MiB pages
SOCKET_BYTES_MIN = 4 * MIB
SOCKET_BYTES_WANTED = 16 * MIB  # 10 Gb/s for 13 ms, about one long stall of the reader
SHARED_MEMORY_BYTES_MIN = 256 * MIB
SHARED_MEMORY_BYTES_WANTED = 1024 * MIB
SWAPPINESS_MAX = 1  # with swap on, the kernel then swaps only to avoid running out of memory
BUSY_POLL_US_WANTED = 1  # any time above zero turns it on
IDLE_EXIT_US_WANTED = 10  # C1 and C1E wake within this
IDLE_EXIT_US_MAX = 50
# The kernel widens its error bound by 500 us each second until the time daemon resets it, so only
# a daemon that updates about every second stays within 1 ms.
CLOCK_ERROR_US_WANTED = 1_000
CLOCK_ERROR_US_MAX = 100_000
STEAL_PPM_WANTED = 0
STEAL_PPM_MAX = 10_000  # 1 % of all processor time

LINUX_CORES_MAX = 8_192
QUOTED_CHARACTERS_MAX = 40
NO_CORES = "no core is both online and in this process's mask"
UNLIMITED = -1  # what the kernel and Python both say for RLIM_INFINITY
CAP_IPC_LOCK = 14
CAP_SYS_NICE = 23
STA_UNSYNC = 0x40
# One map line from 0 to 0 over every id is the first user namespace. Elsewhere the kernel ignores
# these two capabilities, however full the mask looks.
FIRST_NAMESPACE_MAP = "0 0 4294967295"

CLOCKS_SLOW_PER_READ = {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "hyperv_clocksource_msr"}
CLOCKS_OF_THE_HYPERVISOR = {"kvm-clock", "hyperv_clocksource_tsc_page", "xen"}
GOVERNORS_SLOW = {"powersave", "ondemand", "conservative", "schedutil", "userspace"}


class Verdict(enum.StrEnum):
    OK = "OK"
    WARN = "WARN"  # the rare slow event gets slower
    LACKS = "LACKS"  # every event pays, or a feature will not start
    UNKNOWN = "UNKNOWN"  # this host does not say; the finding holds the reason


Judgement = tuple[Verdict, str]


class CannotTell(Exception):  # noqa: N818, an answer rather than a failure
    """The host does not say. The message is the sentence the reader sees."""


def at_least(value: int, wanted: int, minimum: int) -> Verdict:
    if value >= wanted:
        return Verdict.OK
    return Verdict.WARN if value >= minimum else Verdict.LACKS


def at_most(value: int, wanted: int, maximum: int) -> Verdict:
    if value <= wanted:
        return Verdict.OK
    return Verdict.WARN if value <= maximum else Verdict.LACKS


def processor(machine: str) -> Judgement:
    verdict = Verdict.OK if machine == "x86_64" else Verdict.LACKS
    return verdict, quoted(machine)


def cores(online: frozenset[int], allowed: frozenset[int], isolated: frozenset[int]) -> Judgement:
    # A process starts without the isolated cores in its mask and may still move itself there.
    usable = online & (allowed | isolated)
    found = f"{len(online)} online, {len(allowed)} in this process's mask, {len(usable)} usable"
    return at_least(len(usable), CORES_WANTED, CORES_MIN), found


def isolated_cores(isolated: frozenset[int]) -> Judgement:
    return at_least(len(isolated), ISOLATED_WANTED, 1), core_text(isolated)


def tickless_cores(tickless: frozenset[int], isolated: frozenset[int]) -> Judgement:
    if not tickless:
        return Verdict.WARN, "none"
    ticking = isolated - tickless
    if ticking:
        return Verdict.WARN, f"{core_text(tickless)}, but not isolated {core_text(ticking)}"
    return Verdict.OK, core_text(tickless)


def shared_cores(siblings: Mapping[int, str]) -> Judgement:
    if not siblings:
        raise CannotTell(NO_CORES)
    threads = {core: parse_cores(text, "the sibling list") for core, text in siblings.items()}
    shared = [core for core, named in threads.items() if len(named) > 1]
    if shared:
        return Verdict.WARN, f"{core_text(shared)} share a physical core with another"
    return Verdict.OK, f"each of {core_text(siblings)} has its physical core alone"


def governor(names: set[str]) -> Judgement:
    if not names:
        raise CannotTell(NO_CORES)
    unknown = names - GOVERNORS_SLOW - {"performance"}
    if unknown:
        raise CannotTell(f"{quoted(min(unknown))} is not a governor this check knows")
    verdict = Verdict.LACKS if names & GOVERNORS_SLOW else Verdict.OK
    return verdict, ", ".join(sorted(names))


def idle_states(exit_us: Mapping[str, int]) -> Judgement:
    if not exit_us:
        raise CannotTell("no idle state is listed; the hypervisor or the kernel line decides")
    deepest = max(exit_us, key=exit_us.__getitem__)
    found = f"{quoted(deepest)} takes {exit_us[deepest]:,} us to wake"
    return at_most(exit_us[deepest], IDLE_EXIT_US_WANTED, IDLE_EXIT_US_MAX), found


def clock_source(name: str) -> Judgement:
    if name == "tsc":
        return Verdict.OK, name
    if name in CLOCKS_OF_THE_HYPERVISOR:
        return Verdict.WARN, f"{name}, kept by the hypervisor and slower to read"
    if name in CLOCKS_SLOW_PER_READ:
        return Verdict.LACKS, f"{name}, where each read is a system call"
    raise CannotTell(f"{quoted(name)} is not a clock source this check knows")


def clock_synchronisation(status_and_error_us: tuple[int, int] | None) -> Judgement:
    if status_and_error_us is None:
        raise CannotTell("the kernel refused the adjtimex call")
    status_bits, error_us_max = status_and_error_us
    if status_bits & STA_UNSYNC:
        return Verdict.LACKS, "the kernel holds its clock for not synchronised"
    verdict = at_most(error_us_max, CLOCK_ERROR_US_WANTED, CLOCK_ERROR_US_MAX)
    return verdict, f"synchronised, wrong by at most {error_us_max:,} us"


def capabilities(status: str, uid_map: str) -> int:
    mask = re.search(r"^CapEff:\s*([0-9a-f]{1,16})$", status, re.MULTILINE)
    if mask is None:
        raise CannotTell("/proc/self/status has no CapEff line that can be read")
    return int(mask[1], 16) if " ".join(uid_map.split()) == FIRST_NAMESPACE_MAP else 0


def locked_memory(limit_bytes: int, capability_mask: int) -> Judgement:
    if limit_bytes == UNLIMITED:
        return Verdict.OK, "unlimited"
    if capability_mask >> CAP_IPC_LOCK & 1:
        return Verdict.OK, f"{mib_text(limit_bytes)}, lifted by CAP_IPC_LOCK"
    verdict = at_least(limit_bytes, MEMLOCK_BYTES_WANTED, MEMLOCK_BYTES_MIN)
    return verdict, mib_text(limit_bytes)


def realtime_priority(limit: int, capability_mask: int) -> Judgement:
    if limit == UNLIMITED:
        return Verdict.OK, "unlimited"
    if capability_mask >> CAP_SYS_NICE & 1:
        return Verdict.OK, f"{limit}, lifted by CAP_SYS_NICE"
    return at_least(limit, REALTIME_PRIORITY_WANTED, REALTIME_PRIORITY_MIN), str(limit)


def realtime_throttling(runtime_us: int) -> Judgement:
    if runtime_us == UNLIMITED:
        return Verdict.OK, "off"
    return Verdict.WARN, f"real-time threads may run {runtime_us:,} us of each period"


def huge_pages(count: int) -> Judgement:
    verdict = Verdict.OK if count >= HUGE_PAGES_WANTED else Verdict.WARN
    return verdict, f"{count:,} pages"


def transparent_huge_pages(modes: str) -> Judgement:
    chosen = re.search(r"\[(always|madvise|never)\]", modes)
    if chosen is None:
        raise CannotTell(f"{quoted(modes)} names no mode that this check knows")
    return (Verdict.WARN if chosen[1] == "always" else Verdict.OK), chosen[1]


def swap(swaps: str, swappiness: int) -> Judgement:
    header, *devices = swaps.splitlines() or [""]
    if not header.startswith("Filename"):
        raise CannotTell("/proc/swaps does not start with its header")
    if not devices:
        return Verdict.OK, "none"
    verdict = Verdict.WARN if swappiness <= SWAPPINESS_MAX else Verdict.LACKS
    return verdict, f"{len(devices)} in use, swappiness {swappiness}"


def socket_buffer(bytes_max: int) -> Judgement:
    return at_least(bytes_max, SOCKET_BYTES_WANTED, SOCKET_BYTES_MIN), mib_text(bytes_max)


def busy_polling(poll_us: int, read_us: int) -> Judgement:
    verdict = Verdict.OK if min(poll_us, read_us) >= BUSY_POLL_US_WANTED else Verdict.WARN
    return verdict, f"busy_poll {poll_us} us, busy_read {read_us} us"


def virtual_machine(cpuinfo: str) -> Judgement:
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    if flags is None:
        raise CannotTell("/proc/cpuinfo lists no processor flags")
    if "hypervisor" in flags[1].split():
        return Verdict.WARN, "yes, the processor runs under a hypervisor"
    return Verdict.OK, "no"


def steal_time(stat: str) -> Judgement:
    # cpu user nice system idle iowait irq softirq steal; guest time is already inside user.
    line = re.match(r"cpu((?: +\d{1,18}){8})", stat, re.ASCII)
    ticks = [int(field) for field in line[1].split()] if line else []
    if not any(ticks):
        raise CannotTell("/proc/stat does not start with a line of processor times")
    # Rounded up: a single stolen tick must not read as none.
    steal_ppm = -(-ticks[7] * 1_000_000 // sum(ticks))
    found = f"{steal_ppm / 10_000:.4f} % of all processor time since boot"
    return at_most(steal_ppm, STEAL_PPM_WANTED, STEAL_PPM_MAX), found


def shared_memory(free_bytes: int | None) -> Judgement:
    if free_bytes is None:
        raise CannotTell("/dev/shm is missing")
    verdict = at_least(free_bytes, SHARED_MEMORY_BYTES_WANTED, SHARED_MEMORY_BYTES_MIN)
    return verdict, f"{mib_text(free_bytes)} free"


def parse_number(text: str, where: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise CannotTell(f"{where} holds no number: {quoted(text)}")
    return int(text)


def parse_cores(text: str, where: str) -> frozenset[int]:
    """The kernel's core list, such as "0-3,8". Some kernels write "(null)" for none."""
    if text in ("", "(null)"):
        return frozenset()
    found: set[int] = set()
    for part in text.split(","):
        ends = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part, re.ASCII)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if not first <= last < LINUX_CORES_MAX:
            raise CannotTell(f"{where} holds no list of cores: {quoted(text)}")
        found.update(range(first, last + 1))
    return frozenset(found)


def core_text(cores: Iterable[int]) -> str:
    """The shortest list the kernel reads back: {0, 1, 2, 5} gives "0-2,5"."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], core]
        else:
            runs.append([core])
    return ",".join("-".join(map(str, run)) for run in runs) or "none"


def mib_text(count: int) -> str:
    # Rounded down, so one byte below a limit does not read as the limit itself.
    return "unlimited" if count == UNLIMITED else f"{count * 10 // MIB / 10:,.1f} MiB"


def quoted(text: str) -> str:
    """Text from the host made safe to print: one short line, no control characters."""
    return ascii(text[:QUOTED_CHARACTERS_MAX])[1:-1] or "(empty)"
