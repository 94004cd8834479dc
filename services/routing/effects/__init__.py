"""Routing's dealings with NATS beside its streams: who is let in and may do what (`keys`), and whose connections are
ended (`evictions`).
"""
