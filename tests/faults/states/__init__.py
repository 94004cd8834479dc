"""The states that a platform has to get through, one function each: what is done, and what readiness has to say of it
meanwhile.
"""
