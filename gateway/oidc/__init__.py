"""People signed in elsewhere: tokens of a sign-in service (OpenID Connect), checked here by its public keys."""
