"""ECS services that behave: see portal.sandbox.ecs."""

# Importing them joins them to moto.
from portal.sandbox.ecs import definition_calls, rollout_calls, service_calls, task_calls

__all__ = ["definition_calls", "rollout_calls", "service_calls", "task_calls"]
