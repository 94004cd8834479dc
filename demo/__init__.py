"""`make demo`: an invented market walks through Rapport, by its public API alone.

market/ invents people and what they do (pure, from a seed); traffic/ sends it as sites and servers would; cast/ are the
reps who answer alerts; show/ prints what came of it.
"""
