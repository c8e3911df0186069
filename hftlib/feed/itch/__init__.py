"""Nasdaq TotalView-ITCH 5.0: its 23 messages, and what they mean as events.

messages.py    the messages drawn, their codec, and a message as a person reads it
translate.py   messages into events, the fast way; `seldom.py` and `tables.py` belong to it
source.py      files and captures into a tape; `datagrams.py` and `numbered.py` unwrap captures
"""

from hftlib.feed.itch.messages import MESSAGES, build, parse
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.itch.translate import Translator

__all__ = ["MESSAGES", "ItchSource", "Translator", "build", "parse"]
