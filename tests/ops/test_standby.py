"""A standby's port: strangers, impostors, garbage and secrets; the copy stays as it was."""

import os
import random
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from standby_process import Child

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import Journal, kinds, verify
from hftlib.ops import epochs
from hftlib.ops import standby_wire as w
from hftlib.ops.standby import PEERS_MAX, Standby
from hftlib.ops.standby_link import Link
from hftlib.ops.standby_meeting import Plan, meet, planned, probe

SECRET, OTHER = b"s" * 32, b"t" * 32
SMALL = {"segment_bytes": 1 << 16, "block_bytes": 1 << 13}
FOLLOWED = SMALL | {"durability": "replicated", "followed": True}


class Served:
    """A standby here, turned by a thread, so that this one can be anybody."""

    def __init__(self, folder, secret=b"", **more):
        self.words = []
        usual = {"say": lambda what, more: self.words.append((what, more))}
        self.standby = Standby(folder, ("127.0.0.1", 0), secret, **usual, **more)
        self._stops = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stops and not self.standby.is_over:
            self.standby.turn(2)

    def plan(self, secret=b"", **more):
        return Plan(self.standby.place, secret, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.stop()
        self.standby.close()

    def stop(self):
        self._stops = True
        self._thread.join()


@pytest.fixture
def hasty(monkeypatch):
    """A copy that cannot be closed is not waited for that long."""
    monkeypatch.setattr("hftlib.ops.standby_link.END_S", 0.3)


def wait(holds, seconds=10.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.002)


def filled(folder, count=30):
    journal = Journal.create(folder, {}, **FOLLOWED)
    for n in range(count):
        journal.append(kinds.NOTE, n, bytes(n))
    return journal


def follows(served, journal, secret=b"", **more):
    link = Link(journal, served.plan(secret, **more))
    link.begin()
    return link


def ends(link, journal):
    journal.close()
    assert link.finish() == ""


def test_with_a_secret_each_knows_the_other_and_nobody_else(tmp_path):
    journal = filled(tmp_path / "day")
    with Served(tmp_path / "copy", SECRET) as served:
        for wrong, words in ((OTHER, "does not know our secret"), (b"", "does not know our")):
            with pytest.raises(HftError, match=words):
                probe(served.plan(wrong))
            with pytest.raises(HftError, match=words):
                meet(served.plan(wrong), journal, journal.sequence)
        assert served.standby.keeps.copy is None and not (tmp_path / "copy").exists()
        probe(served.plan(SECRET))
        link = follows(served, journal, SECRET)
        wait(lambda: journal.durable == journal.sequence)
        ends(link, journal)
    assert verify(tmp_path / "copy").state == "closed"
    with Served(tmp_path / "none") as served, pytest.raises(HftError, match="there is none here"):
        probe(served.plan(SECRET))


def test_what_is_said_cannot_be_changed_said_again_or_left_out(tmp_path):
    journal = filled(tmp_path / "day")
    with Served(tmp_path / "copy", SECRET) as served:
        for cheat in ("change", "again", "leave out", "no tag"):
            found = meet(served.plan(SECRET), journal, journal.sequence)
            wire = found.wire
            wire.socket.setblocking(True)
            one = b"".join(wire.packed(w.BEAT))
            if cheat == "change":
                one = bytes([w.END]) + one[1:]
            elif cheat == "again":
                one += one
            elif cheat == "leave out":
                one = b"".join(wire.packed(w.BEAT))
            else:
                one = one[:16] + bytes(16)
            wire.socket.sendall(one)
            heard = []
            with pytest.raises(HftError):
                while True:
                    data = wire.socket.recv(4096)
                    assert data, "it was let go without a word"
                    wire.feed(data)
                    while (message := wire.next()) is not None:
                        heard.append(message[0])
                        if message[0] == w.REFUSED:
                            raise StateError("refused", where="-", do="-")
            assert heard[-1] == w.REFUSED
            wire.close()
        link = follows(served, journal, SECRET)
        wait(lambda: journal.durable == journal.sequence)
        ends(link, journal)


def garbage(draw):
    """What might come at a port: noise, other protocols, messages that are nearly right."""
    kind = draw.randrange(6)
    if kind == 0:
        return draw.randbytes(draw.randrange(1, 300))
    if kind == 1:
        return b"GET / HTTP/1.1\r\nHost: standby\r\n\r\n"
    number = draw.choice((0, 0, 0, 1, 1 << 60))
    length = draw.choice((0, 2, 40, 4096, 4097, 0xFFFF_FFFF))
    head = struct.pack("<B3sIQ16s", draw.randrange(14), b"\0\0\0", length, number, bytes(16))
    body = draw.choice(
        (
            b"",
            b"{}",
            b"[" * 4000,
            b'{"nonce": 7}',
            b'{"protocol": 1, "nonce": "zz", "epoch": 1, "header": "", "probe": false}',
            b'{"protocol": 1, "nonce": "00", "epoch": 1, "header": "00", "probe": false}',
            b'{"protocol": 9, "nonce": "00", "epoch": 1, "header": "", "probe": true}',
            b'{"protocol": 1, "nonce": "00", "epoch": -1, "header": "", "probe": 1}',
            draw.randbytes(200),
        )
    )
    if draw.random() < 0.7:
        head = struct.pack("<B3sIQ16s", draw.choice((2, 5, 6)), b"\0\0\0", len(body), 0, bytes(16))
    return head + body


@pytest.mark.parametrize("secret", [b"", SECRET])
def test_garbage_at_the_port_is_a_sentence_and_the_runner_goes_on(tmp_path, secret):
    draw = random.Random(int(os.environ.get("HFT_FUZZ_SEED") or "11"))
    journal = filled(tmp_path / "day")
    with Served(tmp_path / "copy", secret) as served:
        link = follows(served, journal, secret)
        for n in range(120):
            with socket.create_connection(served.standby.place, timeout=5) as own:
                own.recv(4096)
                own.sendall(garbage(draw))
                if draw.random() < 0.5:
                    own.shutdown(socket.SHUT_WR)
                if draw.random() < 0.3:
                    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            journal.append(kinds.NOTE, n, b"on")
        wait(lambda: journal.durable == journal.sequence)
        assert link.dials == 1, "the runner was not let go for what others did"
        refused = [more["why"] for what, more in served.words if what == "refused"]
        assert len(refused) > 20 and all("Traceback" not in one for one in refused)
        ends(link, journal)
    assert verify(tmp_path / "copy").is_whole


def test_who_says_nothing_and_who_are_too_many_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr("hftlib.ops.standby.STRANGER_S", 0.3)
    with Served(tmp_path / "copy") as served:
        many = [socket.create_connection(served.standby.place) for _ in range(PEERS_MAX + 3)]
        wait(lambda: sum(what == "refused" for what, _ in served.words) >= 3)
        for one in many:
            one.settimeout(5)
            while one.recv(4096):
                pass
            one.close()
        probe(served.plan())


def test_known_runners_that_say_what_is_out_of_place_leave_the_copy_as_it_was(tmp_path):
    journal = filled(tmp_path / "day")
    draw = random.Random(5)
    with Served(tmp_path / "copy") as served:
        for n in range(40):
            wire = meet(served.plan(), journal, journal.sequence).wire
            wire.socket.setblocking(True)
            kind = draw.choice((w.FRAMES, w.SEAL, w.END, w.OFFER, w.FOLLOW, w.ACK, w.HELLO))
            body = (draw.randbytes(n), w.PLACE.pack(0, 4096) + draw.randbytes(64), b"{}")[n % 3]
            wire.say(kind, body)
            wire.socket.settimeout(5)
            data = b""
            while more := wire.socket.recv(4096):
                data += more
            assert b"why" in data
            wire.close()
        assert served.standby.keeps.copy.sequence == 0
        link = follows(served, journal)
        wait(lambda: journal.durable == journal.sequence)
        ends(link, journal)


class Impostor:
    """Somebody at a port who is no standby."""

    def __init__(self, *says):
        self.door = socket.create_server(("127.0.0.1", 0))
        self._says = says
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                own, _ = self.door.accept()
            except OSError:
                return
            with own:
                for one in self._says:
                    own.sendall(one)
                own.settimeout(0.2)
                with suppress(OSError):
                    own.recv(4096)

    @property
    def plan(self):
        return Plan(self.door.getsockname())


def said_by(kind, number, text):
    body = text.encode()
    return struct.pack("<B3sIQ16s", kind, b"\0\0\0", len(body), number, bytes(16)) + body


HELLO = said_by(w.HELLO, 0, '{"protocol": 1, "nonce": "%s"}' % ("00" * 32))
STANDS = '{"epoch": 1, "standing": %s}'


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ((b"SSH-2.0-OpenSSH_9.7\r\n" * 4,), "no messages of a runner and its standby"),
        ((b"",), "hung up|says nothing"),
        ((said_by(w.HELLO, 0, '{"protocol": 2, "nonce": ""}'),), "it has protocol 2, and we 1"),
        ((HELLO, said_by(w.STANDS, 1, "{}")), "does not say what it must"),
        ((HELLO, said_by(w.ACK, 1, "x" * 16)), "an answer is out of place"),
        ((HELLO, said_by(w.STANDS, 1, STANDS % "{}")), "does not say what it must"),
        (
            (
                HELLO,
                said_by(
                    w.STANDS,
                    1,
                    STANDS % '{"sequence": 9, "segment": 7, "position": 1, "blocks": 0, '
                    '"head": "00", "rest": "00"}',
                ),
            ),
            "not this journal's",
        ),
        ((HELLO, said_by(w.REFUSED, 1, '{"why": "go away", "fenced": false}')), "go away"),
    ],
)
def test_who_is_no_standby_is_a_sentence_for_the_runner(tmp_path, says, words):
    journal = filled(tmp_path / "day")
    one = Impostor(*says)
    with pytest.raises(HftError, match=words):
        meet(one.plan, journal, journal.sequence)
    assert journal.durable == 0
    one.door.close()
    journal.close()


