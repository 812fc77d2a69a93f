"""Errors of the ECS API that moto does not know."""

from __future__ import annotations

from moto.ecs.exceptions import ECSException


class ServiceNotActiveError(ECSException):
    """The service has been deleted."""

    def __init__(self) -> None:
        super().__init__("ServiceNotActiveException", "Service was not ACTIVE.")


class ServiceDeploymentNotFoundError(ECSException):
    """No service deployment has that ARN."""

    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "Service deployment not found.")


class ConflictError(ECSException):
    """The service deployment is over, or on its way back already."""

    def __init__(self, status: str) -> None:
        super().__init__(
            "ConflictException", f"Service deployment cannot be stopped: it is in the {status} status."
        )
