"""Every size there is, in one place, each with its reason. `docs/limits.md` says what happens beyond it.

Two rules hold for all of them: what is too much is refused at the door with a clear word, or the oldest of its kind is
folded into a summary; it never fails further in. And what strangers claim never takes the room of what was verified.
"""

from __future__ import annotations

from typing import Final

KB: Final = 1024
MB: Final = 1024 * KB

# --- at the door
# ----------------------------------------------------------------------------------------------------------------------
EVENT_BYTES: Final = 32 * KB
"""One captured event as JSON, after the batch's `context` was merged into it. What SDKs of the field allow as well."""

BATCH_BYTES: Final = 500 * KB
"""One request of several events, unpacked. What SDKs of the field allow as well."""

BATCH_EVENTS: Final = 2_500
"""200 bytes an event in a full batch; more than that is not a batch of events."""

COMPLETED_FACTOR: Final = 8
"""The events of a batch, each completed with the batch's `context`, take at most so many times the bytes of its
body (or one event's, if that is more). An SDK's context of 700 bytes over events of 250 makes about 4.
"""

UNPACKED_FACTOR: Final = 100
"""A compressed body unpacks to at most so many times its size, or UNPACKED_BYTES. Alike events make 10 to 40."""

UNPACKED_BYTES: Final = 64 * KB
"""What any compressed body may unpack to, however well it was compressed."""

HEAD_BYTES: Final = 64 * KB
HEAD_LINES: Final = 200
"""The head of a request, all its lines together and by their number: proxies and browsers stay within 16 KB and a
hundred. The parser gathers whatever comes; beyond this nothing more is read.
"""

TARGET_CHARACTERS: Final = 16 * KB
"""The address in the first line: a list's filters with a cursor take some hundreds, browsers carry 2,000 to 8,000."""

SILENT_SECONDS: Final = 30
"""So long a connection may say nothing in the midst of a request, or before its first: slow lines pause for seconds."""

KEPT_SECONDS: Final = 75
"""So long a connection is kept for a next request: load balancers and pools of SDKs hold theirs for 60."""

WAITING_BYTES: Final = 64 * MB
"""Captures in memory that wait to be stored; beyond it the door answers 503. At 10 MB a second that is six seconds."""

WAITING_MESSAGES: Final = 20_000
"""The same by number: at 15,000 a second the last one waits little more than a second."""

ENVELOPE_BYTES: Final = 1 * KB
"""What a stored capture has that its event had not: ids, times, flags, address, user agent; about 600 bytes."""

CAPTURE_BYTES: Final = 4 * EVENT_BYTES + ENVELOPE_BYTES
"""One captured event or form as it is stored. A company that is named in `context.traits` stands in four places of
it: the context, the traits, the account's traits and the account's name.
"""

EVENT_LEVELS: Final = 64
"""How deep an event nests. The event's own pydantic parser stops near 200, orjson's writer at 254."""

EVENT_NAME_CHARACTERS: Final = 512
"""The name of a track event, a page, a screen."""

MESSAGE_ID_CHARACTERS: Final = 256
"""A `messageId`; of a longer one the hash is taken."""

IDENTIFIER_CHARACTERS: Final = 512
"""A user id, an address, a number, a device's or group's id. The longest address is 254; tokens reach 400."""

FORM_FILES_BYTES: Final = 10_000_000
"""A form with its files, which are dropped once they are read: a CV has its place. `GATEWAY_BODY_LIMIT` says
otherwise. A form without files is read up to BATCH_BYTES.
"""

FORM_FIELDS: Final = 1_000
"""Fields of a form; the longest that builders make have some two hundred."""

FORM_NODES: Final = 10_000
"""Objects and lists in a document that is posted to a form; ten to each of FORM_FIELDS answers."""

FORM_MEANINGS: Final = 300
"""Fields of a form that are asked what they mean: a name that was not met before takes some 50 microseconds. The rest
are kept, and mean what the form's mapping says.
"""

FIELD_NAME_CHARACTERS: Final = 256
"""The name of a field; what is beyond is cut off."""

