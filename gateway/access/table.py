"""Who may do what: one line for each operation of the API. What is not named here is refused."""

from __future__ import annotations

from gateway.access.policy import (
    COUNTERS,
    DECIDERS,
    EVERYBODY,
    KEEPERS,
    LEADERS,
    LISTENERS,
    ONLY_ADMIN,
    REFERRED,
    SITE,
    TALKERS,
    WATCHERS,
    About,
    Door,
    Operation,
    Policy,
)
from gateway.capture import ENDPOINTS

_PERSON, _DEAL, _LEADS = About.PERSON, About.DEAL, About.LEADS
_P, _O, _A, _R = "/v1/people/{person_id}", "/v1/opportunities", "/v1/accounts", "/v1/referrals/{referral_id}"


def _rulebook(service: str) -> tuple[Operation, ...]:
    path = f"/v1/rulebooks/{service}"
    return (
        Operation("GET", path, EVERYBODY),
        Operation("POST", path, WATCHERS),
        Operation("GET", path + "/{version}", EVERYBODY),
        Operation("POST", path + "/{version}:activate", WATCHERS),
    )


_PEOPLE = (
    Operation("GET", "/v1/people", EVERYBODY, _LEADS),
    Operation("GET", _P, EVERYBODY, _PERSON),
    Operation("GET", _P + "/receipts", EVERYBODY, _PERSON),
    Operation("GET", _P + "/timeline", EVERYBODY, _PERSON),
    Operation("GET", _P + "/links", EVERYBODY, _PERSON),
    Operation("GET", _P + "/consent", EVERYBODY, _PERSON),
    Operation("PUT", _P + "/consent", TALKERS, _PERSON),
    Operation("POST", _P + "/consent-links", TALKERS, _PERSON),
    Operation("POST", _P + ":merge", DECIDERS, _PERSON, body="with_person_id"),
    Operation("POST", _P + ":split", DECIDERS, _PERSON),
    Operation("POST", _P + ":mark", WATCHERS, _PERSON),
)
_ACCOUNTS = (
    Operation("GET", _A, EVERYBODY),
    Operation("GET", _A + "/{account_id}", EVERYBODY),
    Operation("POST", _A + "/{account_id}:merge", DECIDERS, About.ACCOUNT, body="with_account_id"),
    Operation("POST", _A + "/{account_id}:split", DECIDERS, About.ACCOUNT),
    Operation("GET", _A + "/{account_id}/owner", EVERYBODY),
    Operation("PUT", _A + "/{account_id}/owner", LEADERS),
)
_WITHHELD = (  # nobody's yet, and of everybody: for those who see everybody
    Operation("GET", "/v1/interactions/withheld", EVERYBODY - {"sales"}),
    Operation("POST", "/v1/interactions/{interaction_id}:release", DECIDERS - {"sales"}),
)
_CANDIDATES = (  # pairs of anybody: for those who see everybody
    Operation("GET", "/v1/identity/candidates", EVERYBODY - {"sales"}),
    Operation("GET", "/v1/identity/candidates/{candidate_id}", EVERYBODY - {"sales"}),
    Operation("POST", "/v1/identity/candidates/{candidate_id}:confirm", DECIDERS - {"sales"}),
    Operation("POST", "/v1/identity/candidates/{candidate_id}:reject", DECIDERS - {"sales"}),
)
_SCORING = (
    Operation("GET", "/v1/scoring/people", EVERYBODY, _LEADS),
    Operation("POST", "/v1/scoring/people:lookup", EVERYBODY, About.NAMED, body="person_ids"),
    Operation("GET", "/v1/scoring/people/{person_id}", EVERYBODY, _PERSON),
    Operation("GET", "/v1/scoring/people/{person_id}/receipts", EVERYBODY, _PERSON),
    Operation("GET", "/v1/scoring/people/{person_id}/timeline", EVERYBODY, _PERSON),
    *_rulebook("scoring"),
)
_LIFECYCLE = (
    Operation("GET", "/v1/lifecycle/process", EVERYBODY),
    Operation("GET", "/v1/lifecycle/people", EVERYBODY, _LEADS),
    Operation("GET", "/v1/lifecycle/people/{person_id}", EVERYBODY, _PERSON),
    Operation("GET", "/v1/lifecycle/people/{person_id}/history", EVERYBODY, _PERSON),
    Operation("GET", "/v1/lifecycle/people/{person_id}/receipts", EVERYBODY, _PERSON),
    *(
        Operation("POST", f"/v1/lifecycle/people/{{person_id}}:{verb}", TALKERS, _PERSON)
        for verb in ("qualify", "recycle", "disqualify", "reopen")
    ),
    Operation("GET", _O, EVERYBODY, _LEADS, query="person_id"),
    Operation("POST", _O, TALKERS, _PERSON, body="person_id"),
    Operation("GET", _O + "/{opportunity_id}", EVERYBODY, _DEAL),
    *(Operation("POST", f"{_O}/{{opportunity_id}}:{verb}", TALKERS, _DEAL) for verb in ("advance", "win", "lose")),
    *_rulebook("lifecycle"),
)
_NURTURE = (
    Operation("POST", "/v1/treatments:select", EVERYBODY | {SITE}, About.NAMED, Door.EITHER),
    Operation("GET", "/v1/treatments", EVERYBODY),
    Operation("POST", "/v1/treatments", WATCHERS),
    Operation("GET", "/v1/treatments/{treatment_id}", EVERYBODY),
    Operation("PUT", "/v1/treatments/{treatment_id}", WATCHERS),
    Operation("GET", "/v1/nurture/people/{person_id}", EVERYBODY, _PERSON),
    Operation("GET", "/v1/nurture/people/{person_id}/receipts", EVERYBODY, _PERSON),
    Operation("GET", "/v1/nurture/people/{person_id}/receipts/{receipt_id}/why-not", EVERYBODY, _PERSON),
    *_rulebook("nurture"),
)
_ROUTING = (
    Operation("GET", "/v1/reps", EVERYBODY),
    Operation("POST", "/v1/reps", LEADERS),
    Operation("GET", "/v1/reps/{rep_id}", EVERYBODY),
    Operation("PATCH", "/v1/reps/{rep_id}", LEADERS),
    Operation("POST", "/v1/reps/{rep_id}/credentials", REFERRED, About.REP),
    Operation("GET", "/v1/referrals", EVERYBODY, About.REFERRAL),
    Operation("GET", _R, EVERYBODY, About.REFERRAL),
    *(Operation("POST", f"{_R}:{verb}", REFERRED, About.REFERRAL) for verb in ("see", "accept", "return")),
    Operation("POST", _R + ":reassign", LEADERS, About.REFERRAL),
    Operation("GET", "/v1/routing/people/{person_id}/receipts", EVERYBODY, _PERSON),
    *_rulebook("routing"),
    Operation("GET", "/v1/alerts/stream", LISTENERS, About.REP, Door.TICKET),
    Operation("POST", "/v1/alerts/tickets", LISTENERS),
)
_METRICS = (
    Operation("GET", "/v1/campaigns", DECIDERS),
    Operation("POST", "/v1/campaigns", WATCHERS),
    Operation("GET", "/v1/campaigns/{campaign_id}", DECIDERS),
    Operation("PUT", "/v1/campaigns/{campaign_id}", WATCHERS),
    Operation("GET", "/v1/costs", COUNTERS),
    Operation("POST", "/v1/costs", WATCHERS),
    Operation("GET", "/v1/rates", COUNTERS),
    Operation("PUT", "/v1/rates/{currency}/{on}", WATCHERS),
    *(
        Operation("GET", f"/v1/reports/{name}", COUNTERS)
        for name in ("{name}", "funnel", "time-in-stage", "campaigns", "referrals")
    ),
)
_OWN = (
    Operation("GET", "/v1/status", KEEPERS),
    Operation("POST", "/v1/keys", ONLY_ADMIN),
    Operation("GET", "/v1/keys", ONLY_ADMIN),
    Operation("DELETE", "/v1/keys/{key_id}", ONLY_ADMIN),
    Operation("POST", "/v1/keys/{key_id}:rotate", ONLY_ADMIN),
    Operation("GET", "/v1/keys/{key_id}/requests", ONLY_ADMIN),
    Operation("GET", "/v1/audit", KEEPERS),
    Operation("POST", "/v1/sources", KEEPERS),
    Operation("GET", "/v1/sources", WATCHERS),
    Operation("GET", "/v1/sources/{source_id}", WATCHERS),
    Operation("PATCH", "/v1/sources/{source_id}", KEEPERS),
    Operation("POST", "/v1/sources/{source_id}:rotate", KEEPERS),
    Operation("GET", "/v1/sources/{source_id}/requests", WATCHERS),
    Operation("GET", "/v1/sources/{source_id}/rejects", WATCHERS),
    Operation("GET", "/v1/sources/{source_id}/tail", WATCHERS),
    Operation("POST", "/v1/forms/{form_id}/rejects/{reject_id}:replay", WATCHERS),
    Operation("POST", "/v1/forms", WATCHERS),
    Operation("GET", "/v1/forms", WATCHERS),
    Operation("GET", "/v1/forms/{form_id}", WATCHERS),
    Operation("PATCH", "/v1/forms/{form_id}", WATCHERS),
)
_WEBHOOKS = (
    Operation("POST", "/v1/webhooks", KEEPERS),
    Operation("GET", "/v1/webhooks", KEEPERS),
    Operation("GET", "/v1/webhooks/{webhook_id}", KEEPERS),
    Operation("PATCH", "/v1/webhooks/{webhook_id}", KEEPERS),
    Operation("DELETE", "/v1/webhooks/{webhook_id}", KEEPERS),
    Operation("POST", "/v1/webhooks/{webhook_id}:rotate", KEEPERS),
    Operation("POST", "/v1/webhooks/{webhook_id}:enable", KEEPERS),
    Operation("POST", "/v1/webhooks/{webhook_id}:test", KEEPERS),
    Operation("POST", "/v1/webhooks/{webhook_id}:replay", KEEPERS),
    Operation("GET", "/v1/webhooks/{webhook_id}/deliveries", KEEPERS),
    Operation("POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}:retry", KEEPERS),
)
_DOORS = (
    *(Operation("POST", path, frozenset({SITE}), door=Door.WRITE_KEY) for path in ENDPOINTS),
    Operation("GET", "/v1/projects/{write_key}/settings", door=Door.OPEN),
    Operation("POST", "/v1/forms/{form_id}", door=Door.OPEN),
    Operation("GET", "/problems", door=Door.OPEN),
    Operation("GET", "/problems/{name}", door=Door.OPEN),
    Operation("GET", "/v1/consent/{token}", door=Door.OPEN),
    Operation("POST", "/v1/consent/{token}", door=Door.OPEN),
)

GROUPS: tuple[tuple[str, tuple[Operation, ...]], ...] = (
    ("People", _PEOPLE),
    ("Accounts", _ACCOUNTS),
    ("What robots did", _WITHHELD),
    ("Pairs for review", _CANDIDATES),
    ("Scores", _SCORING),
    ("Stages and deals", _LIFECYCLE),
    ("Treatments", _NURTURE),
    ("Reps, referrals, alerts", _ROUTING),
    ("Campaigns, costs, reports", _METRICS),
    ("The installation", _OWN),
    ("Webhooks", _WEBHOOKS),
    ("Doors of web sites", _DOORS),
)
POLICY = Policy(operation for _, operations in GROUPS for operation in operations)


def operation(method: str, path: str) -> Operation:
    """A line that has to be there, for a handler of the gateway's own. Raises KeyError."""
    found = POLICY.of(method, path)
    if found is None:
        raise KeyError(f"{method} {path}")
    return found
