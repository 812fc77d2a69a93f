"""A deployment as a sentence: "Deploy v2 to onno-api and onno-ws in Onno production"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from environments.deployments.models import Act
from environments.models import Environment

# More names than these are counted.
SHOWN = 3
Named = Sequence[tuple[str, Mapping[str, Any]]]


def title(act: str, named: Named, environment: Environment, source: Environment | None = None) -> str:
    """The sentence for these services, each with what is asked of it (`wanted`)."""
    names = listed([name for name, _wanted in named])
    said = {"services": names, "environment": environment, "source": source or ""}
    if source is not None:
        return _("Promote %(services)s from %(source)s to %(environment)s") % said
    if act == Act.DEPLOY:
        return _("Deploy %(images)s in %(environment)s") % {**said, "images": _images(named)}
    if act == Act.SCALE:
        return _("Scale %(counts)s in %(environment)s") % {**said, "counts": _counts(named)}
    texts = {
        Act.CONFIGURE: _("Change settings of %(services)s in %(environment)s"),
        Act.RESTART: _("Restart %(services)s in %(environment)s"),
        Act.ROLLBACK: _("Roll back %(services)s in %(environment)s"),
    }
    return texts[Act(act)] % said


def listed(names: Sequence[str]) -> str:
    """“a, b and c”; of many the first ones, and how many more."""
    shown = list(names[:SHOWN])
    if len(names) > SHOWN:
        return _("%(names)s and %(n)s more") % {"names": ", ".join(shown), "n": len(names) - SHOWN}
    if len(shown) < 2:
        return "".join(shown)
    return _("%(names)s and %(last)s") % {"names": ", ".join(shown[:-1]), "last": shown[-1]}


def short(image: str) -> str:
    """What a person calls this image: its tag, or the start of its digest."""
    if "sha256:" in image:
        return image.rpartition("sha256:")[2][:12]
    return image.rpartition(":")[2]


def _images(named: Named) -> str:
    """“v2 to onno-api and onno-ws”, “v2 to onno-api and v7 to onno-ws”."""
    by_image: dict[str, list[str]] = {}
    for name, wanted in named:
        label = str(wanted.get("tag") or short(str(wanted.get("image", "")))) or _("settings")
        by_image.setdefault(label, []).append(name)
    return listed(
        [
            _("%(image)s to %(services)s") % {"image": label, "services": listed(names)}
            for label, names in by_image.items()
        ]
    )


def _counts(named: Named) -> str:
    return listed([f"{name} {_count(wanted)}".strip() for name, wanted in named])


def _count(wanted: Mapping[str, Any]) -> str:
    if "desired" in wanted:
        return _("to %(n)s") % {"n": wanted["desired"]}
    if "minimum" in wanted and "maximum" in wanted:
        return _("to between %(least)s and %(most)s") % {
            "least": wanted["minimum"],
            "most": wanted["maximum"],
        }
    if "minimum" in wanted:
        return _("to at least %(n)s") % {"n": wanted["minimum"]}
    return _("to at most %(n)s") % {"n": wanted["maximum"]} if "maximum" in wanted else ""
