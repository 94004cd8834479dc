"""Record: what do we know about a person, and how ready are they?

Hears: identity.interaction.recognized, identity.person.merged, identity.person.split, identity.person.marked.
Says: scoring.profile.changed, scoring.score.changed, scoring.score.corrected, scoring.rulebook.activated.
Owns: facts per fragment, profiles with provenance, scores and their receipts, the scoring rulebook.
"""
