"""Who may connect to NATS, decided when they come: the server asks, we answer with a signed grant.

https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout
"""

from chassis.bus.callout.claims import Grant
from chassis.bus.callout.keys import Issuer, new_issuer_seed
from chassis.bus.callout.listening import AuthCallout

__all__ = ["AuthCallout", "Grant", "Issuer", "new_issuer_seed"]
