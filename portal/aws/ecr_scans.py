"""What ECR's scanner found in images, counted by severity; an image it did not scan has no counts, not zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

DONE: Final = {"COMPLETE", "ACTIVE"}
NOT_SCANNED: Final = {"ScanNotFoundException", "ImageNotFoundException"}
# The new basic scanning tells nothing in DescribeImages; a list asks one by one for so many.
ASKED_IN_A_LIST: Final = 20


@dataclass(frozen=True)
class Scan:
    """`counts` by severity, or None and `why` they are not known."""

    counts: dict[str, int] | None = None
    why: str = ""


def counts(access: AccountAccess, repository: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Scan]:
    """digest -> what was found, of these images of DescribeImages. Never raises."""
    found: dict[str, Scan] = {}
    asked, denied = 0, ""
    for row in rows:
        digest = str(row["imageDigest"])
        scan = _summary(row)
        if scan is None and not denied and asked < ASKED_IN_A_LIST:
            asked += 1
            try:
                scan = _asked(access, repository, digest)
            except AwsError as error:
                denied = str(error)
        found[digest] = scan or Scan(why=denied or _("Not asked for in this list."))
    return found


def of_image(access: AccountAccess, repository: str, row: Mapping[str, Any], children: Sequence[str]) -> Scan:
    """What was found in one image; of an index the worst of its images, for each severity. Never raises."""
    try:
        scan = _summary(row) or _asked(access, repository, str(row["imageDigest"]))
        if scan.counts is None and children:
            return _worst([_asked(access, repository, child) for child in children[:10]])
    except AwsError as error:
        return Scan(why=str(error))
    return scan


def _worst(scans: Sequence[Scan]) -> Scan:
    if any(scan.counts is None for scan in scans):
        return Scan(why=next(scan.why for scan in scans if scan.counts is None))
    worst: dict[str, int] = {}
    for scan in scans:
        for severity, number in (scan.counts or {}).items():
            worst[severity] = max(number, worst.get(severity, 0))
    return Scan(worst)


def _summary(row: Mapping[str, Any]) -> Scan | None:
    """What DescribeImages said itself; None when it has to be asked for."""
    status = row.get("imageScanStatus") or {}
    summary = row.get("imageScanFindingsSummary")
    if summary is not None and status.get("status", "COMPLETE") in DONE:
        return Scan(_numbers(summary.get("findingSeverityCounts")))
    if status and status.get("status") not in DONE:
        return Scan(why=_status(status))
    return None


def _asked(access: AccountAccess, repository: str, digest: str) -> Scan:
    wanted = {"repositoryName": repository, "imageId": {"imageDigest": digest}, "maxResults": 1}
    try:
        answer = call(access, "ecr", "describe_image_scan_findings", **wanted)
    except AwsError as error:
        if error.code in NOT_SCANNED:
            return Scan(why=_("ECR has not scanned it."))
        raise
    status = answer.get("imageScanStatus") or {}
    if status.get("status", "COMPLETE") not in DONE:
        return Scan(why=_status(status))
    return Scan(_numbers((answer.get("imageScanFindings") or {}).get("findingSeverityCounts")))


def _status(status: Mapping[str, Any]) -> str:
    return _("The scan is %(status)s. %(text)s") % {
        "status": status.get("status"),
        "text": status.get("description") or "",
    }


def _numbers(said: Mapping[str, Any] | None) -> dict[str, int]:
    return {str(severity): int(number) for severity, number in (said or {}).items()}
