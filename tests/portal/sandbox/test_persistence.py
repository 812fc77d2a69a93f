"""Content is kept over restarts and kills; a snapshot that cannot be used is set aside."""

import json
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.sandbox import snapshot
from portal.sandbox.gate import RequestGate
from portal.sandbox.keeper import FILE_NAME, DataFolderError, Keeper
from portal.sandbox.testing import (
    GoldenSnapshot,
    RunningSandbox,
    SandboxDidNotStartError,
    running_sandbox,
)
from tests.portal.sandbox.conftest import client_for


def remember(sandbox: RunningSandbox, name: str = "kept") -> None:
    client_for(sandbox, "ssm").put_parameter(Name=name, Value="value", Type="String")


def remembered(sandbox: RunningSandbox, name: str = "kept") -> bool:
    found = client_for(sandbox, "ssm").describe_parameters()["Parameters"]
    return name in {parameter["Name"] for parameter in found}


def set_aside(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{FILE_NAME}.unusable-*"))


@pytest.fixture(scope="module")
def snapshot_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "data"
    with running_sandbox(folder) as sandbox:
        remember(sandbox)
    return folder / FILE_NAME


@pytest.fixture
def saved(tmp_path: Path, snapshot_once: Path) -> Path:
    """A data folder with a snapshot that remembers something."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copy(snapshot_once, folder)
    return folder


def test_a_restart_keeps_everything(saved: Path) -> None:
    with running_sandbox(saved) as sandbox:
        health = sandbox.health()
        assert health["restored_at"] is not None
        assert health["unsaved_changes"] is False
        assert remembered(sandbox)
        assert "111111111111" in health["accounts"]
    assert (saved / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert saved.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in saved.iterdir()} == {FILE_NAME, "lock"}


@pytest.mark.slow
def test_objects_and_queues_survive_with_their_relations(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        s3, sqs, kms = (client_for(sandbox, service) for service in ("s3", "sqs", "kms"))
        s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        for body in (b"first", b"second" * 2_000_000):
            s3.put_object(Bucket="kept", Key="state", Body=body)
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        target = asked["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 1})
        settings = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
        queue = sqs.create_queue(QueueName="kept", Attributes=settings)
        sqs.send_message(QueueUrl=queue["QueueUrl"], MessageBody="hello")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        secret = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    with running_sandbox(tmp_path / "data") as sandbox:
        s3, sqs, kms = (client_for(sandbox, service) for service in ("s3", "sqs", "kms"))
        assert s3.get_object(Bucket="kept", Key="state")["Body"].read() == b"second" * 2_000_000
        assert len(s3.list_object_versions(Bucket="kept")["Versions"]) == 2
        url = sqs.get_queue_url(QueueName="kept")["QueueUrl"]
        for _ in range(3):
            sqs.receive_message(QueueUrl=url)
        url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"
        assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"text"


@pytest.mark.slow
def test_a_kill_loses_seconds_only(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data", save_every=0.5) as sandbox:
        remember(sandbox)
        deadline = time.monotonic() + 20
        while sandbox.health()["unsaved_changes"] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert sandbox.health()["snapshot_age_s"] is not None
        sandbox.kill()
    with running_sandbox(tmp_path / "data") as sandbox:
        assert remembered(sandbox)


def test_reading_alone_saves_nothing(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        assert not remembered(sandbox)
        assert sandbox.health()["unsaved_changes"] is False
    assert not (tmp_path / "data" / FILE_NAME).exists()


@pytest.mark.slow
def test_saving_while_many_write_loses_nothing(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data", save_every=0.2) as sandbox:
        for number in range(150):
            remember(sandbox, f"number-{number}")
        sandbox.save()
        health = sandbox.health()
        assert health["ok"]
        assert not health["unsaved_changes"]
        sandbox.kill()
    with running_sandbox(tmp_path / "data") as sandbox:
        pages = client_for(sandbox, "ssm").get_paginator("describe_parameters").paginate()
        assert sum(len(page["Parameters"]) for page in pages) == 150


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 0xFF
    path.write_bytes(raw)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _other_version(path: Path) -> None:
    raw = path.read_bytes()
    assert raw.count(b'"moto": "') == 1
    path.write_bytes(raw.replace(b'"moto": "', b'"moto": "0.', 1))


def _no_header(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"{", b"[", 1))


def _readable_by_others(path: Path) -> None:
    path.chmod(0o640)


def _a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut, "damaged"),
        (_flip, "damaged"),
        (_empty, "not a snapshot of this format"),
        (_other_version, "was written with moto 0."),
        (_no_header, "header cannot be read"),
        (_readable_by_others, "others have access"),
        (_a_link, "cannot be opened"),
        (_a_folder, "not a regular file"),
    ],
)
def test_an_unusable_snapshot_is_refused(tmp_path: Path, damage: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / FILE_NAME
    nothing = snapshot.Content(pickled=pickle.dumps({}), taken_at=datetime.now(UTC), left_out=())
    snapshot.write(nothing, path)
    snapshot.restore(path)
    damage(path)
    with pytest.raises(snapshot.SnapshotUnusableError, match=reason):
        snapshot.restore(path)


def test_content_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    raw = pickle.dumps({"moto.nothing.models:nothing": {"accounts": {}, "extra": {}}})
    snapshot.write(snapshot.Content(pickled=raw, taken_at=datetime.now(UTC), left_out=()), path)
    with pytest.raises(snapshot.SnapshotUnusableError, match="cannot be read"):
        snapshot.restore(path)


@pytest.mark.parametrize("by", ["damage", "folder"])
def test_an_unusable_snapshot_is_set_aside_and_said(saved: Path, by: str) -> None:
    if by == "damage":
        _cut(saved / FILE_NAME)
    else:
        saved.chmod(0o770)
    with running_sandbox(saved) as sandbox:
        said = [line for line in sandbox.log.read_text().splitlines() if "the snapshot is not used" in line]
        assert len(said) == 1
        assert ("damaged" if by == "damage" else "others could write to its folder") in said[0]
        (kept,) = set_aside(saved)
        assert kept.name in said[0]
        assert f"{datetime.now(UTC):%Y%m%d}" in kept.name
        assert sandbox.health()["ok"]
        assert not remembered(sandbox)
        remember(sandbox, "after")
    assert saved.stat().st_mode & 0o777 == 0o700
    with running_sandbox(saved) as sandbox:
        assert remembered(sandbox, "after")
    assert set_aside(saved) == [kept]


def test_a_pickle_of_another_owner_is_never_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    snapshot.write(snapshot.Content(pickled=b"", taken_at=datetime.now(UTC), left_out=()), path)
    monkeypatch.setattr("os.getuid", lambda: 987_654)
    with pytest.raises(snapshot.SnapshotUnusableError, match="another user"):
        snapshot.restore(path)


def test_a_folder_serves_one_sandbox(saved: Path) -> None:
    with (
        running_sandbox(saved),
        pytest.raises(SandboxDidNotStartError, match="another sandbox is using"),
        running_sandbox(saved),
    ):
        pass


def test_a_port_in_use_is_one_clear_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    port = sandbox.url.rpartition(":")[2]
    command = [sys.executable, "-m", "portal.sandbox", "--port", port, "--data", str(tmp_path / "other")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_ends_well_on_either_signal_however_often(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "data") as sandbox:
        remember(sandbox)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            sandbox.process.send_signal(number)
            time.sleep(0.05)
        assert sandbox.process.wait(30) == 0
    assert (tmp_path / "data" / FILE_NAME).exists()


@pytest.mark.slow
def test_a_golden_snapshot_starts_many(saved: Path, tmp_path: Path) -> None:
    with running_sandbox(saved) as sandbox:
        remember(sandbox, "golden")
        golden = GoldenSnapshot.take(sandbox, tmp_path / "golden")
        client_for(sandbox, "ssm").delete_parameter(Name="golden")
    with golden.running() as one:
        assert remembered(one, "golden")
        client_for(one, "ssm").delete_parameter(Name="golden")
    with golden.running() as another:
        assert remembered(another, "golden")


@pytest.mark.slow
def test_it_does_not_outlive_who_started_it(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from portal.sandbox.testing import running_sandbox\n"
        "with running_sandbox(Path(sys.argv[1])) as sandbox:\n"
        "    print(sandbox.process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    pid = int(ended.stdout)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and not _is_zombie(pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def test_a_failing_save_is_said_and_mends_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gate = RequestGate()
    keeper = Keeper(tmp_path / "data", gate, save_every=0)
    with gate.passing(changing=True):
        assert keeper.save(patience=0.01) is False
        assert "in flight" in keeper.error
    with monkeypatch.context() as broken:
        broken.setattr(snapshot, "write", _disk_full)
        assert keeper.save() is False
        assert "No space left" in keeper.error
        assert keeper.unsaved_changes
    keeper.save_if_due()
    assert keeper.error == ""
    assert not keeper.unsaved_changes
    keeper.close()


def _disk_full(content: snapshot.Content, path: Path) -> None:
    raise OSError(28, "No space left on device")


def test_one_service_that_cannot_be_kept_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = {"moto.ssm.models:ssm_backends": {"accounts": {}}, "moto.sqs.models:sqs_backends": object}
    held["moto.sqs.models:sqs_backends"] = {"accounts": {"1": (number for number in [1])}}
    monkeypatch.setattr(snapshot, "_services", lambda: held)
    gate = RequestGate()
    keeper = Keeper(tmp_path / "data", gate, save_every=0)
    with gate.passing(changing=True):
        pass
    assert keeper.save() is True
    assert keeper.left_out == ("moto.sqs.models:sqs_backends",)
    keeper.close()


def test_a_folder_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.getuid", lambda: 987_654)
    with pytest.raises(DataFolderError, match="belongs to another user"):
        Keeper(tmp_path, RequestGate(), save_every=1)
