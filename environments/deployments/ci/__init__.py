"""Deploying from a build pipeline: a token for one environment, and how to use it."""
