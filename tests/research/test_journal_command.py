"""`hft journal` as its users meet it: real processes, exit codes, clean JSON, sentences."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import test_journal_feed as feed

from hftlib.core.journal import Journal, frames, kinds, verify
from hftlib.core.orders import COMMAND, NEW
from hftlib.research.journal_feed import JournalFeed
from hftlib.research.tape import open_tape, to_tape

HFT = [sys.executable, "-c", "from hftlib.cli import main; main()", "journal"]
START = 1_795_300_000_000_000_000
messages = feed.messages  # a fixture


def hft(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HFT, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "day.journal"
    command = np.zeros(1, COMMAND)
    command[0]["order"], command[0]["price"], command[0]["what"] = 7, 10_125, NEW
    about = {"what": "a test", "sources": {"1": {"host": "233.54.12.111", "port": 26477}}}
    sizes = {"segment_bytes": 1 << 14, "block_bytes": 4096}
    with Journal.create(made, about, time=START, **sizes) as journal:
        for number in range(100):
            journal.append(kinds.DATAGRAM, START + number * 10**9, b"news %d" % number, 1)
        journal.append(kinds.COMMAND, START + 200 * 10**9, command.tobytes(), 2)
        journal.append(kinds.TIMER, START + 201 * 10**9, (5).to_bytes(8, "little"))
        journal.append(kinds.NOTE, START + 202 * 10**9, "genug für heute".encode())
        journal.append(999, START + 203 * 10**9, b"of a later version")
        journal.close(time=START + 204 * 10**9)
    return made


def test_ls_tells_what_lies_there(folder):
    told = hft("ls", folder.parent)
    assert told.returncode == 0 and "closed" in told.stdout and "106" in told.stdout
    (one,) = json.loads(hft("ls", folder, "--json").stdout)
    assert (one["state"], one["frames"], one["durability"]) == ("closed", 106, "process")
    assert one["first_time"] == "2026-11-21T22:26:40.000000000+00:00"
    assert json.loads(one["about"])["what"] == "a test"


def test_ls_tells_a_live_and_a_damaged_one(folder, tmp_path):
    with Journal.create(tmp_path / "live.journal", {}) as journal:
        data = bytearray((folder / "000000.segment").read_bytes())
        data[len(data.rstrip(b"\0")) - 1] ^= 1  # in the last frame; `verify` reads the others too
        (folder / "000000.segment").write_bytes(data)
        states = {one["folder"]: one for one in json.loads(hft("ls", tmp_path, "--json").stdout)}
    assert states[str(journal.folder)]["state"] == "live"
    assert states[str(folder)]["state"] == "damaged"
    assert "CRC" in states[str(folder)]["wrong"]


def test_show_says_frames_in_words(folder):
    lines = hft("show", folder).stdout.splitlines()
    assert len(lines) == 106
    assert "OPENED" in lines[0] and '"what": "a test"' in lines[0]
    assert "◀ DATAGRAM" in lines[1] and "news 0" in lines[1]
    assert "▶ COMMAND" in lines[101] and "order=7 price=10125 what=1" in lines[101]
    assert '{"timer": 5}' in lines[102] and "genug für heute" in lines[103]
    assert "KIND_999" in lines[104] and "of a later version" in lines[104]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--from", "100"], range(100, 107)),
        (["--from", "5", "--to", "7"], range(5, 8)),
        (["--limit", "3"], range(1, 4)),
        (["--kind", "command", "--kind", "NOTE"], [102, 104]),
        (["--source", "2"], [102]),
        (["--from", "2026-11-21T22:26:50", "--limit", "2"], [12, 13]),
        (["--to", "2026-11-21T17:26:41", "--zone", "America/New_York"], [1, 2, 3]),
        (["--follow", "--from", "105"], [105, 106]),
    ],
)
def test_show_shows_what_was_asked_for(folder, options, numbers):
    done = hft("show", folder, "--json", *options)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and [row["sequence"] for row in rows] == list(numbers)


def test_show_gives_machines_the_whole_payload(folder):
    (row,) = [
        json.loads(line)
        for line in hft("show", folder, "--from", 102, "-n1", "--json").stdout.splitlines()
    ]
    whole = next(frames(folder, 102)).payload
    assert bytes.fromhex(row["payload"]) == whole
    assert row["decoded"]["price"] == 10_125 and row["kind"] == "COMMAND"


def test_verify_says_and_exits(folder):
    report = json.loads(hft("verify", folder, "--json").stdout)
    assert report["problems"] == [] and report["head"] == verify(folder).head
    assert hft("verify", folder, "--head", report["head"]).returncode == 0
    other = hft("verify", folder, "--head", "ab" * 32)
    assert other.returncode == 1 and "none of this journal's" in other.stdout
    data = bytearray((folder / "000000.segment").read_bytes())
    data[5000] ^= 1
    (folder / "000000.segment").write_bytes(data)
    done = hft("verify", folder)
    assert done.returncode == 1 and "CRC" in done.stdout and "segment 0 at byte" in done.stdout


def test_repair_asks_before_sealed_blocks_go_and_keeps_them(folder):
    data = bytearray((folder / "000000.segment").read_bytes())
    data[5000] ^= 1
    (folder / "000000.segment").write_bytes(data)
    refused = hft("repair", folder)
    assert refused.returncode == 3 and "--sealed-too" in refused.stderr
    assert (folder / "000000.segment").read_bytes() == data, "nothing was touched"
    done = hft("repair", folder, "--sealed-too")
    assert done.returncode == 0 and "kept: 000000.at-" in done.stdout
    assert hft("verify", folder).returncode == 0
    assert "REPAIRED" in hft("show", folder).stdout
    assert "nothing is wrong" in hft("repair", folder).stdout


def test_a_key_comes_from_a_file(tmp_path):
    (tmp_path / "key").write_bytes(b"kept in the safe")
    with Journal.create(tmp_path / "a", {}, key=b"kept in the safe"):
        pass
    assert hft("verify", tmp_path / "a", "--key", tmp_path / "key").returncode == 0
    missing = hft("verify", tmp_path / "a")
    assert missing.returncode == 2 and "--key FILE" in missing.stderr
    nowhere = hft("verify", tmp_path / "a", "--key", tmp_path / "none")
    assert nowhere.returncode == 2 and "The key cannot be read" in nowhere.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ls", "/nowhere"], "There is no journal"),
        (["show", "/nowhere"], "This is no journal"),
        (["verify", "/nowhere"], "This is no journal"),
        (["repair", "/nowhere"], "This is no journal"),
        (["show", "FOLDER", "--kind", "MISTAKE"], "There is no kind 'MISTAKE'"),
        (["show", "FOLDER", "--from", "noon"], "does not read as a time"),
        (["export", "FOLDER"], "Give --parquet FILE, --pcap FILE or --tape FILE"),
        (["export", "FOLDER", "--pcap", "FOLDER"], "There is something already"),
        (["export", "FOLDER", "--pcap", "/no/where"], "cannot be written"),
        (["export", "FOLDER", "--parquet", "/no/where"], "cannot be written"),
        (["export", "FOLDER", "--tape", "/no/where"], "This is no journal of a runner"),
        (
            ["export", "FOLDER", "--tape", "/no/where", "--from", "5"],
            "A tape is of a whole journal",
        ),
        (["export", "FOLDER", "--tape", "a.tape", "--pcap", "a.pcap"], "One kind of file"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(folder, arguments, words):
    done = hft(*[folder if one == "FOLDER" else one for one in arguments])
    assert done.returncode in (2, 3, 4) and words in done.stderr
    assert "Traceback" not in done.stderr and not done.stdout


def test_export_makes_a_table_and_a_capture(folder, tmp_path):
    done = hft("export", folder, "--parquet", tmp_path / "day.parquet", "--json")
    told = json.loads(done.stdout)
    assert told["frames"] == 106 and told["bytes"] == (tmp_path / "day.parquet").stat().st_size
    assert not done.stderr, "no bar where nobody looks"
    hft("export", folder, "--parquet", tmp_path / "some.parquet", "--kind", "COMMAND")
    assert pd.read_parquet(tmp_path / "some.parquet")["sequence"].tolist() == [102]
    assert "100 frames" in hft("export", folder, "--pcap", tmp_path / "day.pcap").stdout


def test_export_makes_the_tape_of_what_a_runner_was_told(messages, tmp_path):
    about = feed.described(("CCC", "XA"), ("AAA", "XA"))
    folder = feed.written(tmp_path / "feed.journal", about, feed.lossy(messages, 1))
    target = tmp_path / "day.tape"
    told = json.loads(hft("export", folder, "--tape", target, "--json").stdout)
    tape, same = open_tape(target), to_tape(JournalFeed(folder, about))
    assert told["events"] == len(tape) > 2_000 and told["digest"] == tape.digest == same.digest
    data = bytearray((folder / "000000.segment").read_bytes())
    data[90_000] ^= 1
    (folder / "000000.segment").write_bytes(data)
    done = hft("export", folder, "--tape", tmp_path / "other.tape")
    assert done.returncode == 3 and "The journal is damaged" in done.stderr
    assert [path.name for path in tmp_path.glob("*.tape*")] == ["day.tape"]
