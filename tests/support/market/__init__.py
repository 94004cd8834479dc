"""A recorded market: what was captured and what humans did in five weeks, and the six services that live through it on
a clock of its own.

`tape` is what was recorded, `suite` the services, `acts` what humans do, `player` plays the one in the other, `digest`
is what came of it, `recorder` made the tape.
"""
