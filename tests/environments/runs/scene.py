"""An environment whose state says one thing while people do another in the sandbox, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.utils import timezone

from environments.blueprints import snapshots
from environments.changes.models import Change
from environments.models import AwsAccount, Definition, Environment, Tenant
from environments.runs.live import checks, rows
from environments.runs.models import LiveCheck, LiveExtra, StateVersion
from portal.accounts.models import User
from portal.sandbox.testing import RunningSandbox, running_sandbox
from tests.environments.runs.crafted import planned

REGION = "ap-northeast-2"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(scope="session")
def live_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@dataclass
class Account:
    """An account that the scenes of a session share, with the clients of those who work in it: making one costs
    a third of a second. Names of resources are never used twice."""

    sandbox: RunningSandbox
    number: str
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, key: str, secret: str) -> Any:
        if (service, key) not in self.clients:
            self.clients[service, key] = boto3.client(
                service,
                endpoint_url=self.sandbox.url,
                region_name=REGION,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
            )
        return self.clients[service, key]


@pytest.fixture(scope="session")
def live_account(live_sandbox: RunningSandbox) -> Account:
    return Account(live_sandbox, f"{uuid4().int % 10**12:012d}")


@dataclass
class Scene:
    """`state` is what Terraform wrote; `by_hand` is a person's own client, whom CloudTrail knows by name."""

    environment: Environment
    account: str
    people: Account
    resources: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.people.client(service, self.account, "sandbox")

    def by_hand(self, service: str, person: str = "kim") -> Any:
        """A client of an IAM user of that name, made on first use."""
        keys = self.people.keys
        if person not in keys:
            iam = self.client("iam")
            iam.create_user(UserName=person)
            key = iam.create_access_key(UserName=person)["AccessKey"]
            keys[person] = key["AccessKeyId"], key["SecretAccessKey"]
        return self.people.client(service, *keys[person])

    def managed(self, address: str, **attributes: Any) -> None:
        """A resource of the state; the next `write_state` has it."""
        module, _dot, rest = address.rpartition("module.")
        parts = rest.split(".") if module else address.split(".")
        if module or address.startswith("module."):
            *way, type_, name = address.split(".")
            self.resources.append(self._resource(".".join(way), type_, name, attributes))
            return
        self.resources.append(self._resource("", parts[0], parts[1], attributes))

    @staticmethod
    def _resource(module: str, type_: str, name: str, attributes: dict[str, Any]) -> dict[str, Any]:
        found = {
            "mode": "managed",
            "type": type_,
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
        }
        return {**found, "module": module} if module else found

    def write_state(self) -> None:
        newest = StateVersion.objects.filter(environment=self.environment).newest()
        number = newest.number + 1 if newest else 1
        document = {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": number,
            "lineage": "one",
            "outputs": {},
            "resources": self.resources,
        }
        body = json.dumps(document).encode()
        StateVersion.objects.create(
            environment=self.environment,
            number=number,
            lineage="one",
            serial=number,
            size=len(body),
            md5="0",
            content=body,
            written_by="test",
        )

    def group(self, name: str = "", address: str = "aws_security_group.bare", **inside: Any) -> str:
        """A security group in AWS and in the state, without rules unless `inside` says what the state has."""
        ec2 = self.client("ec2")
        made = ec2.create_security_group(GroupName=name or uuid4().hex[:8], Description="made by Terraform")
        group = str(made["GroupId"])
        ec2.revoke_security_group_egress(
            GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        )
        arn = f"arn:aws:ec2:{REGION}:{self.account}:security-group/{group}"
        self.managed(address, id=group, arn=arn, name=name, **{"ingress": [], "egress": [], **inside})
        return group

    def role(self, address: str = "aws_iam_role.bare", **inside: Any) -> str:
        """A role in AWS and in the state."""
        name = f"role-{uuid4().hex[:8]}"
        self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        arn = f"arn:aws:iam::{self.account}:role/{name}"
        self.managed(address, id=name, arn=arn, name=name, **inside)
        return name

    def bucket(self, address: str = "aws_s3_bucket.this", **inside: Any) -> str:
        name = f"bucket-{uuid4().hex[:12]}"
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.managed(address, id=name, bucket=name, arn=f"arn:aws:s3:::{name}", region=REGION, **inside)
        return name

    def database(self, address: str = "aws_db_instance.this", **inside: Any) -> str:
        name = f"db-{uuid4().hex[:8]}"
        self.client("rds").create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20,
            MasterUsername="main",
            MasterUserPassword="long enough",
        )
        arn = f"arn:aws:rds:{REGION}:{self.account}:db:{name}"
        self.managed(address, id=name, identifier=name, arn=arn, publicly_accessible=False, **inside)
        return name

    def open_port(self, group: str, port: int = 5432, source: str = "0.0.0.0/0", person: str = "kim") -> None:
        self.by_hand("ec2", person).authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp=source
        )

    def look(self) -> list[LiveExtra]:
        """A look now; what stands there afterwards, worst first."""
        LiveCheck.objects.get_or_create(environment=self.environment)
        checks.check(self.environment.pk)
        return list(rows.open_extras(self.environment))


@pytest.fixture
def exposed(settings: Any) -> str:
    """The digest of a blueprint that says of some resources more than of others."""
    settings.BLUEPRINT_DIRS = [Path(__file__).parent / "blueprints"]
    snapshots._seen.clear()
    return str(snapshots.current_snapshot("exposed").digest)


@pytest.fixture
def scene(live_account: Account, tenant: Tenant, operator: User, settings: Any, exposed: str) -> Scene:
    """An applied environment in the sandbox."""
    settings.SANDBOX_URL = live_account.sandbox.url
    account = AwsAccount.objects.create(tenant=tenant, name="Main", account_id=live_account.number)
    place = Environment.objects.create(
        tenant=tenant,
        slug="live",
        name="live",
        environment_class="staging",
        blueprint="exposed",
        account=account,
        region=REGION,
    )
    definition = Definition.objects.create(
        environment=place,
        number=1,
        blueprint="exposed",
        snapshot=exposed,
        variables={"label": "main"},
        author=operator,
    )
    change = planned(place, operator, [], definition=definition)
    long_ago = timezone.now() - timezone.timedelta(hours=1)
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=long_ago)
    return Scene(place, live_account.number, live_account)
