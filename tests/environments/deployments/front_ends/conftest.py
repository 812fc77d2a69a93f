"""A front end in the sandbox: a bucket behind a distribution, and builds to put there."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from environments.changes.models import Change
from environments.deployments.front_ends import actions
from environments.models import AwsAccount, Environment, Resource, Tenant
from portal.accounts.models import User
from tests.cast import by
from tests.environments.deployments.building import REGION, Clients
from tests.environments.deployments.scene import Scene

FIRST = {"index.html": "<script src=/assets/index-aaaa1111.js>", "assets/index-aaaa1111.js": "one"}
SECOND = {
    "index.html": "<script src=/assets/index-bbbb2222.js>",
    "about/index.html": "about",
    "assets/index-bbbb2222.js": "two",
    "logo.svg": "<svg/>",
}


def zipped(files: dict[str, str | bytes], **other: Any) -> bytes:
    """A zip of these files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return written.getvalue()


@dataclass
class Site:
    """One front end, the acts on it, and what visitors would get."""

    environment: Environment
    bucket: str
    distribution: str
    client: Clients
    scene: Scene
    operator: User

    def upload(self, files: dict[str, Any], **options: Any) -> Change:
        return actions.request_release(
            by=by(self.operator), environment=self.environment, content=zipped(files), **options
        )

    def put(self, files: dict[str, Any], **options: Any) -> Change:
        """Upload, and follow it to its end."""
        return self.scene.drive(self.upload(files, **options))

    def roll_back(self, number: int) -> Change:
        return actions.request_rollback(
            by=by(self.operator), environment=self.environment, front_end="", number=number
        )

    @property
    def content(self) -> dict[str, str]:
        """What the bucket holds."""
        s3 = self.client("s3")
        rows = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {
            row["Key"]: s3.get_object(Bucket=self.bucket, Key=row["Key"])["Body"].read().decode()
            for row in rows
        }

    @property
    def invalidations(self) -> list[dict[str, Any]]:
        answer = self.client("cloudfront").list_invalidations(DistributionId=self.distribution)
        found: list[dict[str, Any]] = answer["InvalidationList"].get("Items", [])
        return found


def _distribution(client: Clients, bucket: str) -> str:
    domain = f"{bucket}.s3.{REGION}.amazonaws.com"
    behaviour = {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https"}
    config = {
        "CallerReference": bucket,
        "Comment": "",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "site", "DomainName": domain, "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        },
        "DefaultCacheBehavior": behaviour,
    }
    made = client("cloudfront").create_distribution(DistributionConfig=config)
    return str(made["Distribution"]["Id"])


def build_site(scene: Scene, tenant: Tenant, operator: User, *, production: bool = False) -> Site:
    client, bucket = scene.client, f"site-{uuid4().hex[:12]}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    distribution = _distribution(client, bucket)
    account = AwsAccount.objects.create(tenant=tenant, name=bucket, account_id=client.account)
    kind = "production" if production else "staging"
    environment = Environment.objects.create(
        tenant=tenant,
        slug=f"{kind}-{bucket[5:11]}-x",
        name=kind,
        environment_class=kind,
        account=account,
        region=REGION,
    )
    rows = (
        ("module.bucket.aws_s3_bucket.this", "aws_s3_bucket", bucket, {"bucket": bucket}),
        ("aws_s3_bucket.data", "aws_s3_bucket", f"{bucket}-data", {"bucket": f"{bucket}-data"}),
        (
            "module.delivery.aws_cloudfront_distribution.this",
            "aws_cloudfront_distribution",
            distribution,
            {
                "domain_name": "d1.cloudfront.net",
                "origin": [{"domain_name": f"{bucket}.s3.{REGION}.amazonaws.com"}],
            },
        ),
    )
    for address, type_, name, attributes in rows:
        Resource.objects.create(
            environment=environment,
            address=address,
            type=type_,
            name="this",
            provider_id=name,
            attributes=attributes,
        )
    return Site(environment, bucket, distribution, client, scene, operator)


@pytest.fixture
def site(scene: Scene, tenant: Tenant, operator: User) -> Site:
    """In staging: nobody has to approve."""
    return build_site(scene, tenant, operator)


@pytest.fixture
def live_site(scene: Scene, tenant: Tenant, operator: User) -> Site:
    """In production, with its policy."""
    return build_site(scene, tenant, operator, production=True)