FIELD_CHARACTERS: Final = 10_000
"""The text in a field; what is beyond is cut off. Three pages: a letter, not a document."""

URL_CHARACTERS: Final = 2_000
"""A page's or a return address's URL. What browsers and proxies carry."""

REJECTS: Final = 1_000
"""Rejects kept for each source, the newest (`GATEWAY_REJECTS_KEPT`): what a developer looks through."""

UNRECOGNIZED: Final = 200
"""Posts of forms in which nobody was found, kept for each source, the newest: they wait for a human to map a form."""

UNRECOGNIZED_BYTES: Final = 64 * KB
"""One of them as it is kept, whole; of a larger one only the start. Webhooks of form services take 1 to 10 KB."""

WITHHELD: Final = 10_000
"""Interactions of robots kept apart for each source, the newest: what a human can look through."""

WITHHELD_DAYS: Final = 90
"""For so long at most: a lead that nobody missed in a quarter is none any more."""

USER_AGENT_CHARACTERS: Final = 512
"""So much of a user agent is looked at for a robot's name. Browsers' have 100 to 300."""

USER_AGENTS: Final = 4_096
"""User agents whose answer is remembered, the last ones that came, 4 MB at most: those of a day's visitors."""

EXCERPT_BYTES: Final = 600
"""The start of what was refused, as it is kept with the reason."""

REASON_CHARACTERS: Final = 200
"""Why it was refused, and which field."""

# --- on the bus
# ----------------------------------------------------------------------------------------------------------------------
MESSAGE_BYTES: Final = 1 * MB
"""What nats-server takes as one message by default, headers included."""

SAID_BYTES: Final = 512 * KB
"""The largest event that a service says: half of MESSAGE_BYTES, so that headers, a dead
letter's reasons and a smaller server still fit.
"""

REFUSED_EVENTS: Final = 1_000
"""Events of one service set aside because the broker refused them. More is no fault of single
events, and all wait: nothing is ever dropped.
"""

EVENT_RECEIPTS: Final = 20
"""Receipts in one event; what is beyond is summed up in one more. A rule a line: nobody reads on after twenty."""

SENTENCE_CHARACTERS: Final = 500
"""A receipt's sentence; what is longer ends in `…`."""

INPUT_BYTES: Final = 2 * KB
"""The inputs that a receipt quotes, as JSON; the largest are left out first, and named."""

REJECTED: Final = 100
"""Alternatives that a receipt names, each in SENTENCE_CHARACTERS at most; how many more there were is told."""

LANES: Final = 64
"""The most lanes a service runs with: each is a durable of its own on every
stream it hears, pulled from every second.
"""

INBOX_SEQUENCES: Final = 2_000
"""How far up a domain event may come again: a relay that dies before it marks repeats two batches of 500 it had not
marked and one in flight. Rows that lie further below the floor of their lane are forgotten.
"""

INBOX_DAYS: Final = 30
"""For how long a capture that is sent again is known by its id: SDKs keep what they could not send for days, at
most weeks. What comes later is a new message.
"""

# --- a person
# ----------------------------------------------------------------------------------------------------------------------
VALUE_BYTES: Final = 1 * KB
"""A value in a profile, as JSON. A longer one stays in the fact it came with."""

NAME_CHARACTERS: Final = 128
"""An attribute's name."""

UNREADABLE_CHARACTERS: Final = 120
"""Words that were given for a known attribute and cannot be read, as a profile keeps them: enough to see what was
meant. The interaction keeps all of them.
"""

OTHER_ATTRIBUTES: Final = 100
"""Attributes beyond those whose names the product knows (which always have room); the
weakest, then the oldest, give way first.
"""

FRAGMENTS: Final = 2_000
"""First-seen identities that make up one person: merges and splits list them all, 31 bytes each."""

CLAIMED_FRAGMENTS: Final = 1_000
"""So many of them machines gather on mere claims; the other half is for what a server vouches for, or a human joins."""

