"""The static front ends of an environment: buckets behind a CloudFront distribution, and no others.

Putting a release in force deletes whatever else is in its bucket: a bucket that no distribution serves, a
data or log bucket perhaps, is never one of them.

    output "front_ends" {
      value = {
        site = { bucket = "...", distribution_id = "E...", url = "https://...", index_document = "index.html" }
      }
    }
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from environments.models import Environment, Resource
from environments.registry import registry

OUTPUT: Final = "front_ends"
BUCKET: Final = "aws_s3_bucket"
DISTRIBUTION: Final = "aws_cloudfront_distribution"
INDEX: Final = "index.html"
_ORIGIN = re.compile(r"(.+)\.s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class FrontEnd:
    """One front end; `address` is its bucket's in the inventory, `key` the short name people use."""

    key: str
    address: str
    bucket: str
    distribution_id: str
    url: str = ""
    index: str = INDEX


def front_ends_of(environment: Environment) -> list[FrontEnd]:
    """Those whose bucket the inventory holds and a distribution of the inventory serves, by key."""
    rows = Resource.objects.filter(environment=environment, type__in=[BUCKET, DISTRIBUTION])
    ordered = sorted(rows, key=lambda row: row.address)
    distributions = [row for row in ordered if row.type == DISTRIBUTION]
    declared = _declared(registry.outputs(environment).get(OUTPUT))
    found = []
    for row in ordered:
        if row.type == BUCKET:
            bucket = str(row.attributes.get("bucket") or row.provider_id)
            key, said = declared.get(bucket, (bucket, {}))
            serving = _serving(bucket, distributions, str(said.get("distribution_id") or ""))
            if serving is not None:
                found.append(_front_end(key, row.address, bucket, serving, said))
    return sorted(found, key=lambda one: one.key)


def front_end_of(environment: Environment, named: str) -> FrontEnd | None:
    """The one with this key, bucket or address; the only one there is when nothing is named."""
    found = front_ends_of(environment)
    if not named:
        return found[0] if len(found) == 1 else None
    fitting = [one for one in found if named in (one.key, one.bucket, one.address)]
    return fitting[0] if len(fitting) == 1 else None


def _declared(output: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Bucket -> (key, what the blueprint says of it)."""
    if not isinstance(output, Mapping):
        return {}
    return {
        str(said["bucket"]): (str(key), said)
        for key, said in output.items()
        if isinstance(said, Mapping) and isinstance(said.get("bucket"), str)
    }


def _serving(bucket: str, distributions: Sequence[Resource], declared: str) -> Resource | None:
    """The distribution in front of the bucket: the declared one, else the only one that reads from it."""
    if declared:
        return next((row for row in distributions if row.provider_id == declared), None)
    reading = [row for row in distributions if bucket in _origins(row)]
    return reading[0] if len(reading) == 1 else None


def _origins(distribution: Resource) -> set[str]:
    """Names of the buckets that it reads from: "<bucket>.s3.<region>.amazonaws.com" and older forms."""
    origins = distribution.attributes.get("origin")
    names = [str(one.get("domain_name") or "") for one in origins or () if isinstance(one, Mapping)]
    return {match[1] for name in names if (match := _ORIGIN.fullmatch(name))}


def _front_end(key: str, address: str, bucket: str, serving: Resource, said: Mapping[str, Any]) -> FrontEnd:
    domain = str(serving.attributes.get("domain_name") or "")
    url = str(said.get("url") or (f"https://{domain}" if domain else ""))
    return FrontEnd(key, address, bucket, serving.provider_id, url, str(said.get("index_document") or INDEX))
