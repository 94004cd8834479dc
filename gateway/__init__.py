"""The only public door.

Hears: nothing; it lets reps read the stream ALERTS. Says: capture.interaction.received.
Owns: sources, forms, keys, tickets, rejects, and the spool of forms that could not be said yet.
"""
