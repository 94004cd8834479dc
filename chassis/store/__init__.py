"""A service's store: transactions, the chassis's tables, inbox, outbox, relay, timers and migrations."""
