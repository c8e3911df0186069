"""What frames say as flat events: a runner's real day, streams cut anywhere, and garbage."""

import json
import random

import numpy as np
from floor_desk import Floor
from floor_trial import begun, listened_to, trade

import hftlib as hft
from hftlib.core import events, orders, ouch
from hftlib.core.journal import Frame, frames, kinds
from hftlib.core.orders import COMMAND
from hftlib.core.soup import frames as soup
from hftlib.core.soup import memory
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.memory import BEGUN, ENDED, LOST
from hftlib.feed.mold import packet

RUNNER = {"what": "runner"}
T0 = 1_795_300_000_000_000_000


def frame(number, kind, payload, source=0):
    return Frame(number, T0 + number, kind, source, payload)


def taken(decoder, *given):
    return [told for one in given for told in decoder.take(one)]


def letters(payload):
    """The type of each message in the bytes of a session, found by their lengths alone."""
    while payload:
        length = int.from_bytes(payload[:2], "big")
        if payload[2:3] == b"U":
            yield chr(payload[3])
        payload = payload[2 + length :]


def test_fills_of_a_real_day_add_up_to_what_the_runner_holds(tmp_path):
    with Floor() as floor:
        trial = begun(listened_to(floor), tmp_path / "day.journal")
        trade(floor, 12)
        session = trial.runner.live.session
        halted = hft.halt("firm", at="10:00", who="ann", why="to see").row(session.risk, 0)
        assert trial.runner.tell(halted)
        floor.until(lambda: trial.counts("directives") == 1)
        trial.runner.stop()
        held = int(session.seats[0]["positions"]["quantity"][0])
    first, *_ = found = list(frames(trial.folder))
    decoder = Decoder(json.loads(first.payload))
    told = taken(decoder, *found)
    assert not decoder.rests
    json.dumps(told)
    ways = {"B": 1, "S": -1}
    sides = {
        one["urn"]: ways[one["side"]] for one in told if one["what"] in ("accepted", "replaced")
    }
    fills = [one for one in told if one["what"] == "executed"]
    assert len(fills) > 3 and sum(sides[one["urn"]] * one["quantity"] for one in fills) == held
    asked = [one for one in told if one["what"] in ("enter", "replace", "cancel")]
    assert {one["kind"] for one in asked} == {"SESSION_OUT"}
    names = {"enter": "O", "replace": "U", "cancel": "X"}
    sent = [letter for one in found if one.name == "SESSION_OUT" for letter in letters(one.payload)]
    assert [names[one["what"]] for one in asked] == [one for one in sent if one in "OUX"]
    (order,) = [one for one in told if one["kind"] == "DIRECTIVE"]
    assert (order["what"], order["state"], order["who"], order["why"]) == (
        "state", "halted", "ann", "to see",
    )  # fmt: skip
    assert [one["what"] for one in told if one["kind"] == "CONNECTED"] == ["begun", "ended"]
    market = [one for one in told if one["kind"] == "DATAGRAM" and one["what"] == "messages"]
    assert max(one["first"] + one["count"] for one in market) > 100
    for one in market:
        assert sum(int(part[1:]) for part in one["types"].split()) == one["count"]
    assert "login" in {one["what"] for one in told} and "secret" not in json.dumps(told)


def stream(chance, count):
    """Messages of a venue as one run of bytes, with heartbeats among them."""
    made, sent = b"", []
    for n in range(count):
        told = ouch.outbound(
            "E", timestamp=n, urn=n + 1, quantity=chance.randrange(1, 999), price="1.25", match=n
        )
        sent.append((n + 1, told.quantity))
        made += soup.encode(b"S", bytes(told))
        if chance.random() < 0.3:
            made += soup.encode(b"H")
    return made, sent


def test_a_stream_cut_anywhere_says_the_same_and_goes_on_in_another_decoder():
    chance = random.Random(5)
    for _ in range(20):
        data, sent = stream(chance, 40)
        cuts = sorted(chance.sample(range(1, len(data)), chance.randrange(1, 60)))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        whole, told, decoder = Decoder(RUNNER), [], Decoder(RUNNER)
        for number, piece in enumerate(pieces, 1):
            one = frame(number, kinds.SESSION_IN, piece, 3)
            again = whole.take(one)
            found = decoder.take(one)
            assert found == again
            told += found
            if chance.random() < 0.5:  # ended here, and begun again with what the last one knew
                decoder = Decoder(RUNNER, json.loads(json.dumps(decoder.rests)))
        assert [(one["urn"], one["quantity"]) for one in told] == sent and not decoder.rests
        assert {one["price"] for one in told} == {"1.2500"}


def test_streams_do_not_mix_and_a_new_connection_begins_anew():
    data, _ = stream(random.Random(6), 2)
    half = len(data) // 2 - 3
    lost = np.array([LOST, memory.CLOSED], np.int64).tobytes()
    told = taken(
        Decoder(RUNNER),
        frame(1, kinds.SESSION_IN, data[:half], 0),
        frame(2, kinds.SESSION_IN, data[:half], 1),
        frame(3, kinds.CONNECTED, lost, 1),
        frame(4, kinds.SESSION_IN, data, 1),
        frame(5, kinds.SESSION_IN, data[half:], 0),
    )
    assert [one["urn"] for one in told if one["frame"] == 4] == [1, 2]
    assert [one["urn"] for one in told if one["source"] == 0] == [1, 2]
    (gone,) = [one for one in told if one["frame"] == 3]
    assert (gone["what"], gone["why"]) == ("lost", "the peer closed the connection")


