"""The other side of the wire: matching, queues, latency, fees and impact."""
