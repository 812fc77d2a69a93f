"""Images as ECR tells of them: pages, findings, platforms, labels, and what may not be read."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.aws import ecr, ecr_manifests
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from tests.portal.aws.fakes import Fakes, denied, fakes

__all__ = ["fakes"]

NOW = datetime(2026, 11, 20, tzinfo=UTC)
REPOSITORY = "triflow-api"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def access() -> AccountAccess:
    return AccountAccess(
        "aws", "333333333333", "arn:aws:iam::333333333333:role/gatehouse", "", "ap-northeast-2"
    )


def digest(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def row(name: str, *tags: str, age: int = 0, **more: Any) -> dict[str, Any]:
    found = {"imageDigest": digest(name), "imagePushedAt": NOW - timedelta(days=age), "imageSizeInBytes": 10}
    return {**found, **({"imageTags": list(tags)} if tags else {}), **more}


def scanned(**counts: int) -> dict[str, Any]:
    return {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindingsSummary": {"findingSeverityCounts": counts},
    }


def listing(fakes: Fakes, *rows: dict[str, Any], after: str = "", token: str = "") -> None:
    asked = {"repositoryName": REPOSITORY, "maxResults": 1000} | ({"nextToken": after} if after else {})
    fakes("ecr").add_response(
        "describe_images", {"imageDetails": list(rows), **({"nextToken": token} if token else {})}, asked
    )


def test_images_come_from_all_pages_newest_first_and_tagged(fakes, access):
    listing(fakes, row("old", "v1", age=9, **scanned(HIGH=2)), row("untagged"), token="more")
    signature = row("sig", "sha256-" + "ab" * 32 + ".sig", **scanned())
    chart = row("chart", "c1", artifactMediaType="application/vnd.cncf.helm.config.v1+json", **scanned())
    listing(fakes, row("new", "v3", "v2", age=1, **scanned()), signature, chart, after="more")
    newest, oldest = ecr.images(access, REPOSITORY)
    assert (newest.tags, newest.scan, newest.size) == (("v2", "v3"), {}, 10)
    assert (oldest.tags, oldest.scan) == (("v1",), {"HIGH": 2})
    host = "333333333333.dkr.ecr.ap-northeast-2.amazonaws.com"
    assert newest.reference == f"{host}/{REPOSITORY}@{digest('new')}"
    fakes.done()


def test_only_the_newest_are_given(fakes, access):
    listing(fakes, *(row(f"i{age}", f"t{age}", age=age, **scanned()) for age in (3, 1, 2)))
    assert [image.tags for image in ecr.images(access, REPOSITORY, limit=2)] == [("t1",), ("t2",)]


def test_an_image_that_was_not_scanned_has_no_zero(fakes, access):
    listing(
        fakes, row("a", "v1"), row("b", "v2", imageScanStatus={"status": "FAILED", "description": "too big"})
    )
    fakes("ecr").add_client_error("describe_image_scan_findings", "ScanNotFoundException", "none")
    first, second = sorted(ecr.images(access, REPOSITORY), key=lambda image: image.tags)
    assert (first.scan, second.scan) == (None, None)
    assert first.unread == {"scan": "ECR has not scanned it."}
    assert "FAILED" in second.unread["scan"]


def test_findings_of_the_new_basic_scanning_are_asked_for(fakes, access):
    listing(fakes, row("a", "v1"))
    fakes("ecr").add_response(
        "describe_image_scan_findings",
        {
            "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindings": {"findingSeverityCounts": {"LOW": 3}},
        },
    )
    assert ecr.images(access, REPOSITORY)[0].scan == {"LOW": 3}


def test_a_missing_right_to_read_findings_is_asked_for_once_and_named(fakes, access):
    listing(fakes, row("a", "v1"), row("b", "v2"))
    denied(fakes("ecr"), "describe_image_scan_findings")
    for image in ecr.images(access, REPOSITORY):
        assert image.scan is None
        assert "ecr:DescribeImageScanFindings" in image.unread["scan"]
    fakes.done()


def test_a_missing_right_to_list_names_the_action(fakes, access):
    denied(fakes("ecr"), "describe_images")
    with pytest.raises(AwsError, match="ecr:DescribeImages") as refused:
        ecr.images(access, REPOSITORY)
    assert refused.value.action == "ecr:DescribeImages"


# --- one image -------------------------------------------------------------------------------------

CONFIGURATION = {
    "os": "linux",
    "architecture": "amd64",
    "config": {
        "Labels": {"org.opencontainers.image.revision": "abc", "org.opencontainers.image.version": "1"}
    },
}
BLOB = json.dumps(CONFIGURATION).encode()
BLOB_DIGEST = "sha256:" + hashlib.sha256(BLOB).hexdigest()


ASKED: dict[str, Any] = {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": "v2"}]}


def found(fakes: Fakes, image: dict[str, Any]) -> None:
    fakes("ecr").add_response("describe_images", {"imageDetails": [image]}, ASKED)


def manifest(fakes: Fakes, name: str, content: dict[str, Any]) -> None:
    image = {"imageId": {"imageDigest": digest(name)}, "imageManifest": json.dumps(content)}
    fakes("ecr").add_response(
        "batch_get_image",
        {"images": [image], "failures": []},
        {
            "repositoryName": REPOSITORY,
            "imageIds": [{"imageDigest": digest(name)}],
            "acceptedMediaTypes": [*ecr_manifests.INDEXES, *ecr_manifests.MANIFESTS],
        },
    )


def single(**more: Any) -> dict[str, Any]:
    return {"mediaType": MANIFEST, "config": {"digest": BLOB_DIGEST}, "layers": [], **more}


def blob(fakes: Fakes, monkeypatch: pytest.MonkeyPatch, url: str, content: bytes = BLOB) -> list[str]:
    """The configuration behind this address; what was fetched from where."""
    fakes("ecr").add_response(
        "get_download_url_for_layer",
        {"downloadUrl": url, "layerDigest": BLOB_DIGEST},
        {"repositoryName": REPOSITORY, "layerDigest": BLOB_DIGEST},
    )
    fetched: list[str] = []

    class Opener:
        def open(self, address: str, timeout: float) -> Any:
            fetched.append(address)
            from io import BytesIO

            return BytesIO(content)

    monkeypatch.setattr(ecr_manifests.urllib.request, "build_opener", lambda *handlers: Opener())
    return fetched


def test_one_image_tells_its_platform_and_labels(fakes, access, monkeypatch):
    found(fakes, row("a", "v2", **scanned(CRITICAL=1)))
    manifest(fakes, "a", single(annotations={"org.opencontainers.image.version": "2"}))
    blob(fakes, monkeypatch, "https://layers.example.com/x")
    image = ecr.find(access, REPOSITORY, "v2")
    assert image.platforms == ("linux/amd64",)
    # What stands on the manifest goes before what the build wrote into the configuration.
    assert image.labels == {
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.version": "2",
    }
    assert (image.scan, image.unread) == ({"CRITICAL": 1}, {})
    fakes.done()


def test_an_index_tells_each_platform_and_the_worst_findings(fakes, access, monkeypatch):
    parts = [
        {"digest": digest("amd"), "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": digest("arm"), "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": digest("proof"), "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    found(fakes, row("index", "v2"))
    manifest(fakes, "index", {"mediaType": INDEX, "manifests": parts})
    manifest(fakes, "amd", single())
    blob(fakes, monkeypatch, "https://layers.example.com/x")
    fakes("ecr").add_client_error("describe_image_scan_findings", "ScanNotFoundException", "an index")
    for counts in ({"HIGH": 1, "LOW": 4}, {"HIGH": 3}):
        answer = {
            "imageScanStatus": {"status": "ACTIVE"},
            "imageScanFindings": {"findingSeverityCounts": counts},
        }
        fakes("ecr").add_response("describe_image_scan_findings", answer)
    image = ecr.find(access, REPOSITORY, "v2")
    assert image.platforms == ("linux/amd64", "linux/arm64/v8")
    assert image.labels["org.opencontainers.image.revision"] == "abc"
    assert image.scan == {"HIGH": 3, "LOW": 4}
    fakes.done()


def test_what_may_not_be_read_is_unknown_with_the_missing_action(fakes, access):
    found(fakes, row("a", "v2", **scanned()))
    denied(fakes("ecr"), "batch_get_image")
    image = ecr.find(access, REPOSITORY, "v2")
    assert (image.platforms, image.labels, image.scan) == ((), {}, {})
    assert "ecr:BatchGetImage" in image.unread["platforms"]
    assert "ecr:BatchGetImage" in image.unread["labels"]


@pytest.mark.parametrize(
    ("url", "content", "why"),
    (
        ("http://layers.example.com/x", BLOB, "not https"),
        ("file:///etc/passwd", BLOB, "not https"),
        ("", BLOB, "not https"),
        ("https://layers.example.com/x", b"{}", "another digest"),
        ("https://layers.example.com/x", b"x" * (ecr_manifests.MOST + 1), "larger than"),
    ),
)
def test_a_configuration_that_is_not_its_own_is_not_believed(fakes, access, monkeypatch, url, content, why):
    found(fakes, row("a", "v2", **scanned()))
    manifest(fakes, "a", single())
    fetched = blob(fakes, monkeypatch, url, content)
    image = ecr.find(access, REPOSITORY, "v2")
    assert why in image.unread["platforms"]
    assert image.platforms == ()
    assert fetched == ([url] if url.startswith("https") else [])


@pytest.mark.parametrize("content", ({"config": []}, {"manifests": [7, {"digest": "x"}]}, {}))
def test_odd_manifests_are_unknown(fakes, access, content):
    found(fakes, row("a", "v2", **scanned()))
    manifest(fakes, "a", content)
    assert ecr.find(access, REPOSITORY, "v2").unread["platforms"]


def test_an_archived_image_is_refused(fakes, access):
    found(fakes, row("a", "v2", imageStatus="ARCHIVED"))
    with pytest.raises(AwsError, match="archive") as refused:
        ecr.find(access, REPOSITORY, "v2")
    assert refused.value.permanent


def test_an_archived_image_is_told_apart_from_one_that_never_was(fakes, access):
    fakes("ecr").add_client_error("describe_images", "ImageNotFoundException", "gone")
    archived = {"imageDetails": [row("a", "v2", imageStatus="ARCHIVED")]}
    fakes("ecr").add_response("describe_images", archived, {**ASKED, "filter": {"imageStatus": "ANY"}})
    with pytest.raises(AwsError, match="archive"):
        ecr.find(access, REPOSITORY, "v2")


@pytest.mark.parametrize(
    ("code", "words"),
    (("ImageNotFoundException", "has no image v2"), ("RepositoryNotFoundException", "no ECR repository")),
)
def test_what_is_not_there_is_said_for_good(fakes, access, code, words):
    for again in (code, "InvalidParameterException"):
        fakes("ecr").add_client_error("describe_images", again, "gone")
    with pytest.raises(AwsError, match=words) as refused:
        ecr.find(access, REPOSITORY, "v2")
    assert refused.value.permanent
