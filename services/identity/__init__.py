"""Identity recognizes: who is this?

Hears: `capture.interaction.received`.
Says: `identity.interaction.recognized`, `identity.person.{created,merged,split}`, `identity.account.{created,changed}`.
Owns: fragments (every identifier ever seen), the links between them, what was refused, and accounts.
"""
