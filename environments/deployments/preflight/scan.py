"""What ECR's scanner found in the new image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, ok, unknown, warning

GRAVE: Final = ("CRITICAL", "HIGH")


def findings(target: Target, look: Look) -> Iterator[Finding]:
    image = target.image
    if image is None:
        return
    if image.scan is None:
        why = image.unread.get("scan") or _("ECR gave no result.")
        yield unknown("scan", _("What a scan would find in the image is not known: %(why)s") % {"why": why})
        return
    critical, high = (image.scan.get(severity, 0) for severity in GRAVE)
    if critical or high:
        yield warning(
            "scan",
            _("The image has %(critical)d critical and %(high)d high findings.")
            % {"critical": critical, "high": high},
            _("Read them in ECR; often a newer base image is enough."),
        )
    else:
        yield ok("scan", _("The scan found nothing critical or high."))
