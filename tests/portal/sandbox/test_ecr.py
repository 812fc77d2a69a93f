"""ECR in the sandbox: the demonstration's images as a registry has them."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from portal.sandbox.testing import RunningSandbox
from tests.environments.deployments.building import REGION, control
from tests.portal.sandbox.conftest import ClientMaker

ACCOUNT = "111111111111"


def repository(client: ClientMaker, application: str = "api") -> str:
    name = f"r{uuid4().hex[:6]}-{application}"
    client("ecr").create_repository(repositoryName=name)
    return name


@pytest.fixture
def seeded(sandbox: RunningSandbox, client: ClientMaker) -> Iterator[tuple[Any, str, dict[str, str]]]:
    name = repository(client)
    made = control(sandbox, "/sandbox/ecr/images", account=ACCOUNT, region=REGION, repository=name)
    yield client("ecr"), name, made["images"]


def manifest_of(ecr: Any, name: str, digest: str) -> dict[str, Any]:
    answer = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])
    assert not answer["failures"]
    text = answer["images"][0]["imageManifest"]
    # What is pulled by a digest is what the digest says.
    assert digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    found: dict[str, Any] = json.loads(text)
    return found


def test_every_image_has_its_own_digest_size_and_age(seeded: tuple[Any, str, dict[str, str]]) -> None:
    ecr, name, digests = seeded
    assert digests["latest"] == digests["v1"]
    assert len(set(digests.values())) == len(digests) - 1
    ids = [{"imageTag": tag} for tag in ("v1", "v2", "never-healthy", "cannot-pull")]
    found = ecr.describe_images(repositoryName=name, imageIds=ids)["imageDetails"]
    rows = {tag: row for row in found for tag in row["imageTags"]}
    assert sorted(rows) == ["cannot-pull", "latest", "never-healthy", "v1", "v2"]
    assert rows["v1"]["imagePushedAt"] < rows["v2"]["imagePushedAt"]
    assert rows["v1"]["imageSizeInBytes"] > 100_000_000
    assert rows["v1"]["imageStatus"] == "ACTIVE"
    assert rows["never-healthy"]["imageScanFindingsSummary"]["findingSeverityCounts"]["CRITICAL"] == 1
    assert rows["cannot-pull"]["imageScanStatus"]["status"] == "FAILED"


def test_the_same_application_has_the_same_digests_in_every_repository(
    sandbox: RunningSandbox, client: ClientMaker, seeded: tuple[Any, str, dict[str, str]]
) -> None:
    _ecr, _name, digests = seeded
    for application, same in (("api", True), ("ws", False)):
        name = repository(client, application)
        made = control(sandbox, "/sandbox/ecr/images", account=ACCOUNT, region=REGION, repository=name)
        assert (made["images"] == digests) == same


def test_seeding_twice_adds_nothing(sandbox: RunningSandbox, seeded: tuple[Any, str, dict[str, str]]) -> None:
    ecr, name, digests = seeded
    before = len(ecr.list_images(repositoryName=name)["imageIds"])
    again = control(sandbox, "/sandbox/ecr/images", account=ACCOUNT, region=REGION, repository=name)
    assert again["images"] == digests
    assert len(ecr.list_images(repositoryName=name)["imageIds"]) == before


def test_the_configuration_is_downloaded_from_the_sandbox(seeded: tuple[Any, str, dict[str, str]]) -> None:
    ecr, name, digests = seeded
    named = manifest_of(ecr, name, digests["v2"])["config"]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=named)["downloadUrl"]
    with urllib.request.urlopen(url, timeout=10) as answer:
        content = answer.read()
    assert named == f"sha256:{hashlib.sha256(content).hexdigest()}"
    configuration = json.loads(content)
    labels = configuration["config"]["Labels"]
    assert configuration["architecture"] == "amd64"
    assert labels["org.opencontainers.image.version"] == "v2"
    assert len(labels["org.opencontainers.image.revision"]) == 40
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url.replace(named, digests["v1"]), timeout=10)
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        ecr.get_download_url_for_layer(repositoryName=name, layerDigest="sha256:" + "0" * 64)


def test_an_index_names_its_images_and_is_not_scanned_itself(seeded: tuple[Any, str, dict[str, str]]) -> None:
    ecr, name, digests = seeded
    parts = manifest_of(ecr, name, digests["v3"])["manifests"]
    assert [part["platform"]["architecture"] for part in parts] == ["amd64", "arm64"]
    assert all(manifest_of(ecr, name, part["digest"])["layers"] for part in parts)
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        ecr.describe_image_scan_findings(repositoryName=name, imageId={"imageTag": "v3"})
    found = ecr.describe_image_scan_findings(repositoryName=name, imageId={"imageTag": "v1"})
    counts = found["imageScanFindings"]["findingSeverityCounts"]
    assert counts == {"HIGH": 2, "MEDIUM": 5, "LOW": 9}
    assert len(found["imageScanFindings"]["findings"]) == 16


def test_images_come_in_pages(seeded: tuple[Any, str, dict[str, str]]) -> None:
    ecr, name, _digests = seeded
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = ecr.describe_images(repositoryName=name, maxResults=3, **token)
        assert len(answer["imageDetails"]) <= 3
        found += [row["imageDigest"] for row in answer["imageDetails"]]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert len(found) == len(set(found)) == 11
    tagged = ecr.describe_images(repositoryName=name, filter={"tagStatus": "TAGGED"})["imageDetails"]
    assert len(tagged) == 9


def test_an_image_that_somebody_pushes_has_the_digest_of_its_manifest(client: ClientMaker) -> None:
    ecr, name = client("ecr"), repository(client)
    layer = {"mediaType": "application/octet-stream", "digest": "sha256:" + "1" * 64, "size": 7}
    for number in (1, 2):
        config = {"mediaType": "application/json", "digest": f"sha256:{number:064d}", "size": 5}
        text = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config,
                "layers": [layer],
            }
        )
        pushed = ecr.put_image(repositoryName=name, imageManifest=text, imageTag=f"p{number}")["image"]
        assert pushed["imageId"]["imageDigest"] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    rows = ecr.describe_images(repositoryName=name)["imageDetails"]
    assert [row["imageSizeInBytes"] for row in rows] == [12, 12]
    assert all("imageScanStatus" not in row for row in rows)


def test_a_control_says_what_is_wrong(sandbox: RunningSandbox) -> None:
    for asked in ({}, {"account": ACCOUNT, "region": REGION, "repository": "nowhere"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            control(sandbox, "/sandbox/ecr/images", **asked)
        assert refused.value.code == 400
        assert json.load(refused.value)["error"]
