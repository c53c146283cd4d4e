"""One suite a port, run against the fake and against the adapter on the local cloud."""
