"""A service with nothing but a store, to try migrations on."""
