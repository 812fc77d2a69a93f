"""docs/without-the-portal.md, followed: its code blocks are read out of it and run, with the real Terraform."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction

from environments.models import AwsAccount
from environments.runs import exporting
from environments.runs.models import StateVersion
from environments.runs.states import copying
from portal.accounts.principals import SYSTEM
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from portal.sandbox.testing import RunningSandbox
from tests.environments.runs.conftest import SECRET, Story
from tests.environments.runs.scene import live_sandbox  # noqa: F401 - a fixture
from tests.environments.runs.test_state_copies import bucket  # noqa: F401 - a fixture
from tests.portal.backup.conftest import type_

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "without-the-portal.md"
BLOCK = re.compile(r"^```sh (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# `aws`, as far as the document uses it, on the sandbox.
AWS = """#!{python}
import sys, boto3
s3 = boto3.client("s3", endpoint_url="{url}", region_name="ap-northeast-2", aws_access_key_id="{account}",
    aws_secret_access_key="sandbox")
words = sys.argv[1:]
if words[:2] == ["s3api", "list-objects-v2"]:
    assert words[words.index("--query") + 1] == "sort_by(Contents,&LastModified)[-1].Key", words
    found = s3.list_objects_v2(Bucket=words[words.index("--bucket") + 1], Prefix=words[words.index("--prefix") + 1])
    print(sorted(found["Contents"], key=lambda one: one["LastModified"])[-1]["Key"])
else:
    assert words[:2] == ["s3", "cp"], words
    bucket, _slash, key = words[2].removeprefix("s3://").partition("/")
    s3.download_file(bucket, key, words[3])
"""


def blocks() -> dict[str, str]:
    """The document's commands, by the word behind "sh"."""
    return dict(BLOCK.findall(DOCUMENT.read_text()))


class Shell:
    """Runs blocks one after the other, as somebody types them; variables stay."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder, self.done = folder, ""
        clean = {name: os.environ[name] for name in ("LANG", "HOME") if name in os.environ}
        path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environ = {
            **clean,
            "PATH": path,
            "PYTHONWARNINGS": "ignore",
            "TF_CLI_ARGS": "-no-color",
            **environ,
        }
        (folder / "bin").mkdir()

    def run(self, *scripts: str) -> str:
        """What the last of these said; the earlier ones only come along for their variables."""
        text = f"set -eu\ncd {ROOT}\n" + self.done + "\necho @@begin@@\n" + "\n".join(scripts)
        done = subprocess.run(
            ["sh", "-c", text], env=self.environ, capture_output=True, text=True, timeout=180, check=False
        )
        said = done.stdout.partition("@@begin@@\n")[2]
        assert done.returncode == 0, said + done.stderr
        return said

    def keep(self, script: str) -> None:
        """Variables and the folder that later blocks stand on."""
        self.done += script


def the_names(**values: Any) -> str:
    return "".join(f"{name}='{value}'\n" for name, value in values.items())


@pytest.fixture
def built(story: Story, tmp_path: Path) -> Story:
    """An environment that the portal applied, and a backup with its keys elsewhere."""
    story.define()
    change = story.apply()
    assert change.status == "succeeded", change.error_message
    type_("backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    return story


def settings_of_a_rescue(sandbox: RunningSandbox | None = None) -> dict[str, str]:
    """Only the sandbox's address: AWS has its own."""
    return {"GATEHOUSE_SANDBOX_URL": sandbox.url} if sandbox else {}


def test_every_block_of_the_document_is_tried_here():
    names = {"names", "open", "newer", "export", "bucket-names", "bucket", "enter", "plan", "apply", "tidy"}
    assert set(blocks()) == names
    assert DOCUMENT.read_text().count("```") == 2 * len(names)


