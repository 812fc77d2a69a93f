"""Whatever is done to the log behind its back is found, and the first broken record is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.audit import checkpoints
from portal.audit.gaps import accept_gap
from portal.audit.models import HASHED, AuditEvent, ChainHead
from portal.audit.verification import Finding, verify
from portal.core.errors import Conflict, InvalidInput
from portal.core.keyring import new_key_text
from tests.portal.audit.conftest import KIM, triggers_off, write

Tamper = Callable[..., None]
pytestmark = pytest.mark.django_db


def the_finding() -> Finding:
    findings = verify().findings
    assert len(findings) == 1, findings
    return findings[0]


def test_a_whole_log_is_found_whole(chain: list[AuditEvent], capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoints.write_checkpoints() == 2
    call_command("verify_audit")
    assert "13 records in 2 chains, 2 signed checkpoints" in capsys.readouterr().out


OTHER_VALUES: dict[str, object] = {
    "uuid": "0" * 32,
    "at": "2020-01-01 00:00:00+00:00",
    "actor_roles": '["admin"]',
    "before": '{"n": 4}',
    "after": None,
    "previous_hash": "0" * 64,
}


@pytest.mark.parametrize("column", sorted(set(HASHED) - {"chain", "sequence"}))
def test_a_changed_field_is_found(chain: list[AuditEvent], tamper: Tamper, column: str) -> None:
    tamper(
        f"UPDATE audit_auditevent SET {column} = %s WHERE id = %s",
        OTHER_VALUES.get(column, "forged"),
        chain[4].pk,
    )
    finding = the_finding()
    assert (finding.chain, finding.sequence) == ("triflow", 5)
    assert "altered" in finding.what


def test_a_changed_hash_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_auditevent SET hash = %s WHERE id = %s", "f" * 64, chain[4].pk)
    assert the_finding() == Finding("triflow", 5, "was altered: its content does not have its hash")


def test_white_space_in_stored_json_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_auditevent SET before = %s WHERE id = %s", '{"n": 4}', chain[4].pk)
    assert chain[4].before == AuditEvent.objects.get(pk=chain[4].pk).before
    assert the_finding().sequence == 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL does not store such values")
@pytest.mark.parametrize(("column", "value"), [("uuid", "no uuid"), ("at", "never"), ("actor_roles", "{{{")])
def test_an_unreadable_record_is_named(
    chain: list[AuditEvent], tamper: Tamper, column: str, value: str
) -> None:
    tamper(f"UPDATE audit_auditevent SET {column} = %s WHERE id = %s", value, chain[4].pk)
    assert (the_finding().chain, the_finding().sequence) == ("triflow", 5)


def test_a_forger_who_makes_the_hash_fit_breaks_the_next_link(
    chain: list[AuditEvent], tamper: Tamper
) -> None:
    forged = chain[4]
    forged.actor_name = "Lee"
    tamper(
        "UPDATE audit_auditevent SET actor_name = %s, hash = %s WHERE id = %s",
        "Lee",
        forged.computed_hash(),
        forged.pk,
    )
    assert the_finding() == Finding("triflow", 6, "does not follow the record before it")


def rewrite(chain: list[AuditEvent], start: int, tamper: Tamper) -> None:
    """Forge record `start` and every hash after it, the head included."""
    previous = chain[start].previous_hash
    for event in chain[start:]:
        event.actor_name, event.previous_hash = "Lee", previous
        event.hash = previous = event.computed_hash()
        tamper(
            "UPDATE audit_auditevent SET actor_name = %s, previous_hash = %s, hash = %s WHERE id = %s",
            "Lee",
            event.previous_hash,
            event.hash,
            event.pk,
        )
    tamper("UPDATE audit_chainhead SET hash = %s WHERE chain = 'triflow'", previous)


def test_a_log_rewritten_to_the_end_is_found_by_its_checkpoint(
    chain: list[AuditEvent], tamper: Tamper
) -> None:
    checkpoints.write_checkpoints()
    rewrite(chain, 4, tamper)
    finding = the_finding()
    assert (finding.sequence, "signed on" in finding.what) == (10, True)
    with pytest.raises(checkpoints.CheckpointError, match="triflow is at 10"):
        checkpoints.write_checkpoints()


def test_a_record_taken_from_the_middle_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("DELETE FROM audit_auditevent WHERE id = %s", chain[4].pk)
    assert the_finding() == Finding("triflow", 5, "is missing; the next one is 6")


def test_renumbering_after_a_removal_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("DELETE FROM audit_auditevent WHERE id = %s", chain[4].pk)
    for event in chain[5:]:
        tamper("UPDATE audit_auditevent SET sequence = sequence - 1 WHERE id = %s", event.pk)
    assert the_finding().sequence == 5


def test_swapped_records_are_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_auditevent SET sequence = 99 WHERE id = %s", chain[3].pk)
    tamper("UPDATE audit_auditevent SET sequence = 4 WHERE id = %s", chain[6].pk)
    tamper("UPDATE audit_auditevent SET sequence = 7 WHERE id = %s", chain[3].pk)
    assert the_finding().sequence == 4


def test_a_record_moved_to_another_chain_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_auditevent SET chain = 'onno', sequence = 1 WHERE id = %s", chain[9].pk)
    assert {finding.chain for finding in verify().findings} == {"triflow", "onno"}


def test_an_inserted_record_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    forged = chain[9]
    forged.pk, forged.sequence, forged.previous_hash = None, 11, forged.hash
    forged.uuid = AuditEvent().uuid
    forged.hash = forged.computed_hash()
    forged.save(force_insert=True)
    assert "moved back from 11 to 10" in the_finding().what


def test_a_cut_off_tail_is_found_by_the_head(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("DELETE FROM audit_auditevent WHERE chain = 'triflow' AND sequence > 7")
    finding = the_finding()
    assert (finding.sequence, "cut off" in finding.what) == (8, True)


def cut_off_and_move_the_head(tamper: Tamper, last: int) -> None:
    tamper("DELETE FROM audit_auditevent WHERE chain = 'triflow' AND sequence > %s", last)
    kept = AuditEvent.objects.get(chain="triflow", sequence=last)
    tamper("UPDATE audit_chainhead SET sequence = %s, hash = %s WHERE chain = 'triflow'", last, kept.hash)


def test_a_cut_off_tail_with_its_head_moved_is_found_by_the_checkpoint(
    chain: list[AuditEvent], tamper: Tamper
) -> None:
    checkpoints.write_checkpoints()
    cut_off_and_move_the_head(tamper, 7)
    finding = the_finding()
    assert (finding.chain, finding.sequence) == ("triflow", 8)
    assert "10 records were signed" in finding.what


def test_a_head_moved_back_alone_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_chainhead SET sequence = 7, hash = %s WHERE chain = 'triflow'", chain[6].hash)
    assert the_finding() == Finding("triflow", 8, "the head of the chain was moved back from 10 to 7")


def test_a_head_with_another_hash_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_chainhead SET hash = %s WHERE chain = 'triflow'", "e" * 64)
    assert the_finding().sequence == 10


def test_a_missing_head_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("DELETE FROM audit_chainhead WHERE chain = 'triflow'")
    assert the_finding().what == "the head of the chain is missing"


def test_a_chain_that_is_gone_altogether_is_found(chain: list[AuditEvent], tamper: Tamper) -> None:
    checkpoints.write_checkpoints()
    tamper("DELETE FROM audit_auditevent WHERE chain = 'triflow'")
    tamper("DELETE FROM audit_chainhead WHERE chain = 'triflow'")
    assert (the_finding().chain, the_finding().sequence) == ("triflow", 1)


def test_missing_triggers_are_found(chain: list[AuditEvent]) -> None:
    with triggers_off():
        finding = the_finding()
    assert "no longer refuses changes" in finding.what
    assert verify().findings == []


def test_the_command_names_the_record_and_ends_with_one(chain: list[AuditEvent], tamper: Tamper) -> None:
    tamper("UPDATE audit_auditevent SET detail = 'x' WHERE id = %s", chain[4].pk)
    with pytest.raises(CommandError, match="triflow record 5: was altered") as caught:
        call_command("verify_audit")
    assert caught.value.returncode == 1
    call_command("verify_audit", chain="portal")


@pytest.fixture
def signed(chain: list[AuditEvent], settings) -> Path:
    """The checkpoint file of the tenant, with three lines."""
    checkpoints.write_checkpoints()
    for _ in range(2):
        write()
        checkpoints.write_checkpoints()
    path = Path(settings.AUDIT_CHECKPOINT_DIR) / "triflow.jsonl"
    assert len(path.read_text().splitlines()) == 3
    assert path.stat().st_mode & 0o077 == 0
    return path


def test_only_heads_that_moved_are_signed(signed: Path) -> None:
    assert checkpoints.write_checkpoints() == 0
    write()
    assert checkpoints.write_checkpoints() == 1


def forge(line: str, **changes: object) -> str:
    return json.dumps(json.loads(line) | changes, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda a, b, c: [a, forge(b, sequence=3), c], "line 2 .* no valid signature"),
        (lambda a, b, c: [a, forge(b, kind="gap"), c], "line 2 .* no valid signature"),
        (lambda a, b, c: [a, c], "line 2 .* does not follow"),
        (lambda a, b, c: [b, a, c], "line 1 .* does not follow"),
        (lambda a, b, c: [a, "garbage", c], "line 2 .* cannot be read"),
        (lambda a, b, c: [forge(a, chain="portal"), b, c], "line 1 .* no valid signature"),
    ],
)
def test_altered_checkpoints_are_found(signed: Path, spoil: Callable[..., list[str]], complaint: str) -> None:
    signed.write_text("\n".join(spoil(*signed.read_text().splitlines())) + "\n")
    with pytest.raises(CommandError, match=complaint):
        call_command("verify_audit")


def test_a_line_that_a_crash_cut_short_is_written_again(signed: Path) -> None:
    whole = signed.read_text()
    signed.write_text(whole + '{"at":"2026')
    assert verify().findings == []
    write()
    assert checkpoints.write_checkpoints() == 1
    assert signed.read_text().startswith(whole)
    assert len(signed.read_text().splitlines()) == 4
    assert verify().findings == []


def test_checkpoints_outlive_a_rotation_until_the_old_key_is_dropped(
    settings, chain: list[AuditEvent]
) -> None:
    old, new = new_key_text("a"), new_key_text("b")
    settings.GATEHOUSE_KEYRING = old
    checkpoints.write_checkpoints()
    settings.GATEHOUSE_KEYRING = f"{new},{old}"
    assert verify().findings == []
    settings.GATEHOUSE_KEYRING = new
    assert "no valid signature" in verify().findings[0].what


def test_after_a_restore_the_gap_is_named_and_the_chain_goes_on(
    signed: Path, tamper: Tamper, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_off_and_move_the_head(tamper, 7)
    with pytest.raises(checkpoints.CheckpointError):
        checkpoints.write_checkpoints()
    call_command("audit_accept_gap", "triflow", reason="Backup of Monday restored")

    event = AuditEvent.objects.for_chains(["triflow"]).latest("sequence")
    assert (event.sequence, event.action, event.detail) == (8, "audit.gap", "Backup of Monday restored")
    assert (event.after["lost_from"], event.after["lost_to"]) == (8, 12)
    assert event.tenant_name == "TriFlow AI"
    for _ in range(6):
        write()
    assert checkpoints.write_checkpoints() == 1
    call_command("verify_audit")
    assert "triflow 8: records were lost and accepted" in capsys.readouterr().out

    # What is left is still guarded.
    tamper("UPDATE audit_auditevent SET detail = 'x' WHERE chain = 'triflow' AND sequence = 8")
    assert the_finding().sequence == 8


def test_only_a_real_gap_can_be_accepted(signed: Path) -> None:
    with pytest.raises(Conflict):
        accept_gap("triflow", actor=KIM, reason="no reason at all")
    with pytest.raises(InvalidInput):
        accept_gap("triflow", actor=KIM, reason=" ")
    assert ChainHead.objects.get(pk="triflow").sequence == 12


def test_the_checkpoint_command(
    chain: list[AuditEvent], tamper: Tamper, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("audit_checkpoint")
    assert capsys.readouterr().out.startswith("2 checkpoints written")
    cut_off_and_move_the_head(tamper, 7)
    with pytest.raises(CommandError, match="Run verify_audit"):
        call_command("audit_checkpoint")
