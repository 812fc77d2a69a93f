"""Which buckets are front ends: those that a distribution serves, and no others."""

from __future__ import annotations

import pytest

from environments.deployments.front_ends.places import front_end_of, front_ends_of
from environments.models import Environment, Resource, Tenant
from environments.runs.models import Output


@pytest.fixture
def here(tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


def resource(environment: Environment, type_: str, name: str, **attributes: object) -> None:
    Resource.objects.create(
        environment=environment,
        address=f"{type_}.{name.replace('.', '-')}",
        type=type_,
        name=name,
        provider_id=name,
        attributes=attributes,
    )


def bucket(environment: Environment, name: str) -> None:
    resource(environment, "aws_s3_bucket", name, bucket=name)


def distribution(environment: Environment, name: str, *origins: str) -> None:
    origin = [{"domain_name": domain} for domain in origins]
    resource(environment, "aws_cloudfront_distribution", name, origin=origin, domain_name="d.cloudfront.net")


def test_a_bucket_that_nothing_serves_is_none(here: Environment) -> None:
    for name in ("data", "my.site", "logs"):
        bucket(here, name)
    distribution(here, "E1", "my.site.s3.ap-northeast-2.amazonaws.com", "api.example.com")
    # A name that begins alike is another bucket.
    distribution(here, "E2", "dat.s3.amazonaws.com", "logs-old.s3.amazonaws.com")
    [found] = front_ends_of(here)
    assert (found.key, found.bucket, found.distribution_id) == ("my.site", "my.site", "E1")
    assert found.url == "https://d.cloudfront.net"
    assert front_end_of(here, "") == found
    assert front_end_of(here, "data") is None


def test_two_distributions_need_a_word_of_the_blueprint(here: Environment) -> None:
    bucket(here, "site")
    for name in ("E1", "E2"):
        distribution(here, name, "site.s3.eu-west-1.amazonaws.com")
    assert front_ends_of(here) == []
    said = {
        "web": {
            "bucket": "site",
            "distribution_id": "E2",
            "url": "https://x.example",
            "index_document": "a.html",
        }
    }
    Output.objects.create(environment=here, name="front_ends", type="dynamic", value=said)
    [found] = front_ends_of(here)
    assert (found.key, found.distribution_id, found.url, found.index) == (
        "web",
        "E2",
        "https://x.example",
        "a.html",
    )


@pytest.mark.parametrize("value", [[], "x", {"web": 1}, {"web": {"bucket": 5}}, {"web": {"bucket": "other"}}])
def test_an_output_that_says_nothing_useful_opens_no_bucket(here: Environment, value: object) -> None:
    bucket(here, "data")
    Output.objects.create(environment=here, name="front_ends", type="dynamic", value=value)
    assert front_ends_of(here) == []


def test_a_declared_distribution_must_be_of_the_inventory(here: Environment) -> None:
    bucket(here, "site")
    said = {"web": {"bucket": "site", "distribution_id": "E9"}}
    Output.objects.create(environment=here, name="front_ends", type="dynamic", value=said)
    assert front_ends_of(here) == []
