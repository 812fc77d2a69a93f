"""What a kind of change fills in. Rooms register theirs; the engine knows no kind by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from environments.changes.models import Change, Proposal
    from environments.changes.work import Work
    from portal.accounts.models import User


@dataclass(frozen=True)
class Draft:
    """What a propose phase found out; the engine turns it into a Proposal.

    `keep` is called inside the transaction that stores the proposal, for the kind's own rows.
    """

    digest: str
    facts: Mapping[str, Any]
    base: Mapping[str, Any]
    summary: str
    empty: bool = False
    plan_only: bool = False
    title: str = ""
    keep: Callable[[Proposal], None] = field(default=lambda proposal: None)


@dataclass(frozen=True)
class Verdict:
    """What a verify phase found: did it come out as approved?"""

    ok: bool
    summary: str
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Obstacle:
    """What people have to settle before a change may go on: why, and the change whose page says how."""

    text: str
    change: Change | None = None


@dataclass(frozen=True)
class Difference:
    """One thing that two proposals mean differently.

    `what` is added, gone or altered; `was` and `now` the actions (empty where absent); `attributes` have
    path, `then` and `now`, each as components/attribute shapes {before, after, unknown, sensitive} or None.
    """

    what: str
    name: str
    was: str
    now: str
    attributes: Sequence[Mapping[str, Any]] = ()
    more: int = 0


@dataclass(frozen=True)
class Comparison:
    """What differs: the first rows, how many there are of each kind in all, and remarks in words."""

    rows: Sequence[Difference]
    counts: Mapping[str, int]
    remarks: Sequence[str] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Stopping:
    """How a change is stopped: the button, its question (may say %(what)s), what pressing it does.

    `under_way` may say %(who)s; `too_late` is for a change that only proves its outcome, "" where
    that can be stopped as well (verify reads the wish). `kill` is the button
    that ends its tool by force after a cancel that did not help; "" where there is no such tool.
    """

    label: str
    question: str
    effect: str
    under_way: str
    too_late: str
    kill: str = ""


class ToolFailure(Exception):
    """Terraform or AWS said no; shown to people with its hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Cancelled(Exception):
    """The work stopped because somebody asked; `done` says what was and was not done."""

    def __init__(self, done: str) -> None:
        super().__init__(done)
        self.done = done


