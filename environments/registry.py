"""Where rooms meet: each room registers here what it adds to pages that are not its own.

Rooms register from their AppConfig.ready(); readers ask at request time. Nothing here imports a room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from environments.models import Environment, Tenant
    from portal.accounts.models import User
    from portal.accounts.principals import Principal

# The five words of state (worst first); every chip uses one of them.
FAILING: Final = "failing"
ATTENTION: Final = "attention"
PROGRESS: Final = "progress"
UNKNOWN: Final = "unknown"
HEALTHY: Final = "healthy"
SEVERITY: Final = (FAILING, ATTENTION, PROGRESS, UNKNOWN, HEALTHY)


@dataclass(frozen=True)
class Chip:
    """One verdict: `state` is one of SEVERITY, `text` the words, `at` the age of the knowledge."""

    state: str
    text: str
    link: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Column:
    """A column of the overview. `cells` answers for all environments in a constant number of queries."""

    key: str
    title: str
    order: int
    cells: Callable[[Sequence[Environment]], dict[int, Chip]]


@dataclass(frozen=True)
class Tab:
    """A tab of the environment's page; `url_name` takes tenant and environment slugs."""

    key: str
    title: str
    order: int
    url_name: str
    count: Callable[[Environment], int] | None = None


@dataclass(frozen=True)
class Card:
    """A fragment on the environment's overview tab: a template and its context."""

    key: str
    order: int
    template: str
    context: Callable[[Environment, User], dict[str, Any]]


@dataclass(frozen=True)
class Need:
    """Something that waits for this person: a vote, a failed change, a debt."""

    title: str
    detail: str
    link: str
    state: str
    at: datetime
    verb: str


@dataclass(frozen=True)
class Hit:
    """One search result."""

    kind: str
    title: str
    detail: str
    link: str


@dataclass
class Registry:
    columns: list[Column] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    # Answer for one person, newest first.
    needs: list[Callable[[User], Iterable[Need]]] = field(default_factory=list)
    searches: list[Callable[[User, str], Iterable[Hit]]] = field(default_factory=list)
    # The number in the navigation.
    inbox_count: Callable[[User], int] = lambda user: 0
    # Names of the blueprints there are.
    blueprints: Callable[[], Iterable[str]] = lambda: ()
    # Makes the first definition of a new environment from these values, inside its transaction.
    define: Callable[[Principal, Environment, Mapping[str, Any]], Any] | None = None
    # Asks for a run of this definition; returns the address of the change's page.
    plan: Callable[[Principal, Environment, Any], str] | None = None
    # Open changes that use another definition than the newest: (title, link, definition number).
    pending: list[Callable[[Environment], Iterable[tuple[str, str, int]]]] = field(default_factory=list)
    # Names and values of the outputs of the environment's last apply; sensitive ones are left out.
    outputs: Callable[[Environment], Mapping[str, Any]] = lambda environment: {}
    # The output of this name of many environments (primary keys) at once; those without it are left out.
    outputs_named: Callable[[Sequence[int], str], Mapping[int, Any]] = lambda ids, name: {}
    # Who owns which field of its services' task definitions, Terraform or deployments, in the shape that
    # templates/deployments/_ownership.html draws: [{"service", "link", "rows": [{field, owner, value, source}]}].
    ownership: Callable[[Environment], Sequence[Mapping[str, Any]]] = lambda environment: ()
    # The services whose next deployment takes the newest revision of the task definitions at these addresses: name and
    # page of each.
    deployed_with: Callable[[Environment, Sequence[str]], Sequence[tuple[str, str]]] = (
        lambda environment, addresses: ()
    )
    # Why this environment may not be retired (resources, open changes); empty when it may.
    retire_blockers: list[Callable[[Environment], Iterable[str]]] = field(default_factory=list)
    # Called inside the transaction that lifts a hold: who waited may go on.
    on_released: list[Callable[[Environment], None]] = field(default_factory=list)
    # Called inside the transaction that takes a role in a tenant away from a person.
    on_role_lost: list[Callable[[Principal, Tenant, User], None]] = field(default_factory=list)
    # Called inside the transaction that creates an environment.
    on_created: list[Callable[[Principal, Environment], None]] = field(default_factory=list)

    def sorted_columns(self) -> list[Column]:
        return sorted(self.columns, key=lambda column: column.order)

    def sorted_tabs(self) -> list[Tab]:
        return sorted(self.tabs, key=lambda tab: tab.order)

    def sorted_cards(self) -> list[Card]:
        return sorted(self.cards, key=lambda card: card.order)


registry: Final = Registry()
