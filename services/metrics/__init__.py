"""What worked, and what was it worth?

Hears: identity.interaction.recognized, identity.person.{created,merged,split,marked},
lifecycle.stage.{entered,corrected}, lifecycle.sla.{started,kept,breached},
lifecycle.opportunity.{opened,advanced,won,lost}, routing.referral.{offered,accepted,returned,expired},
nurture.treatment.selected. Says: metrics.cost.recorded. Owns: campaigns, costs, rates of exchange; the facts that
reports are counted from, each on its fragment.
"""
