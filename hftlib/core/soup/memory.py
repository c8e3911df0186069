"""The memory of SoupBinTCP sessions: the client's, and the server's with its streams.

    CLIENT, its bytes in, its bytes out

    SERVER     CONNECTION × connections      STREAM × streams     bytes in and out of each
    settings,  one socket each: state,       the messages of      connection, then the frames of
    counts     pipes, next message           one session          each stream and where they begin

A stream stores its messages as the frames that go out, so a replay is a copy. It is bounded, and
so is every connection: one that does not read is not kept messages for, it has a number.

Worst case: all memory is taken at start.
"""

from __future__ import annotations

from hftlib.core.records import items, record
from hftlib.core.soup.pipes import PIPE

SECOND_NS = 1_000_000_000
HEARTBEAT_NS, SILENCE_NS = SECOND_NS, 15 * SECOND_NS
USER_BYTES, PASSWORD_BYTES, SESSION_BYTES, SEQUENCE_BYTES = 6, 10, 10, 20
LOGIN_BYTES = 49  # the whole frame
LOGIN_SESSION, LOGIN_SEQUENCE = 3 + USER_BYTES + PASSWORD_BYTES, 3 + 26
CHANGES_KEPT = 16

# The client: its states, and what it tells.
STATES = ("DOWN", "DIALLING", "LOGIN", "LIVE", "LEAVING", "OVER")
DOWN, DIALLING, LOGIN, LIVE, LEAVING, OVER = range(6)
TELLS = ("", "DIAL", "LIVE", "SESSION", "MESSAGE", "DEBUG", "DOWN", "OVER")
OUT_DIAL, OUT_LIVE, OUT_SESSION, OUT_MESSAGE, OUT_DEBUG, OUT_DOWN, OUT_OVER = range(1, 8)

REASONS = (
    "start",
    "it is time to dial",
    "the connection stands",
    "the login was accepted",
    "we asked for it",
    "the peer closed the connection",
    "nothing was heard for too long",
    "no answer in time",
    "a frame is longer than any may be",
    "data came before the login was answered",
    "the sequence number of the answer is none",
    "the session is not available",
    "the login is not authorised",
    "the session has ended",
    "the connection could not be made",
    "the connection broke",
    "a frame has something wrong inside it",
    "no login in time",
    "data came before a login",
    "a second login",
    "it logged out",
    "it did not read what was sent",
    "another login of its account took its place",
    "room was needed for another connection",
    "the server stops",
)
(
    START,
    TIME_TO_DIAL,
    CONNECTED,
    ACCEPTED,
    ASKED,
    CLOSED,
    SILENT,
    NO_ANSWER,
    OVERSIZED,
    BEFORE_LOGIN,
    NO_NUMBER,
    UNAVAILABLE,
    UNAUTHORISED,
    END_OF_SESSION,
    NOT_MADE,
    BROKE,
    GARBAGE,
    NO_LOGIN,
    NOT_LOGGED_IN,
    SECOND_LOGIN,
    LOGGED_OUT,
    SLOW,
    TAKEN_OVER,
    EVICTED,
    STOPPED,
) = range(25)
REASONS_MAX = 32

# Why a message is not sent, or not stored.
NOT_LIVE, TOO_LONG, NO_ROOM, ENDED = range(1, 5)
UNSENT = ("", "the session is not live", "it is too long", "there is no room", "it has ended")