class Later(Exception):
    """The phase waits for AWS: let the worker go, and go on with `resume` or `verify` after so many seconds.

    For kinds whose phase is `resumable`. The change keeps its claims; a cancel wakes it at once.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ChangeKind(ABC):
    """The steps of one kind of change. Stateless: one instance serves all changes of the kind."""

    name: ClassVar[str]
    # The template of the proposal's part of the change page, and of its progress.
    proposal_template: ClassVar[str] = ""
    progress_template: ClassVar[str] = ""
    # The page where one is asked for; takes the slugs of tenant and environment.
    request_url: ClassVar[str] = ""
    # What its page calls a failure that AWS or a tool caused; empty: “Terraform or AWS said no”.
    failure_title: ClassVar[Any] = ""
    # The Celery queue whose workers do it: a look at a rollout never waits behind a long Terraform run.
    queue: ClassVar[str] = "changes"
    # Whether one person may start it without votes in an emergency (emergency.py).
    may_break_glass: ClassVar[bool] = True

    # Whether one that did not come through may be tried again (retries.py).
    repeatable: ClassVar[bool] = False
    # One-to-one rows of a change that `claims` and `takes_turn` read: fetched with it where many are looked at.
    related: ClassVar[tuple[str, ...]] = ()

    def claims(self, change: Change) -> list[str]:
        """Subjects that this change holds while it executes; two changes with one in common take turns."""
        return []

    def takes_turn(self, change: Change) -> bool:
        """Whether proposing waits until nobody executes on the same subjects."""
        return True

    @abstractmethod
    def propose(self, work: Work) -> Draft:
        """Work out exactly what would happen, altering nothing. Raises ToolFailure, Cancelled."""

    @abstractmethod
    def execute(self, work: Work) -> None:
        """Do exactly what the current proposal says, once. Raises ToolFailure, Cancelled."""

    def resume(self, work: Work) -> None:
        """Go on with an execute that rested (Later) or whose worker died. For kinds that are `resumable`.

        Whatever was recorded or is found in AWS has been done and is not done again. Raises as execute.
        """
        raise NotImplementedError(f"{self.name} does not resume")

    @abstractmethod
    def verify(self, work: Work) -> Verdict:
        """Prove the outcome, altering nothing."""

    def stopping(self, change: Change) -> Stopping:
        """What cancelling it does, now. As it stands: for kinds that run Terraform."""
        return Stopping(
            label=_("Cancel the change"),
            question=_("Cancel “%(what)s”?"),
            effect=_("While it runs, Terraform finishes what it is at, saves its state and stops."),
            under_way=_(
                "%(who)s asked to cancel. Terraform finishes what it is at, saves its state and stops."
            ),
            too_late=_(
                "Everything has been applied; only the outcome is being read. There is nothing left to stop."
            ),
            kill=_("Kill Terraform"),
        )

    def news(self, change: Change) -> str:
        """A line for the messages about a change that has just ended: what runs now; "" when there is none."""
        return ""

    def settle(self, work: Work) -> None:
        """After an execute that failed or was cancelled: read what is there now."""
        return

    def base_moved(self, change: Change) -> str | None:
        """Why the current proposal no longer fits what is there; None while it does.

        Raises Later while that cannot be read: the change then waits, approved as it is.
        """
        return None

    def resumable(self, status: str) -> bool:
        """Whether another worker may go on with this phase after a worker's death."""
        return False

    def repeat(self, earlier: Change, change: Change) -> None:
        """Write the kind's own rows of `change`, which tries `earlier` again. For kinds that are `repeatable`."""
        return

    def no_more_than(self, proposal: Proposal, earlier: Proposal) -> list[str]:
        """What `proposal` would do beyond the approved `earlier` one, in words: nothing on proof only."""
        return [] if proposal.digest == earlier.digest else [str(_("What is proposed is not the same."))]

    def compare(self, before: Proposal, after: Proposal) -> Comparison | None:
        """What differs between two proposals of one change; None where the kind cannot say."""
        return None

    def still_running(self, change: Change) -> bool | None:
        """Whether the change's tool may still be at work: False on proof of its death, None when unknown."""
        return False

    def troubled(self) -> frozenset[int]:
        """Environments (primary keys) where `obstacle` may find something: asked once for many changes."""
        return frozenset()

    def obstacle(self, change: Change) -> Obstacle | None:
        """What people have to settle before anybody works on this change; None when nothing."""
        return None

    def after_end(self, change: Change) -> None:
        """The tool of a change that ended early is proven dead: last of all, before its claims are given back."""
        return

    def unfinished(self, change: Change) -> bool:
        """Whether more may still be found out about a change that has ended; its page looks again while so."""
        return False

    def after_death(self, change: Change) -> str:
        """What is known after the worker died while executing, in words."""
        return ""

    def conflicted(self, change: Change) -> Mapping[int, str]:
        """People (user id) who may not approve beside the requester, and why."""
        return {}

    def conflicted_among(self, changes: Sequence[Change], user: User) -> set[int]:
        """Those of these changes (primary keys) that `conflicted` forbids this person to approve."""
        return {change.pk for change in changes if user.pk in self.conflicted(change)}

    def progress(self, change: Change) -> Mapping[str, Any]:
        """What `progress_template` shows; asked for every second while the change page is open."""
        return {}

    def aftermath(self, change: Change, user: User) -> Mapping[str, Any]:
        """What `progress_template` shows besides of a change that has ended: what is still to be done."""
        return {}

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        """The kind's part of the change page's context."""
        return {}

    def details(self, change: Change) -> Mapping[str, Any]:
        """The kind's part of the change in the API."""
        return {}

    def consequences(self, change: Change) -> Sequence[str]:
        """What the proposal would do to running things, in words, worst first."""
        return []


_KINDS: Final[dict[str, ChangeKind]] = {}


def register(kind: ChangeKind) -> None:
    _KINDS[kind.name] = kind


def kind_of(change: Change) -> ChangeKind:
    return _KINDS[change.kind]


def named(name: str) -> ChangeKind:
    return _KINDS[name]


def queue_of(change: Change) -> str:
    """The queue that carries this change; a kind that is no more waits where all changes do."""
    kind = _KINDS.get(change.kind)
    return kind.queue if kind else "changes"


def names(queue: str = "") -> list[str]:
    """The kinds there are; with `queue`, those whose workers listen to it."""
    return sorted(name for name, kind in _KINDS.items() if queue in ("", kind.queue))


def related() -> list[str]:
    """The rows that all kinds' claims read."""
    return sorted({name for kind in _KINDS.values() for name in kind.related})