@pytest.mark.slow
@pytest.mark.terraform
@pytest.mark.django_db(transaction=True)
def test_from_a_backup_to_a_plain_apply(built: Story, tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.fail("the document's first way opens a SQLite backup; this test runs on SQLite")
    said, shell = blocks(), Shell(tmp_path)
    rescue = tmp_path / "rescue"
    shell.keep(
        the_names(BACKUP=tmp_path / "backup", KEYS=tmp_path / "keys", ENVIRONMENT=built.environment.key,
                  RESCUE=rescue)
    )  # fmt: skip
    # The same names as in the document, with values of this test.
    assert re.findall(r"^(\w+)=", said["names"], re.MULTILINE) == re.findall(r"(\w+)=", shell.done)
    told = shell.run(said["open"])
    assert f"{built.environment.key}" in told
    assert "may be older than what stands" in told
    told = shell.run("export GATEHOUSE_DATA_DIR=$RESCUE/portal", said["export"])
    assert "definition 1, state version" in told
    for path in ("gatehouse.auto.tfvars.json", "terraform.tfstate", "gatehouse_override.tf"):
        assert stat.S_IMODE((rescue / "work" / "root" / path).stat().st_mode) == 0o600
    assert stat.S_IMODE((rescue / "work").stat().st_mode) == 0o700

    told = shell.run(said["enter"], said["plan"])
    assert "No changes. Your infrastructure matches the configuration." in told
    counted = built.counted
    variables = rescue / "work" / "root" / "gatehouse.auto.tfvars.json"
    values = json.loads(variables.read_text())
    assert values["password"] == SECRET
    variables.write_text(json.dumps({**values, "label": "rescued", "steps": 3}))
    told = shell.run(said["enter"], said["apply"])
    assert "Apply complete! Resources: 1 added, 2 changed, 0 destroyed." in told
    assert built.counted == counted + 1
    after = json.loads((rescue / "work" / "root" / "terraform.tfstate").read_text())
    newest = StateVersion.objects.newest()
    assert (after["lineage"], after["serial"] > newest.serial) == (newest.lineage, True)
    assert "No changes" in shell.run(said["enter"], said["plan"])
    assert AuditEvent.objects.filter(action="environment.export").count() == 0
    shell.run(said["tidy"])
    assert not rescue.exists()


@pytest.mark.slow
@pytest.mark.terraform
@pytest.mark.django_db(transaction=True)
def test_the_bucket_knows_what_the_backup_does_not(
    story: Story,
    bucket: Any,  # noqa: F811
    live_sandbox: RunningSandbox,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Backup, then another apply: with the bucket's copy the plan is empty, first way and second."""
    account = AwsAccount.objects.create(
        tenant=story.environment.tenant, name="main", account_id=bucket.account, state_bucket=bucket.name
    )
    story.environment.account = account
    story.environment.save()
    story.define()
    assert story.apply().status == "succeeded"
    type_("backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    story.environment.definitions.update(
        variables={"label": "step", "counter": str(story.counter), "steps": 3}
    )
    assert story.apply().status == "succeeded"
    copying.copy_all(story.environment.pk)

    said, shell = blocks(), Shell(tmp_path, **settings_of_a_rescue(live_sandbox))
    rescue = tmp_path / "rescue"
    shell.keep(
        the_names(BACKUP=tmp_path / "backup", KEYS=tmp_path / "keys", ENVIRONMENT=story.environment.key,
                  RESCUE=rescue)
    )  # fmt: skip
    told = shell.run(said["open"])
    assert f"to take it: manage.py recover_state {story.environment.key} --newest" in told
    shell.keep("export GATEHOUSE_DATA_DIR=$RESCUE/portal\n")
    told = shell.run(said["newer"])
    assert "newer  " in told
    shell.run(said["export"])
    variables = rescue / "work" / "root" / "gatehouse.auto.tfvars.json"
    values = {**json.loads(variables.read_text()), "steps": 3}
    variables.write_text(json.dumps(values))
    assert "No changes" in shell.run(said["enter"], said["plan"])

    # The second way: no backup at all.
    program = tmp_path / "bin" / "aws"
    program.write_text(AWS.format(python=sys.executable, url=live_sandbox.url, account=bucket.account))
    program.chmod(0o755)
    names = the_names(
        BUCKET=bucket.name,
        PLACE=f"gatehouse/{story.environment.tenant.slug}/{story.environment.slug}",
        BLUEPRINT=Path(__file__).parent / "blueprints" / "steps",
        WORK=tmp_path / "second" / "blueprints" / "steps",
    )
    assert re.findall(r"^(\w+)=", said["bucket-names"], re.MULTILINE) == re.findall(r"(\w+)=", names)
    shell.keep(names)
    shell.run(said["bucket"])
    work = tmp_path / "second" / "blueprints" / "steps"
    newest = StateVersion.objects.newest()
    assert hashlib.md5((work / "terraform.tfstate").read_bytes()).hexdigest() == newest.md5
    (work / "rescue.auto.tfvars.json").write_text(json.dumps(values))
    assert "No changes" in shell.run(f"cd {work}", said["plan"])


@pytest.mark.terraform
@pytest.mark.django_db(transaction=True)
def test_an_export_is_recorded_and_refuses_what_is_not_there(story: Story, tmp_path: Path) -> None:
    key = story.environment.key
    with pytest.raises(CommandError, match="no such definition"):
        type_("export_environment", key, tmp_path / "a")
    first = story.define()
    story.define(label="second")
    told = type_("export_environment", key, tmp_path / "a")
    assert "definition 2, no state yet" in told
    assert not (tmp_path / "a" / "root" / "terraform.tfstate").exists()
    event = AuditEvent.objects.get(action="environment.export")
    assert event.after == {"definition": 2, "version": None, "folder": str(tmp_path / "a")}
    assert SECRET not in json.dumps(event.after)
    type_("export_environment", key, tmp_path / "b", "--definition", "1")
    assert json.loads((tmp_path / "b" / "root" / "gatehouse.auto.tfvars.json").read_text())["label"] == "step"
    for words, refusal in [
        ((key, tmp_path / "a"), "not empty"),
        (("no.where", tmp_path / "c"), "no environment"),
        ((key, tmp_path / "c", "--state", "7"), "no state version 7"),
        ((key, tmp_path / "c", "--definition", "9"), "no such definition"),
    ]:
        with pytest.raises(CommandError, match=refusal):
            type_("export_environment", *words)
    with pytest.raises(Conflict), transaction.atomic():
        exporting.export(story.environment, tmp_path / "a", by=SYSTEM, definition=first, version=None)
    assert AuditEvent.objects.filter(action="environment.export").count() == 2
