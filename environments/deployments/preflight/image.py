"""Is the image there, and is it for the platform that the tasks run on?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.asked.images import repository_of
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok, unknown
from portal.aws.ecr import Image
from portal.aws.errors import AwsError

# runtimePlatform.cpuArchitecture -> the image's word for it
ARCHITECTURES: Final = {"X86_64": "amd64", "ARM64": "arm64"}


def findings(target: Target, look: Look) -> Iterator[Finding]:
    image = target.image
    if image is None:
        if not target.present_digest:
            yield unknown(
                "image", _("Which image runs now is not known, so nobody can say whether it is there.")
            )
            return
        repository = repository_of(look.access, target.service, target.running_definition)
        try:
            image = look.image(repository, target.present_digest)
        except AwsError as error:
            if not error.permanent or error.action:
                raise
            yield failing("image", _("New tasks cannot start: %(why)s") % {"why": error}, error.hint)
            return
    yield ok("image", _("The image %(image)s is in the repository.") % {"image": image.reference})
    yield _platform(target.definition, image)


def _platform(definition: Mapping[str, Any], image: Image) -> Finding:
    wanted = platform(definition)
    if not image.platforms:
        return unknown(
            "platform",
            _("For which platform the image is made is not known: %(why)s")
            % {"why": image.unread.get("platforms") or _("its manifest does not tell.")},
        )
    made_for = ", ".join(image.platforms)
    if any(_fits(one, wanted) for one in image.platforms):
        return ok("platform", _("The image is made for %(platform)s.") % {"platform": wanted})
    return failing(
        "platform",
        _("The image is made for %(has)s; the tasks run on %(wanted)s.")
        % {"has": made_for, "wanted": wanted},
        _(
            "Build it with --platform %(wanted)s, or change the task definition's runtime platform in the blueprint."
        )
        % {"wanted": wanted},
    )


def platform(definition: Mapping[str, Any]) -> str:
    """What the tasks run on, in an image's words ("linux/amd64"); ECS's own default where nothing is said."""
    said = definition.get("runtimePlatform") or {}
    system = "windows" if str(said.get("operatingSystemFamily") or "LINUX").startswith("WINDOWS") else "linux"
    architecture = str(said.get("cpuArchitecture") or "X86_64")
    return f"{system}/{ARCHITECTURES.get(architecture, architecture.lower())}"


def _fits(made_for: str, wanted: str) -> bool:
    # "linux/arm64/v8" runs where linux/arm64 is wanted.
    return made_for == wanted or made_for.startswith(wanted + "/")
