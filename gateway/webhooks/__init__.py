"""Signed webhooks: events of the streams, sent by HTTP to whoever an operator named, at least once.

`api` is what operators call, `dispatcher` runs in the background and sends; `registry` and `delivery_log` are the rows.
"""
