"""ECS services that behave: see portal.sandbox.ecs."""

# Importing them joins them to moto.
from portal.sandbox.ecs import rollout_calls, service_calls, task_calls

__all__ = ["rollout_calls", "service_calls", "task_calls"]
