"""What a plan of a retry may do under the old approval: nothing that was not said then, and nothing that cannot be told."""

from __future__ import annotations

import time
import tracemalloc
from itertools import count
from typing import Any

import pytest

from environments.changes.models import Proposal
from environments.models import Environment
from environments.runs import repeating
from environments.runs.kind import TerraformRunKind
from environments.runs.models import ResourceChange
from tests.environments.runs.crafted import planned, propose, row

pytestmark = pytest.mark.django_db
BASE = {
    "account": "1",
    "account_kind": "sandbox",
    "account_access": "r",
    "region": "x",
    "definition": 3,
    "definition_digest": "d",
    "snapshot": "s",
    "run": "q",
}
numbers = count(1)


def leaf(path: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    plain = {"unknown": False, "sensitive": False, "sensitive_changed": False, "forces_replacement": False}
    return {"path": path, "kind": "changed", "before": before, "after": after, **plain, **more}


@pytest.fixture
def place(tenant):
    return Environment.objects.create(tenant=tenant, slug="p", name="p", environment_class="production")


@pytest.fixture
def proposal(place, operator):
    """A proposal with these rows: (address, action, [leaf, ...], {other columns})."""

    def made(*rows: Any, base: dict[str, Any] | None = None, outputs: Any = ()) -> Proposal:
        change = planned(place, operator, [])
        found = propose(change, [row(address, action) for address, action, *_rest in rows])
        for position, (_address, _action, *rest) in enumerate(rows):
            fields = {"detail": rest[0] if rest else [], **(rest[1] if len(rest) > 1 else {})}
            changed = ResourceChange.objects.get(proposal=found, position=position)
            for name, value in fields.items():
                setattr(changed, name, value)
            changed.save()
        found.base, found.digest = {**BASE, **(base or {})}, f"{next(numbers):064d}"
        found.facts["outputs"] = list(outputs)
        found.save()
        return found

    return made


BUCKET = ("aws_s3_bucket.a", "create", [leaf("acl", after="private")])
QUEUE = ("aws_sqs_queue.b", "create", [leaf("name", after="q")])


def new(later, earlier):
    return TerraformRunKind().no_more_than(later, earlier)


def test_what_is_left_of_it_is_no_more(proposal):
    assert new(proposal(QUEUE), proposal(BUCKET, QUEUE)) == []
    assert new(proposal(BUCKET, QUEUE), proposal(BUCKET, QUEUE)) == []
    assert new(proposal(), proposal(BUCKET)) == []


def test_another_resource_or_another_value_is_new(proposal):
    approved = proposal(BUCKET)
    assert new(proposal(BUCKET, QUEUE), approved) == ["Create aws_sqs_queue.b"]
    public = ("aws_s3_bucket.a", "create", [leaf("acl", after="public-read")])
    assert new(proposal(public), approved) == ["Create aws_s3_bucket.a"]
    more = ("aws_s3_bucket.a", "create", [*BUCKET[2], leaf("force_destroy", after=True)])
    assert new(proposal(more), approved) == ["Create aws_s3_bucket.a"]


def test_reads_alter_nothing(proposal):
    assert new(proposal(("aws_ami.x", "read", [leaf("name", after="n")])), proposal(BUCKET)) == []


@pytest.mark.parametrize(
    ("approved", "later"),
    [
        ("create", "replace"),
        ("create", "update"),
        ("create", "delete"),
        ("update", "replace"),
        ("update", "create"),
        ("replace", "create"),
        ("delete", "forget"),
        ("import", "import"),
    ],
)
def test_no_larger_nor_other_action(proposal, approved, later):
    """A resource that failed halfway is tainted: what was to be created would be replaced, so people look again."""
    detail = [leaf("id", before="i-1"), leaf("acl", before="a", after="b")]
    found = new(proposal(("aws_x.y", later, detail)), proposal(("aws_x.y", approved, detail)))
    assert len(found) == 1


def test_a_replacement_for_another_reason_or_by_another_attribute_is_new(proposal):
    def replace(**fields):
        return proposal(("aws_x.y", "replace", [leaf("engine", before="a", after="b")], fields))

    approved = replace(replace_paths=["engine"])
    assert new(replace(replace_paths=["engine"]), approved) == []
    assert new(replace(replace_paths=["engine", "name"]), approved)
    assert new(replace(replace_paths=["engine"], reason="replace_because_tainted"), approved)


def test_an_update_within_the_approved_one_is_no_more(proposal):
    both = [leaf("a", before=1, after=2), leaf("b", before=1, after=2)]
    approved = proposal(("aws_x.y", "update", both))
    assert new(proposal(("aws_x.y", "update", both[:1])), approved) == []
    assert new(proposal(("aws_x.y", "update", [leaf("a", before=0, after=2)])), approved)
    assert new(proposal(("aws_x.y", "update", [leaf("a", before=1, after=True)])), approved)
    # 1 and True are equal to Python, not to Terraform.
    ones = proposal(("aws_x.y", "update", [leaf("a", before=0, after=1)]))
    assert new(proposal(("aws_x.y", "update", [leaf("a", before=0, after=True)])), ones)


def test_what_was_to_be_known_after_apply_covers_what_it_became(proposal):
    approved = proposal(("aws_x.y", "create", [leaf("arn", unknown=True), leaf("net", unknown=True)]))
    later = [leaf("arn", after="arn:aws:x"), leaf("net[0].id", after="n-1"), leaf("net[0].az", after="a")]
    assert new(proposal(("aws_x.y", "create", later)), approved) == []
    # Never the other way round: what was said then must not become open.
    assert new(approved, proposal(("aws_x.y", "create", later)))
    nothing = proposal(("aws_x.y", "create", [leaf("arn", after=None)]))
    assert new(proposal(("aws_x.y", "create", [leaf("arn", after=None, unknown=True)])), nothing)
    assert new(proposal(("aws_x.y", "create", [leaf("network", after="n")])), approved)


def test_a_hidden_value_is_the_same_only_on_proof(proposal):
    def with_password(**more):
        hidden = leaf("password", before="(sensitive)", after="(sensitive)", sensitive=True, **more)
        return proposal(("aws_db.y", "update", [hidden]))

    approved = with_password(seal=["k1", "k2"])
    assert new(with_password(seal=["k1", "k2"]), approved) == []
    assert new(with_password(seal=["k1", "k3"]), approved)
    assert new(with_password(seal=["k0", "k2"]), approved)
    # Without a digest on either side nobody can tell.
    assert new(with_password(), approved)
    assert new(with_password(seal=["k1", "k2"]), with_password())
    assert new(with_password(), with_password())


def test_a_hidden_value_that_is_shown_now_is_new(proposal):
    approved = proposal(("aws_x.y", "update", [leaf("a", before="x", after="y")]))
    hidden = leaf("a", before="x", after="y", sensitive=True, seal=["k", "k"])
    assert new(proposal(("aws_x.y", "update", [hidden])), approved)


def test_a_destruction_is_the_same_only_of_the_same_thing(proposal):
    def gone(identity, action="delete"):
        return proposal(
            ("aws_x.y", action, [leaf("id", before=identity), leaf("latest", before=next(numbers))])
        )

    assert new(gone("i-1"), gone("i-1")) == []
    assert new(gone("i-2"), gone("i-1")) == ["Destroy aws_x.y"]
    assert new(gone(None), gone(None))
    # The old one of a replacement whose new one stands already.
    assert new(gone("i-1"), gone("i-1", "replace")) == []
    assert new(gone("i-2"), gone("i-1", "replace"))


@pytest.mark.parametrize("name", sorted(BASE))
def test_from_other_ground_nothing_is_the_same(proposal, name):
    assert len(new(proposal(BUCKET, base={name: "other"}), proposal(BUCKET))) == 1


def test_other_imports_are_new(proposal):
    assert new(proposal(BUCKET, base={"imports": {"a": "b"}}), proposal(BUCKET))


def output(name, before=None, after=None, **more):
    return {
        "name": name,
        "action": "create",
        "before": before,
        "after": after,
        "unknown": False,
        "sensitive": False,
        "seal": None,
        **more,
    }


def test_outputs_count_too(proposal):
    approved = proposal(
        BUCKET,
        outputs=[
            output("url", after="u"),
            output("arn", unknown=True),
            output("key", sensitive=True, seal=["a", "b"]),
        ],
    )
    assert new(proposal(outputs=[output("url", after="u"), output("arn", after="arn:x")]), approved) == []
    assert new(proposal(outputs=[output("key", sensitive=True, seal=["a", "b"])]), approved) == []
    assert new(proposal(outputs=[output("url", after="v")]), approved) == ["Output url"]
    assert new(proposal(outputs=[output("more", after="v")]), approved) == ["Output more"]
    assert new(proposal(outputs=[output("key", sensitive=True, seal=["a", "c"])]), approved) == ["Output key"]
    assert new(proposal(outputs=[output("key", sensitive=True)]), approved) == ["Output key"]


def test_five_thousand_rows_are_judged_in_little_time_and_memory(proposal, place, operator):
    rows = [row(f"aws_x.y{n}", "create", name=f"n{n}") for n in range(5000)]
    first = propose(planned(place, operator, []), rows)
    second = propose(planned(place, operator, []), rows[2500:])
    Proposal.objects.filter(pk=second.pk).update(digest="f" * 64)
    second.refresh_from_db()
    tracemalloc.start()
    begun = time.monotonic()
    assert repeating.no_more_than(second, first) == []
    assert time.monotonic() - begun < 20
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()
