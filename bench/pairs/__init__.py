"""Measurements in pairs: two or more contenders take turns in one run, so that a busy machine is unfair to all of them
alike.
"""
