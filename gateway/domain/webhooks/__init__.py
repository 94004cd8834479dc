"""What of webhooks is a rule: which events, signed how, sent when again, and to which addresses never."""
