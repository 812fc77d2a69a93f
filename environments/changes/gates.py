"""From a policy and a proposal's facts to the votes it takes, and whether they are there.

A gate is a dict in an ApprovalPolicy: {"name", "roles", "votes", "when"}. `when` asks any of
"always", "destroys", "touches_iam", "touches_network" (one that is true is enough), may narrow
to "kinds" and "modes", and leave "except_modes" out. One vote counts for every gate whose role its voter holds now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.changes.models import ApprovalPolicy, Change, Vote
from environments.models import Environment, Membership, Role
from portal.accounts.models import User
from portal.core.errors import InvalidInput

TRIGGERS: Final = ("always", "destroys", "touches_iam", "touches_network")
VOTING_ROLES: Final = (Role.APPROVER, Role.SECURITY, Role.FINANCE, Role.OPERATOR)
MODES: Final = (
    "apply",
    "destroy",
    "plan",
    "state_rollback",
    "state_import",
    "deploy",
    "configure",
    "restart",
    "scale_out",
    "scale_in",
    "rollback",
    "rollback_earlier",
    "front_end",
    "front_end_rollback",
)
NARROWING: Final = ("kinds", "modes", "except_modes")


@dataclass(frozen=True)
class Gate:
    """One named gate of a policy."""

    name: str
    roles: tuple[str, ...]
    votes: int
    triggers: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    except_modes: tuple[str, ...] = ()

    def asks(self, facts: Mapping[str, Any]) -> bool:
        """Whether a proposal with these facts has to pass this gate."""
        return self._fits(facts) and facts.get("mode") not in self.except_modes

    def excepts(self, facts: Mapping[str, Any]) -> bool:
        """Whether it leaves a proposal with these facts out by its mode, and would ask otherwise."""
        return self._fits(facts) and facts.get("mode") in self.except_modes

    def _fits(self, facts: Mapping[str, Any]) -> bool:
        if self.kinds and facts.get("kind") not in self.kinds:
            return False
        if self.modes and facts.get("mode") not in self.modes:
            return False
        return "always" in self.triggers or any(facts.get(name) for name in self.triggers)

    def as_dict(self) -> dict[str, Any]:
        when: dict[str, Any] = dict.fromkeys(self.triggers, True)
        if self.kinds:
            when["kinds"] = list(self.kinds)
        if self.modes:
            when["modes"] = list(self.modes)
        if self.except_modes:
            when["except_modes"] = list(self.except_modes)
        return {"name": self.name, "roles": list(self.roles), "votes": self.votes, "when": when}


@dataclass(frozen=True)
class GateState:
    """A gate of the current proposal with the votes it has."""

    gate: Gate
    votes: tuple[Vote, ...]
    may_vote: tuple[str, ...]

    @property
    def missing(self) -> int:
        return max(self.gate.votes - len(self.votes), 0)

    @property
    def passed(self) -> bool:
        return self.missing == 0


def read_gate(raw: Mapping[str, Any], at: str, errors: dict[str, list[str]]) -> Gate | None:
    """One gate of a typed-in policy; what is wrong is added to `errors` under its field."""
    found: dict[str, list[str]] = {}
    name = str(raw.get("name", "")).strip()
    if not name:
        found[f"{at}.name"] = [_("Give the gate a name, such as “Security”.")]
    roles = raw.get("roles")
    if not isinstance(roles, list) or not roles or not set(map(str, roles)) <= set(VOTING_ROLES):
        found[f"{at}.roles"] = [
            _("Name at least one role that may vote: %(roles)s.") % {"roles": ", ".join(VOTING_ROLES)}
        ]
    votes = raw.get("votes", 1)
    if isinstance(votes, bool) or not isinstance(votes, int) or not 1 <= votes <= 9:
        found[f"{at}.votes"] = [_("The number of votes is a whole number from 1 to 9.")]
    when = raw.get("when", {"always": True})
    if not isinstance(when, Mapping) or not any(when.get(name) for name in TRIGGERS):
        found[f"{at}.when"] = [
            _("Say when the gate applies: %(triggers)s.") % {"triggers": ", ".join(TRIGGERS)}
        ]
    else:
        found |= _wrong_narrowing(when, at)
    errors.update(found)
    if found:
        return None
    return Gate(
        name=name[:60],
        roles=tuple(map(str, roles or ())),
        votes=int(votes),
        triggers=tuple(t for t in TRIGGERS if when.get(t)),
        kinds=tuple(map(str, when.get("kinds") or ())),
        modes=tuple(map(str, when.get("modes") or ())),
        except_modes=tuple(map(str, when.get("except_modes") or ())),
    )


def _wrong_narrowing(when: Mapping[str, Any], at: str) -> dict[str, list[str]]:
    """What is wrong with the kinds and modes of a typed-in gate."""
    if not all(_is_list_of(when.get(name), None if name == "kinds" else MODES) for name in NARROWING):
        text = _("“kinds”, “modes” and “except_modes” are lists; modes are: %(modes)s.")
        return {f"{at}.when": [text % {"modes": ", ".join(MODES)}]}
    both = sorted(set(when.get("modes") or ()) & set(when.get("except_modes") or ()))
    if both:
        text = _("%(mode)s is asked for and left out at once; say which of the two you want.")
        return {f"{at}.when": [text % {"mode": both[0]}]}
    return {}


def _is_list_of(value: Any, known: Sequence[str] | None) -> bool:
    """Absent, or a list of texts, each of `known` (None: any)."""
    if value is None:
        return True
    return isinstance(value, list) and all(
        isinstance(one, str) and (known is None or one in known) for one in value
    )


def read_gates(raw: Any) -> list[Gate]:
    """A typed-in policy. Raises InvalidInput naming each wrong field ("gates.0.roles")."""
    if not isinstance(raw, list):
        raise InvalidInput({"gates": [_("Give a list of gates; an empty list asks nobody.")]})
    errors: dict[str, list[str]] = {}
    gates: list[Gate] = []
    for index, item in enumerate(raw):
        if not isinstance(item, Mapping):
            errors[f"gates.{index}"] = [_("A gate is an object with name, roles, votes and when.")]
            continue
        gate = read_gate(item, f"gates.{index}", errors)
        if gate and gate.name in {other.name for other in gates}:
            errors[f"gates.{index}.name"] = [_("Two gates have this name; each needs its own.")]
        if gate:
            gates.append(gate)
    if errors:
        raise InvalidInput(errors)
    return gates


# Back to what was proven to work, and more of what runs: nobody has to be woken for it.
UNASKED: Final = ("rollback", "restart", "scale_out", "front_end_rollback")
APPROVAL: Final = Gate("Approval", (Role.APPROVER,), 1, ("always",), except_modes=UNASKED)
DESTROY: Final = Gate("Destroy", (Role.SECURITY,), 1, ("always",), modes=("destroy",))


def default_gates(environment: Environment) -> list[Gate]:
    """What a new environment starts with: production asks one approver, and one more for a destroy."""
    return [APPROVAL, DESTROY] if environment.is_production else []


def policy_in_force(environment: Environment) -> list[Gate]:
    """The gates of the newest policy; a production environment never has a destroy with one gate only."""
    policy = ApprovalPolicy.objects.filter(environment=environment).order_by("-number").first()
    return _in_force(environment, policy)


def policies_in_force(environments: Iterable[Environment]) -> dict[int, list[Gate]]:
    """The gates of each of these environments by its primary key, in one query for all."""
    places = {environment.pk: environment for environment in environments}
    rows = ApprovalPolicy.objects.filter(environment_id__in=places).order_by("number")
    newest = {policy.environment_id: policy for policy in rows}
    return {key: _in_force(environment, newest.get(key)) for key, environment in places.items()}


def _in_force(environment: Environment, policy: ApprovalPolicy | None) -> list[Gate]:
    gates = read_gates(policy.gates) if policy else default_gates(environment)
    if environment.is_production and not any("destroy" in gate.modes for gate in gates):
        gates = [*gates, DESTROY]
    return gates


def asked(environment: Environment, facts: Mapping[str, Any]) -> list[Gate]:
    """The gates that a proposal with these facts has to pass."""
    return [gate for gate in policy_in_force(environment) if gate.asks(facts)]


def excepted(environment: Environment, facts: Mapping[str, Any]) -> list[Gate]:
    """The gates that leave a proposal with these facts out by its mode."""
    return [gate for gate in policy_in_force(environment) if gate.excepts(facts)]


def _holders(environment: Environment, users: Iterable[int] | None = None) -> dict[int, set[str]]:
    rows = Membership.objects.filter(tenant=environment.tenant, user__is_active=True)
    if users is not None:
        rows = rows.filter(user_id__in=users)
    held: dict[int, set[str]] = {}
    for user_id, role in rows.values_list("user_id", "role"):
        held.setdefault(user_id, set()).add(role)
    return held


def evaluate(change: Change, *, barred: Mapping[int, str]) -> list[GateState]:
    """Each gate the current proposal asks, with the votes that count now.

    `barred` are people who may not approve this change (requester, authors): their votes do not count.
    """
    if change.proposal is None:
        return []
    votes = [
        vote
        for vote in Vote.objects.counting_for(change).select_related("user")
        if vote.decision == Vote.Decision.APPROVE and vote.user_id not in barred
    ]
    held = _holders(change.environment)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=held)}
    voted = {vote.user_id for vote in votes}
    return [
        _state(gate, votes, held, names, voted | set(barred))
        for gate in asked(change.environment, change.proposal.facts)
    ]


def _state(
    gate: Gate, votes: Sequence[Vote], held: Mapping[int, set[str]], names: Mapping[int, str], done: set[int]
) -> GateState:
    wanted = set(gate.roles)
    return GateState(
        gate=gate,
        votes=tuple(vote for vote in votes if held.get(vote.user_id, set()) & wanted),
        may_vote=tuple(
            sorted(
                names[user_id] for user_id, roles in held.items() if roles & wanted and user_id not in done
            )
        ),
    )
