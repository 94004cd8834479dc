"""What a capture is: pure functions from what came over the wire to an
interaction, or to a refusal that names the field.
"""
