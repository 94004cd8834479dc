"""The rules of moving through the stages: pure, clockless; the stage of a person is a view of the moves that hang on
their fragments.
"""
