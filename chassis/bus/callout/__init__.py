"""Who may connect to NATS, decided when they come: the server asks, we answer with a signed grant.

https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout
"""
