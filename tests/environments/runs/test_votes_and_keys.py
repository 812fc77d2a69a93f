"""A vote given under one key counts under the next: the same proposal made again has the same digest."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from environments.changes import actions
from environments.changes.lifecycle import Status
from environments.changes.models import Artefact, Vote
from portal.core.keyring import Keyring, new_key_text, retire_old_keys
from portal.notifications.channels import webhook_secret
from tests.cast import by
from tests.environments.runs.conftest import Story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]


def test_pending_votes_over_secrets_survive_a_rotation(production, operator, approver, tmp_path, settings):
    old, new = new_key_text("old"), new_key_text("new")
    settings.GATEHOUSE_KEYRING = old
    signing = webhook_secret("https://example.com/hook")
    story = Story(production, operator, tmp_path / "counter")
    story.define(steps=1)
    change = story.work(story.request(start="manual"))
    first = change.proposal.digest
    actions.approve(by=by(approver), change=change, digest=first)

    settings.GATEHOUSE_KEYRING = f"{new},{old}"
    call_command("rotate_keys")
    settings.GATEHOUSE_KEYRING = retire_old_keys(f"{new},{old}")
    assert [key.id for key in Keyring.parse(settings.GATEHOUSE_KEYRING).keys] == ["new"]

    # Its saved plan is lost, so it is proposed again: under another key, with the old one gone.
    Artefact.objects.filter(change=change).delete()
    change.refresh_from_db()
    actions.start(by=by(operator), change=change)
    change = story.work(change)
    assert (change.proposal.number, change.proposal.digest) == (2, first)
    assert change.status == Status.APPROVED
    assert Vote.objects.counting_for(change).filter(user=approver).exists()
    assert story.work(change).status == Status.SUCCEEDED
    assert webhook_secret("https://example.com/hook") == signing
