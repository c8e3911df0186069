"""The one tick path, from an event to commands, and its drivers."""
