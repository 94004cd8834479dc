"""The view of a person, put together from what each service knows. A part that fails is
named in `degraded`; the rest is answered.
"""
