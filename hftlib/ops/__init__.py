"""What surrounds a running process: the host it stands on; its control and watch as they come."""
