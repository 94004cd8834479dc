"""A rep's alerts as they come: read from the stream ALERTS, told as server-sent
events, resumed by the id of the last one.
"""
