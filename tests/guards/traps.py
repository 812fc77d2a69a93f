"""What was measured to go wrong on this stack, by the numbers under which it was written down."""

from __future__ import annotations

from tests.guards.guard import Guard

PROCESS = "tests/portal/terraform/test_process.py::"

GUARDS = [
    Guard(
        "trap 2",
        "Terraform's output goes to a file, and its worker's death sends one SIGINT: it saves and unlocks",
        "portal/terraform/guard.py",
        '        elif b"i" in orders or not orders:\n',
        '        elif b"i" in orders:\n',
        (PROCESS + "test_kill_9_of_the_worker_lets_terraform_save_and_unlock",),
    ),
    Guard(
        "trap 2",
        "... also when the guard between them is the one that is killed",
        "portal/terraform/guard.py",
        "        die_with(parent)\n",
        "        pass\n",
        (PROCESS + "test_kill_9_of_the_guard_lets_terraform_save_and_unlock",),
    ),
    Guard(
        "trap 3",
        "SIGINT is sent once: a second one makes Terraform leave without saving",
        "portal/terraform/process.py",
        "        if self.interrupted or self.poll() is not None:\n",
        "        if self.poll() is not None:\n",
        (PROCESS + "test_interrupt_is_sent_once_however_often_it_is_asked",),
    ),
    Guard(
        "trap 3",
        "... by the guard too, when the worker dies after a cancel",
        "portal/terraform/guard.py",
        "        if not self.interrupted:\n",
        "        if True:\n",
        (PROCESS + "test_kill_9_of_the_worker_after_a_cancel_is_not_a_second_signal",),
    ),
    Guard(
        "trap 3",
        "What local-exec started does not outlive the run",
        "portal/terraform/guard.py",
        "        os.killpg(child, signal.SIGKILL)\n",
        "        pass\n",
        (PROCESS + "test_grandchildren_do_not_outlive_a_normal_end",),
    ),
    Guard(
        "trap 7",
        "A state larger than a form may be is taken",
        "environments/runs/states/backend.py",
        "        body = read_body(request, settings.STATE_MAX_BYTES)\n",
        "        body = request.body\n",
        ("tests/environments/runs/test_state_bodies.py",),
    ),
    Guard(
        "trap 10",
        "The digest leaves out what moves on by itself",
        "portal/terraform/digests.py",
        'if change.action in ("delete", "forget"):',
        "if False:",
        ("tests/portal/terraform/test_digests.py",),
    ),
    Guard(
        "trap 10",
        "Secrets enter the digest as keyed hashes",
        "portal/terraform/digests.py",
        'return {"sensitive": self._hmac(canonical_json(value))}',
        'return {"sensitive": value}',
        ("tests/portal/terraform/test_digests.py",),
    ),
    Guard(
        "trap 16",
        "The database refuses to alter the audit log",
        "portal/audit/triggers.py",
        '    "audit_no_update": f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON {EVENTS} "\n',
        '    "audit_no_update": f"CREATE TRIGGER audit_no_update BEFORE UPDATE OF id ON {EVENTS} "\n',
        ("tests/portal/audit/test_append_only.py",),
    ),
    Guard(
        "trap 16",
        "The record of a refusal is written outside the transaction that rolls back",
        "portal/audit/recording.py",
        "    with transaction.atomic(durable=True):\n",
        "    with transaction.atomic():\n",
        ("tests/portal/audit/test_recording.py",),
    ),
    Guard(
        "trap 16",
        "No record, no act: outside a transaction nothing is recorded",
        "portal/audit/recording.py",
        "    if not connections[router.db_for_write(AuditEvent)].in_atomic_block:\n",
        "    if False:\n",
        ("tests/portal/audit/test_recording.py::test_outside_a_transaction_it_refuses",),
    ),
    Guard(
        "trap 18",
        "The launcher ends workers first and the sandbox last",
        "portal/launcher/stopping.py",
        "            worker.send(signal.SIGTERM)\n",
        "            worker.send(signal.SIGKILL)\n",
        ("tests/portal/launcher/test_launcher.py",),
    ),
    Guard(
        "trap 19",
        "Two schedulers that both think they lead start each occurrence once",
        "portal/scheduler/process.py",
        "        if not claimed:\n",
        "        if False:\n",
        ("tests/portal/scheduler/test_scheduler.py",),
    ),
]
