"""Who is in the market, what they do, and what a rep will make of each of them.

Pure: a seed, a run number and a moment give it all.
"""
