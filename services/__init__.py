"""The services, one room each: identity recognizes, scoring records, lifecycle and nurture react, routing refers,
metrics measures.
"""
