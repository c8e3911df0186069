"""Wire bytes or files into events: each exchange's protocol, its sequencing, and the tapes."""
