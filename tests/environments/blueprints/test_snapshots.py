"""Snapshots: the blueprint's content and nothing else, taken when it changes, unpacked without trust."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from environments.blueprints import archives
from environments.blueprints.archives import ArchiveDamaged
from environments.blueprints.collecting import collect
from environments.blueprints.hcl import BlueprintUnreadable
from environments.blueprints.models import BlueprintSnapshot, ProviderLock
from environments.blueprints.snapshots import (
    current_snapshot,
    earlier_lock,
    lock_for,
    offers,
    title_and_summary,
    unpack,
    with_lock_file,
)
from portal.core.errors import NotFound

FILES = {
    "blueprints/shop/main.tf": (
        'module "net" {\n  source = "../../modules/net"\n}\nmodule "own" {\n  source = "./own"\n}\n'
    ),
    "blueprints/shop/variables.tf": 'variable "name" {\n  type = string\n}\n',
    "blueprints/shop/outputs.tf": 'output "name" {\n  value = var.name\n}\n',
    "blueprints/shop/own/main.tf": "",
    "blueprints/shop/README.md": "# The shop\n\nSells\nthings.\n\n## More\n",
    "blueprints/shop/ownership.json": '{"task_definition": {"image": "deployment"}}',
    "blueprints/shop/tests/a.tftest.hcl": "",
    "blueprints/shop/examples/small/main.tf": "",
    "blueprints/shop/.terraform/providers/big": "x",
    "blueprints/shop/terraform.tfstate": "{}",
    "blueprints/shop/production.auto.tfvars": 'name = "smuggled"',
    "modules/net/main.tf": 'module "deep" {\n  source = "../deep"\n}\n',
    "modules/net/user_data.sh": "#!/bin/sh\n",
    "modules/deep/main.tf": "",
    "modules/unused/main.tf": "",
}
EXPECTED = [
    "blueprints/shop/README.md",
    "blueprints/shop/main.tf",
    "blueprints/shop/outputs.tf",
    "blueprints/shop/own/main.tf",
    "blueprints/shop/ownership.json",
    "blueprints/shop/variables.tf",
    "modules/deep/main.tf",
    "modules/net/main.tf",
    "modules/net/user_data.sh",
]


@pytest.fixture
def tree(tmp_path: Path, settings: Settings) -> Path:
    base = tmp_path / "terraform"
    for name, text in FILES.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (base / "modules/net/user_data.sh").chmod(0o755)
    settings.BLUEPRINT_DIRS = [base / "blueprints"]
    return base


def test_only_what_the_root_reaches_is_taken(tree: Path) -> None:
    assert [file.path for file in collect(tree / "blueprints/shop")] == EXPECTED


@pytest.mark.django_db
def test_a_snapshot_is_taken_once_per_content(tree: Path) -> None:
    first = current_snapshot("shop")
    assert (first.title, first.summary) == ("The shop", "Sells things.")
    assert first.fields == {"task_definition": {"image": "deployment"}}
    assert [v.name for v in first.schema] == ["name"]
    assert first.file_count == len(EXPECTED)
    assert current_snapshot("shop").pk == first.pk
    (tree / "modules/deep/main.tf").write_text("# changed\n")
    second = current_snapshot("shop")
    assert second.digest != first.digest
    (tree / "modules/deep/main.tf").write_text("")
    assert current_snapshot("shop").digest == first.digest
    (tree / "modules/unused/main.tf").write_text("# nobody looks\n")
    assert current_snapshot("shop").digest == first.digest
    assert BlueprintSnapshot.objects.count() == 2


@pytest.mark.django_db
def test_a_second_look_reads_nothing(tree: Path, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    current_snapshot("shop")
    with django_assert_num_queries(1):
        current_snapshot("shop")


@pytest.mark.django_db
def test_unpacked_it_is_what_was_taken(tree: Path, tmp_path: Path) -> None:
    snapshot = current_snapshot("shop")
    root = unpack(snapshot, tmp_path / "run")
    assert root == tmp_path / "run" / "blueprints" / "shop"
    assert (
        sorted(p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*.*"))
        == EXPECTED
    )
    assert (root / "../../modules/net/main.tf").read_text() == FILES["modules/net/main.tf"]
    assert os.access(tmp_path / "run/modules/net/user_data.sh", os.X_OK)
    with pytest.raises(FileExistsError):
        unpack(snapshot, tmp_path / "run")


@pytest.mark.django_db
def test_a_tampered_archive_is_refused(tree: Path, tmp_path: Path) -> None:
    snapshot = current_snapshot("shop")
    content = archives.read(bytes(snapshot.archive))
    content["blueprints/shop/main.tf"] = b"# something else", False
    snapshot.archive = archives.pack(content)
    with pytest.raises(ArchiveDamaged):
        unpack(snapshot, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil"])
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(ArchiveDamaged):
        archives.read(buffer.getvalue())
    with pytest.raises(ArchiveDamaged):
        archives.write({name: (b"", False)}, tmp_path)


def test_a_link_in_an_archive_is_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ArchiveDamaged):
        archives.read(buffer.getvalue())
    with pytest.raises(ArchiveDamaged):
        archives.read(b"no archive")


def test_packing_depends_on_content_alone() -> None:
    content = {"b": (b"2", False), "a": (b"1", True)}
    assert archives.pack(content) == archives.pack(dict(sorted(content.items())))
    assert archives.read(archives.pack(content)) == content
    assert archives.content_digest("r", content) != archives.content_digest(
        "r", {**content, "a": (b"1", False)}
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"terraform-aws-modules/vpc/aws"', "relative path"),
        ('"git::https://example.com/x.git"', "relative path"),
        ('"../../../outside"', "outside"),
        ('"../.."', "outside"),
        ('"../../modules/none"', "does not exist"),
        ('"../../modules/${var.name}"', "plain text"),
    ],
)
def test_modules_that_cannot_be_pinned_are_refused(tree: Path, source: str, words: str) -> None:
    (tree.parent / "outside").mkdir()
    (tree / "blueprints/shop/extra.tf").write_text(f'\nmodule "x" {{\n  source = {source}\n}}\n')
    with pytest.raises(BlueprintUnreadable, match=words) as caught:
        collect(tree / "blueprints/shop")
    assert "blueprints/shop/extra.tf, line 2" in caught.value.message


def test_links_that_lead_outside_are_refused(tree: Path) -> None:
    (tree.parent / "secret").write_text("x")
    (tree / "modules/net/link.txt").symlink_to(tree / "modules/deep/main.tf")
    assert "modules/net/link.txt" in [file.path for file in collect(tree / "blueprints/shop")]
    (tree / "modules/net/link.txt").unlink()
    (tree / "modules/net/link.txt").symlink_to(tree.parent / "secret")
    with pytest.raises(BlueprintUnreadable, match="outside"):
        collect(tree / "blueprints/shop")


def test_a_blueprint_has_a_size_limit(tree: Path) -> None:
    (tree / "blueprints/shop/big.bin").write_bytes(b"x" * (21 * 1024 * 1024))
    with pytest.raises(BlueprintUnreadable, match="20 MB"):
        collect(tree / "blueprints/shop")


@pytest.mark.django_db
def test_a_broken_blueprint_is_offered_with_its_fault(tree: Path) -> None:
    (tree / "blueprints/bad").mkdir()
    (tree / "blueprints/bad/main.tf").write_text('variable "x" {\n  type = wrong\n}\n')
    found = {offer.slug: offer for offer in offers()}
    assert found["shop"].snapshot is not None
    assert found["bad"].error is not None and "main.tf, line 2" in found["bad"].error.message
    with pytest.raises(NotFound):
        current_snapshot("none")


@pytest.mark.django_db
def test_lock_files_belong_to_an_installation(tree: Path, tmp_path: Path) -> None:
    snapshot = current_snapshot("shop")
    assert lock_for(snapshot, "linux_amd64") is None
    with_lock_file(snapshot, b"first", platform="linux_amd64")
    assert with_lock_file(snapshot, b"second", platform="linux_amd64").text == "first"
    root = unpack(snapshot, tmp_path / "a", platform="linux_amd64")
    assert (root / ".terraform.lock.hcl").read_text() == "first"
    assert not (unpack(snapshot, tmp_path / "b", platform="darwin_arm64") / ".terraform.lock.hcl").exists()
    (tree / "modules/deep/main.tf").write_text("# newer\n")
    newer = current_snapshot("shop")
    assert (lock_for(newer, "linux_amd64"), earlier_lock(newer, "linux_amd64")) == (None, "first")
    assert ProviderLock.objects.count() == 1


def test_titles() -> None:
    assert title_and_summary("", "web-service") == ("Web service", "")
    assert title_and_summary("intro\n# T #\n\n| a |\n\nText.", "x")[1] == "Text."


@pytest.mark.django_db
@pytest.mark.terraform
def test_terraform_reads_an_unpacked_snapshot(tree: Path, tmp_path: Path) -> None:
    root = unpack(current_snapshot("shop"), tmp_path / "run")
    done = subprocess.run(["terraform", "init", "-backend=false"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "own" in done.stdout and "net" in done.stdout
