"""The live driver: frames in, tick path, bytes out; the same function runs live and in a replay."""
