"""Doing what was approved: every visit is one look at a rollout and at most one step."""
