"""Wireshark's own decoder as a judge: what tshark reads in a capture, field by field."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest


def fields(capture: Path, decode_as: str, *names: str) -> list[list[str]]:
    """For each packet of the capture the named fields; several values of one are joined by a comma.

    Skips the test with a sentence where there is no tshark.
    """
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed (Debian: apt-get install tshark)")
    command = [program, "-n", "-r", str(capture), "-d", decode_as, "-T", "fields"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def write_udp(capture: Path, port: int, payloads: list[bytes]) -> None:
    """A capture of these datagrams to a port, in Ethernet and IPv4 frames."""
    _write(
        capture, [_ipv4(17, struct.pack(">4H", port, port, 8 + len(d), 0) + d) for d in payloads]
    )


def write_tcp(capture: Path, port: int, segments: list[bytes]) -> None:
    """A capture of these segments to a port, one connection, in order."""
    frames, sequence = [], 1
    for segment in segments:
        header = struct.pack(">2H2I2B3H", 9, port, sequence, 1, 5 << 4, 0x18, 8192, 0, 0)
        frames.append(_ipv4(6, header + segment))
        sequence += len(segment)
    _write(capture, frames)


def _ipv4(protocol: int, body: bytes) -> bytes:
    ethernet = bytes(12) + b"\x08\x00"
    total = 20 + len(body)
    here = bytes([127, 0, 0, 1])
    return (
        ethernet + struct.pack(">2B3H2BH", 0x45, 0, total, 0, 0, 64, protocol, 0) + here * 2 + body
    )


def _write(capture: Path, frames: list[bytes]) -> None:
    parts = [struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1)]
    for number, frame in enumerate(frames):
        parts += [struct.pack("<4I", 1, number, len(frame), len(frame)), frame]
    capture.write_bytes(b"".join(parts))
