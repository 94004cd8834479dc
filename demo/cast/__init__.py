"""The sales reps: how each of them hears of a lead, and what they do with it."""
