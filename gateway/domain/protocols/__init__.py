"""Protocols of other collectors: what their trackers send, as events of the Segment spec, which one reader reads."""