EMAILS: Final = 5
PHONES: Final = 5
USER_IDS: Final = 20
"""Addresses, numbers and user ids under one roof, once among all that was claimed and once more among what servers
vouched for. Beyond it is no person, but a test account. Several user ids come about by `alias` alone.
"""

DEVICES: Final = 100
DEVICES_DAYS: Final = 90
"""Devices that were first seen within so many days: beyond it is a kiosk. A browser that
forgets its id each week makes 13, each day 90.
"""

ACCOUNT_TRAITS: Final = 100
"""Traits of an account, each of VALUE_BYTES and NAME_CHARACTERS at most. Those that its people share stay first, then
what servers said: claims take no room from that."""

ACCOUNT_NAMES: Final = 100
"""Group ids, domains and bare names of one account: machines join one of each kind, humans may join more. Events about
an account list them all.
"""

LISTED_ROWS: Final = 1_000
"""Links, refusals and remarks of a person in one answer, the newest: what a human can look through."""

SEARCH_CHARACTERS: Final = 2_000
"""What of a person can be searched for: names, company, addresses, user ids, numbers."""

HIGHLIGHTS: Final = 10
"""Reasons that travel with a profile, newest first: what fits on a rep's card."""

COUNTED: Final = 32
"""Moments that a fragment remembers of what counted under a cap, the latest, 30 bytes each: so many different pages,
forms and downloads of a sitting. What was forgotten would count again.
"""

TRAITS: Final = 500
"""Traits of one interaction that are looked at, in the sender's order: reading a name takes some microseconds, and
an event of EVENT_BYTES has room for 5,000. The rest stay in the fact.
"""

CONSENT_STATEMENTS: Final = 100
"""Statements of consent kept on a fragment as proof, the newest, and once more so many that are claims alone. What
decides now is kept beside them, however old it is.
"""

CONSENT_SHOWN: Final = 500
"""Statements of consent in one answer about a person, the newest; how many are kept is told."""

CLAIMS_SHOWN: Final = 50
"""Claims an attribute in a person's history, the believed one first. What came before them is in the timeline."""

BROWSER_FACTS: Final = 200
"""What one browser did while it went by a name as well, the newest, as far as a page may ask about it; and so many of
those that told something. Reading them takes some milliseconds.
"""

# --- what was chosen
# ----------------------------------------------------------------------------------------------------------------------
RUNNERS_UP: Final = 5
"""Treatments that a receipt names as the next best, each with why it comes after; the
answer to whoever asked has all of them.
"""

AGAINST_CHARACTERS: Final = 1_000
"""What speaks against each treatment of a catalogue, in a receipt, two characters each: 500
treatments; of those beyond it is not kept.
"""

SELECTIONS: Final = 100
"""Selections kept on a fragment, the newest; of those before, what was shown is kept as a count per
treatment, which limits on showing need.
"""

REPS_REJECTED: Final = 50
"""Reps that the receipt of an assignment names as not asked, those first who had a
call of their own; the rest are counted.
"""

# --- on disk
# ----------------------------------------------------------------------------------------------------------------------
CAPTURE_HEAD_BYTES: Final = 2 * KB
"""What a capture holds beside what was sent: ids, times, flags, the sender's address, each with its name."""

EVENT_COST_BYTES: Final = 128 * KB
"""What one capture may add to streams and stores together, however small it is: the fullest profile takes 110 KB as
JSON and is said whole when a believed value changes. Ordinary captures cost far less (`make bench`): 42 KB each where
every second one brings about a referral and an alert.
"""

COST_FACTOR: Final = 8
"""And so many times its own bytes. Random walks made 5: kept as captured, as recognized and as a fact,
and what was believed of it in a profile.
"""

FREE_BYTES: Final = 16 * MB
"""What must be free before a NATS that refuses writes is started anew: one full atomic batch (8 MB), staged and
then stored. With less it would soon refuse again.
"""

GRANTED_SUBSCRIPTIONS: Final = 64
"""Of one connection of a rep to NATS: a client needs two or three, and each costs the server memory."""

GRANTED_BYTES: Final = 64 * KB
"""Of one message that a rep sends to NATS: requests for alerts and acknowledgements have some hundred."""