def test_with_a_secret_an_impostor_acknowledges_nothing(tmp_path):
    journal = filled(tmp_path / "day")
    nowhere = '{"sequence": 0, "segment": 0, "position": 4096, "blocks": 0, "head": "", "rest": ""}'
    one = Impostor(HELLO, said_by(w.STANDS, 1, STANDS % nowhere))
    with pytest.raises(HftError, match="does not know our secret"):
        meet(replace(one.plan, secret=SECRET), journal, journal.sequence)
    one.door.close()
    journal.close()


def test_a_runner_of_an_epoch_that_is_over_is_fenced_for_good(tmp_path):
    journal = filled(tmp_path / "day")
    with Served(tmp_path / "copy") as served:
        link = follows(served, journal, lost="degrade")
        wait(lambda: journal.durable == journal.sequence)
        served.stop()
        assert served.standby.promote().epoch == 2
        with pytest.raises(StateError, match="takes over once"):
            served.standby.promote()
        wait(lambda: link.state == "over")
        with pytest.raises(HftError, match="told to take over: epoch 2"):
            journal.append(kinds.NOTE, 1, b"no more")
        link.finish()
        journal.close()
    assert verify(tmp_path / "copy").is_whole
    with pytest.raises(StateError, match="or one that has taken over"):
        Standby(tmp_path / "copy", ("127.0.0.1", 0))
    with Journal.carry_on(tmp_path / "copy") as copy:
        assert copy.sequence == 32


