"""The rule language: versioned YAML rulebooks of typed CEL expressions, evaluated with receipts.

Pure: no clock, no random, no I/O.
"""
