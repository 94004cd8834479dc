"""Identity recognizes: who is this?

Hears: `capture.interaction.received`. Says: `identity.interaction.{recognized,withheld,released}`,
`identity.person.{created,merged,split,marked}`, `identity.candidate.{proposed,decided}`, `identity.consent.changed`,
`identity.account.{created,changed}`. Owns: fragments (every identifier ever seen), the links between them, what was
refused or waits for review, consent, test marks, accounts, and what robots did.
"""
