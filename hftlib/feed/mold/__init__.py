"""MoldUDP64: the numbered datagrams that market data travels in, in order and without loss.

packet.py      what a datagram says, and what is wrong with it; how one is made
memory.py      the sequencer's memory, drawn; its states and reasons
sequencer.py   two lines and a recovery server in, every message once and in order out
asking.py      what is asked of the recovery server, several requests under way
sockets.py     UDP sockets, and datagrams taken from the kernel by the batch
receiver.py    the driver: sockets, clock, sequencer
server.py      the other side: a publisher, and the server that recovers what was lost
"""

from hftlib.feed.mold.receiver import MoldReceiver
from hftlib.feed.mold.sequencer import Sequencer
from hftlib.feed.mold.server import MoldServer

__all__ = ["MoldReceiver", "MoldServer", "Sequencer"]
