"""Who looked and who acted: an append-only log whose lines each hold the digest of the one before.

Worst case: whoever may write the file may cut its end off; a copy elsewhere, or the digest of its
last line, shows that.
"""
