"""What a capture means, decided once: who is named, what is said of them and of their company, what they agreed to,
which campaign brought them.

Pure functions of the capture. The gateway's doors use them to find out what fields mean and whether anybody is named at
all; identity reads every capture by them, and its word (`identity.interaction.recognized`) carries the result as typed
facts. Nobody else reads raw traits: a service that meets an event of before facts travelled asks `semantics.anew`.
"""
