"""The catalogue of why tasks stop or cannot start: how each cause is recognised, and what helps.

Texts of AWS: "Stopped tasks error messages" and "CannotPullContainer task errors" of the ECS developer
guide. Entries stand from the particular to the general: the first that fits is shown.
"""

from typing import Final

from environments.deployments.catalogue.ending import ENDED, TAKEN
from environments.deployments.catalogue.events import EVENTS
from environments.deployments.catalogue.pulling import PULLING
from environments.deployments.catalogue.running import RUNNING
from environments.deployments.catalogue.shapes import Diagnosis, Entry, Facts
from environments.deployments.catalogue.starting import STARTING

__all__ = ["EVENTS", "STOPS", "Diagnosis", "Entry", "Facts"]

STOPS: Final[tuple[Entry, ...]] = (*PULLING, *STARTING, *TAKEN, *RUNNING, *ENDED)