def test_a_copy_takes_over_once_and_its_file_is_believed_only_if_right(tmp_path, hasty):
    journal = filled(tmp_path / "day")
    with pytest.raises(StateError, match="no standby's copy"):
        epochs.taken_over(tmp_path / "day")
    with Child(tmp_path / "copy") as standby:
        link = Link(journal, standby.plan())
        link.begin()
        wait(lambda: journal.durable == journal.sequence)
        with pytest.raises(StateError, match="keeps this copy, and does not listen"):
            epochs.taken_over(tmp_path / "copy")
        standby.kill()
        assert epochs.taken_over(tmp_path / "copy").epoch == 2
        with pytest.raises(StateError, match="has taken over already"):
            epochs.taken_over(tmp_path / "copy")
    link.finish()
    journal.close()
    for text in ("", "[]", '{"epoch": 0}', '{"epoch": true}', '{"role": "king"}', '{"x": 1}', "{"):
        (tmp_path / "copy" / "epoch").write_text(text)
        with pytest.raises(InputError, match="says of no epoch"):
            epochs.read(tmp_path / "copy")
    with pytest.raises(InputError, match="This is no journal"):
        epochs.taken_over(tmp_path / "nowhere")


def test_a_standby_takes_up_its_copy_and_refuses_one_that_was_changed(tmp_path, hasty):
    journal = filled(tmp_path / "day", 600)
    with Served(tmp_path / "copy", synced=True) as served:
        link = follows(served, journal)
        wait(lambda: journal.durable == journal.sequence)
        wait(lambda: served.standby.keeps.copy.standing.blocks > 3)
    link.finish()
    first = tmp_path / "copy" / "000000.segment"
    good = first.read_bytes()
    first.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    with pytest.raises(StateError, match="not what was sent"):
        Standby(tmp_path / "copy", ("127.0.0.1", 0))
    first.write_bytes(good)
    with Served(tmp_path / "copy") as served:
        again = follows(served, journal)
        journal.append(kinds.NOTE, 1, b"more")
        wait(lambda: journal.durable == journal.sequence)
        ends(again, journal)
    assert verify(tmp_path / "copy").state == "closed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("power", "127.0.0.1:7700"), "no standby is waited for"),
        (("", "", "degrade"), "needs one"),
        (("", "", "stop", 3.0), "needs one"),
        (("", "127.0.0.1:7700", "panic"), "nothing to do without a standby"),
        (("", "127.0.0.1:7700", "stop", 0.0), "Nobody waits 0 seconds"),
        (("", "127.0.0.1:7700", "stop", float("nan")), "Nobody waits nan seconds"),
        (("", "127.0.0.1"), "is no HOST:PORT"),
        (("", ":7700"), "is no HOST:PORT"),
        (("", "127.0.0.1:0"), "no port that can be"),
        (("", "127.0.0.1:65536"), "no port that can be"),
        (("", "127.0.0.1:x"), "is no HOST:PORT"),
        (("", "10.0.0.2:7700"), "there is no secret"),
    ],
)
def test_what_plans_no_standby_is_a_sentence(given, words):
    with pytest.raises(InputError, match=words):
        planned(*given)


def test_a_secret_is_long_enough_and_its_owners_alone(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b"short")
    file.chmod(0o600)
    with pytest.raises(InputError, match="5 bytes is none"):
        w.secret_of(file, "10.0.0.2", "-")
    file.write_bytes(SECRET)
    assert w.secret_of(file, "10.0.0.2", "-") == SECRET
    file.chmod(0o644)
    with pytest.raises(InputError, match="Others may read"):
        w.secret_of(file, "127.0.0.1", "-")
    with pytest.raises(InputError, match="There is no secret there"):
        w.secret_of(tmp_path / "none", "127.0.0.1", "-")
    assert [w.secret_of(None, host, "-") for host in ("localhost", "::1", "127.0.0.9")] == [b""] * 3
    assert w.address_of("[::1]:77", "-") == ("::1", 77)
    with pytest.raises(HftError, match="Nothing can listen there"):
        w.listening(("192.0.2.1", 0))
