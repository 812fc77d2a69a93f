"""What can go wrong here, as one family of exceptions with messages fit for a page."""

from __future__ import annotations


class TerraformError(Exception):
    """Base of every error this package raises on purpose; `str()` is one plain sentence."""


class TerraformMissing(TerraformError):
    """The binary (or a usable version of it) is not on this machine; the message says what to install."""


class CommandRefused(TerraformError):
    """A sub-command, option or value that the portal never hands to Terraform."""


class NotStarted(TerraformError):
    """The operating system could not start the process; nothing ran."""


class PlanUnreadable(TerraformError):
    """The document is not a plan in a format we know."""


class StateUnreadable(TerraformError):
    """The document is not a Terraform state of version 4."""
