"""React: which treatment fits a person now?

Hears: identity.person.created, identity.person.merged, identity.person.split,
identity.consent.changed, scoring.profile.changed,
    scoring.score.changed, scoring.score.corrected, lifecycle.stage.entered, lifecycle.stage.corrected.
Says: nurture.treatment.selected, nurture.rulebook.activated. Owns: treatments and their revisions, buying stages,
selections and their receipts, the nurture rulebook. Sends nothing itself.
"""