def test_a_password_is_told_nobody_and_several_events_of_a_frame_are_numbered():
    data = soup.login("frm1a", "geheim", sequence=7) + soup.encode(b"R") + soup.encode(b"O")
    told = taken(Decoder(RUNNER), frame(9, kinds.SESSION_OUT, data))
    assert [(one["frame"], one["n"], one["what"]) for one in told] == [
        (9, 1, "login"),
        (9, 2, "logout"),
    ]
    assert told[0]["user"] == "frm1a" and told[0]["first"] == "7"
    assert "geheim" not in json.dumps(told) and b"geheim".hex() not in json.dumps(told)


def test_an_exchange_hears_messages_without_frames():
    order = ouch.inbound("O", urn=3, side="B", quantity=100, symbol="AAA", price="10.5")
    decoder = Decoder({"what": "exchange"})
    heard, broken = taken(
        decoder,
        frame(2, kinds.SESSION_IN, bytes(order), 4),
        frame(3, kinds.SESSION_IN, b"nonsense", 4),
    )
    assert (heard["what"], heard["urn"], heard["price"], heard["source"]) == (
        "enter", 3, "10.5000", 4,
    )  # fmt: skip
    assert broken["what"] == "no message" and broken["bytes"] == b"nonsense".hex()


def test_records_and_text_of_any_journal():
    command = np.zeros(1, COMMAND)
    command[0]["order"], command[0]["price"], command[0]["what"] = 7, 10_125, orders.NEW
    command[0]["side"], command[0]["kind"], command[0]["time"] = events.BUY, orders.LIMIT, 5
    report = np.zeros(1, events.EVENT)
    report[0]["kind"], report[0]["reference"], report[0]["quantity"] = orders.FILLED, 7, 100
    told = taken(
        Decoder({}),
        frame(1, kinds.COMMAND, command.tobytes(), 2),
        frame(2, kinds.REPORT, report.tobytes()),
        frame(3, kinds.NOTE, "genug für heute".encode()),
        frame(4, kinds.TIMER, (5).to_bytes(8, "little")),
        frame(5, 999, b"of a later version"),
        frame(6, kinds.CONTROL, b'{"do": "halt"}'),
        frame(7, kinds.COMMAND, b"short"),
    )
    assert told[0] == {
        "frame": 1, "n": 1, "time": T0 + 1, "kind": "COMMAND", "source": 2, "length": 64,
        "what": "new", "order": 7, "price": 10_125, "side": "buy", "its_kind": 1, "its_time": 5,
    }  # fmt: skip
    assert (told[1]["what"], told[1]["reference"]) == ("filled", 7)
    assert told[2]["text"] == "genug für heute" and told[3]["timer"] == 5
    assert told[4]["what"] == "kind 999" and bytes.fromhex(told[4]["bytes"])[:4] == b"of a"
    assert told[5]["text"] == '{"do": "halt"}'
    assert told[6]["what"] == "no command"


def test_garbage_is_told_as_what_it_is_and_never_fails():
    chance = random.Random(7)
    some = [
        kinds.SESSION_IN, kinds.SESSION_OUT, kinds.DATAGRAM, kinds.DATAGRAM_OUT, kinds.CONNECTED,
        kinds.DIRECTIVE, kinds.ORDER, kinds.EVENT, kinds.OPENED, kinds.NOTE, kinds.TIMER, 777,
    ]  # fmt: skip
    for what in ("runner", "exchange", ""):
        decoder = Decoder({"what": what})
        for number in range(1, 3_000):
            size = chance.choice([0, 1, 2, 3, 16, 20, 22, 47, 64, 128, 256, 300])
            payload = chance.randbytes(size)
            if chance.random() < 0.3:
                payload = bytes(chance.choice([0, 1, 3, 49]) for _ in range(size))
            told = decoder.take(frame(number, chance.choice(some), payload, chance.randrange(3)))
            assert [one["n"] for one in told] == list(range(1, len(told) + 1))
            json.dumps(told, allow_nan=False)
            assert all(isinstance(value, int | str) for one in told for value in one.values())
            assert all(len(data) <= 2 * 65_537 for data in decoder.rests.values())


def test_datagrams_are_summed_up():
    data = packet.encode("S", 5, [b"A12", b"E1", b"A", b""])
    told, beat, end = taken(
        Decoder({}),
        frame(1, kinds.DATAGRAM, data),
        frame(2, kinds.DATAGRAM, packet.encode("S", 9, [])),
        frame(3, kinds.DATAGRAM, data[:18] + b"\xff\xff"),
    )
    assert (told["first"], told["count"], told["types"]) == (5, 4, "A2 E1")
    assert (beat["what"], beat["first"], end["what"]) == ("heartbeat", 9, "end of session")
    ended = np.array([ENDED, BEGUN], np.int64).tobytes()
    assert Decoder(RUNNER).take(frame(1, kinds.CONNECTED, ended))[0]["what"] == "ended"
