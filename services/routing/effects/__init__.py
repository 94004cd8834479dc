"""Routing's dealings with NATS beside its streams: the consumers of reps, and who is let in."""
