"""Proving the outcome, and the way back when it is not as approved."""
