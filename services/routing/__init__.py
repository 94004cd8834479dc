"""Refer: which human should act, and how do they hear of it?

Hears: lifecycle.stage.entered, lifecycle.stage.corrected, lifecycle.sla.reminded, lifecycle.sla.breached,
identity.person.merged, identity.person.split. Says: routing.referral.offered, seen, accepted, returned, expired,
reassigned, routing.alert.raised, routing.rep.changed, routing.rulebook.activated. Owns: reps and whose turn it is, who
owns which account, referrals with their offers and receipts, the keys of reps to NATS, the routing rulebook.
"""
