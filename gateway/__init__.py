"""The only public door.

Hears: nothing. Says: capture.interaction.received. Owns: sources, forms, keys, rejects, and the spool of forms that could not be said yet.
"""
