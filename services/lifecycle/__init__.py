"""Where is each person on the way from an anonymous visit to money, and which clock runs?

Hears: identity.person.{created,merged,split}, scoring.profile.changed, scoring.score.{changed,corrected},
routing.referral.{accepted,returned,expired}. Says: lifecycle.stage.{entered,corrected},
lifecycle.sla.{started,reminded,breached,kept}, lifecycle.opportunity.{opened,advanced,won,lost},
lifecycle.rulebook.activated. Owns: moves, verdicts, clocks and opportunities per fragment, the stage each
person is in, and the process as a rulebook.
"""