CHANGE = record(
    "soup change",
    24,
    """
    0   at      int64  time of the change, as it was given
    8   state   int64  the new state
    16  reason  int64  why, of the list REASONS
    """,
)
CLIENT = record(
    "soup client",
    960,
    """
    0    state             int64      of the list STATES
    8    reason            int64      of its last change
    16   since             int64      time of its last change
    24   now               int64      the latest time that was given
    32   heard             int64      time of the last bytes of the server
    40   spoke             int64      time of our last frame
    48   next              int64      number of the next message wanted; 0: the newest
    56   coming            int64      number of the next message of this connection
    64   dial_at           int64      when to dial, if DOWN
    72   backoff_ns        int64      how long to wait before the next dial but one
    80   tell              int64      what is still to be told
    88   frame_bytes_max   int64      settings: the longest frame, without its length
    96   heartbeat_ns      int64      of silence, then we say that we are there
    104  silence_ns        int64      then the server is gone
    112  login_ns          int64      for a connection or a login to be answered
    120  backoff_ns_min    int64
    128  backoff_ns_max    int64
    136  session_length    int64      letters of its name; 0: any session
    144  session           uint8[16]  the name, spaces behind it
    160  found             uint8[16]  that of the last answer
    176  address           int64      told: where the payload lies
    184  length            int64      its length
    192  number            int64      its number, or that of the next message after a login
    200  skipped           int64      messages that a login found to be lost
    208  messages          int64      counts: taken, each once
    216  repeated          int64      come again, and left out
    224  lost              int64      skipped by the server
    232  sessions          int64      other sessions that took over
    240  dials             int64
    248  logins            int64      accepted
    256  rejections        int64
    264  falls             int64      connections lost
    272  bad_frames        int64      left out
    280  debugs            int64      debug texts heard
    288  heartbeats        int64      sent
    296  heartbeats_heard  int64
    304  messages_sent     int64
    312  unsent            int64      refused by `send`
    320  changes           int64      of state
    328  incoming          pipe
    368  outgoing          pipe
    448  log               change     the last changes, change n at n mod CHANGES_KEPT
    """,
    pipe=PIPE,
    change=items(CHANGE, CHANGES_KEPT),
)

# The server: states of a connection, and what it tells.
SERVED = ("FREE", "WAITING", "ASKING", "SERVED", "CLOSING", "GONE")
FREE, WAITING, ASKING, SERVING, CLOSING, GONE = range(6)
TOLD = ("", "LOGIN", "MESSAGE", "DEBUG", "GONE")
HAS_LOGIN, HAS_MESSAGE, HAS_DEBUG, HAS_GONE = range(1, 5)

CONNECTION = record(
    "soup connection",
    256,
    """
    0    state     int64  of the list SERVED
    8    reason    int64  why it closes or closed
    16   since     int64  time of its last change of state
    24   opened    int64  when it came
    32   heard     int64  time of its last bytes
    40   spoke     int64  time of our last frame
    48   progress  int64  when it last took bytes, or had taken all
    56   stream    int64  which it reads; -1 none
    64   account   int64  whose it is; -1 nobody's
    72   next      int64  number of the next message for it
    80   told_gone int64  1: its end was told
    88   messages  int64  taken from it
    96   incoming  pipe
    136  outgoing  pipe
    """,
    pipe=PIPE,
)
STREAM = record(
    "soup stream",
    64,
    """
    0   blocks_at      int64  bytes from the SERVER to its frames
    8   bytes_max      int64  room for frames
    16  index_at       int64  to where each frame begins, int64 each, and where the last ends
    24  messages_max   int64
    32  count          int64  messages stored
    40  ended          int64  1: no more come
    48  refused        int64  messages that did not fit
    """,
)
SERVER = record(
    "soup server",
    512,
    """
    0    connections      int64      how many there may be
    8    streams          int64
    16   connections_at   int64      bytes from here to each array
    24   streams_at       int64
    32   frame_bytes_max  int64      settings: the longest frame of a client, without its length
    40   heartbeat_ns     int64
    48   silence_ns       int64
    56   login_ns         int64      for a login to come
    64   stall_ns         int64      for a client to take some of what waits for it
    72   now              int64      the latest time that was given
    80   address          int64      told: where the payload lies
    88   length           int64
    96   admitted         int64      counts: connections taken
    104  full             int64      turned away, since nobody could be sent off for them
    112  logins           int64      accepted
    120  messages         int64      taken from clients
    128  debugs           int64
    136  heartbeats       int64      sent
    256  gone             int64[32]  connections that ended, by reason
    """,
)
CONNECTION_BYTES, STREAM_BYTES = CONNECTION.itemsize, STREAM.itemsize
