"""What the one document says around the operations: what each group is for, where the API stands, and no schema that
nothing refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SERVERS = [{"url": "/", "description": "The gateway that this document was read from"}]
TAGS: Mapping[str, str] = {
    "capture": "What web sites, apps and servers send: events as the Segment spec has them. A source's write key.",
    "forms": "Forms: what they map to, where they lead, and the door that plain HTML and form services post to.",
    "people": "Everybody who was ever recognized: found, read as one view, merged, split and explained.",
    "accounts": "The companies that people belong to, and which rep owns each of them.",
    "consent": "What people agreed to be sent, with proof, and the signed links by which they change it themselves.",
    "interactions": "What was withheld as a robot's, and how it is released.",
    "scoring": "Fit and engagement, the facts they rest on, and the receipt of each point.",
    "lifecycle": "The stages that marketing and sales agreed on: who is where, since when, and who moved them.",
    "opportunities": "Deals, from opened to won or lost.",
    "nurture": "Which treatment was chosen for somebody, and why not another.",
    "treatments": "What can be shown or sent, and which of it fits a visitor now.",
    "reps": "Who sells: teams, working state, and credentials to hear their alerts.",
    "referrals": "Leads handed to a rep: seen, accepted, returned or given to another.",
    "routing": "Why a lead went to the rep it went to.",
    "alerts": "What a rep is told as it happens, as a stream of server-sent events.",
    "campaigns": "What brought people here; each belongs to costs and to reports.",
    "costs": "What was spent on a campaign, by day.",
    "rates": "Exchange rates by day, for money in several currencies.",
    "reports": "The funnel, time in stage, campaigns and referrals, measured to the money.",
    "rulebooks": "The rules of each service that decides: versions, checked by their own examples, active or not.",
    "webhooks": "Events sent to a URL of yours, signed, tried again for a day, and repeated on demand.",
    "sources": "Where captures come from: write keys, origins, rejects, and a live tail to watch them arrive.",
    "keys": "API keys of people and tools, each with a role.",
    "audit": "Who changed what, and who saw whom.",
    "problems": "What each kind of refusal means, and what helps.",
    "status": "How the suite is doing, for operators.",
}


def tags_of(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """The groups that occur in `document`, each with its text, in the order above. Raises KeyError for one without."""
    used = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    return [{"name": name, "description": TAGS[name]} for name in sorted(used, key=list(TAGS).index)]


def without_orphans(document: dict[str, Any]) -> dict[str, Any]:
    """`document` without the schemas that neither a path nor a schema reached from one refers to."""
    schemas = document["components"]["schemas"]
    reached: set[str] = set()
    waiting = [*_references(document["paths"])]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _references(schemas[name])
    document["components"]["schemas"] = {name: schema for name, schema in sorted(schemas.items()) if name in reached}
    return document


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
