"""How a service runs: app, store, inbox, outbox, bus, timers, errors, auth, telemetry. Knows no business word."""
