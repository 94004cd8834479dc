"""The migrations of identity's store, forward only."""
