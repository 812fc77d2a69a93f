"""Error texts of Terraform itself and of the machine it runs on."""

from __future__ import annotations

from typing import Final

from portal.terraform.hint_rules import Rule, rule
from portal.terraform.wording import translatable as _

FIRST: Final[tuple[Rule, ...]] = (
    rule(
        "import_not_found",
        "terraform",
        r"Cannot import non-existent remote object",
        _("What is to be imported does not exist."),
        _(
            "It was never finished, somebody removed it, or it goes by another id. Dismiss it on the page of "
            "the run that left it, or give its right id there; then plan again."
        ),
    ),
    rule(
        "state_lock",
        "terraform",
        r"Error (?:acquiring|locking) the state lock|Error locking state",
        _("Somebody else holds the state lock."),
        _(
            "Another run works on this environment, or one that died did not give the lock back. The "
            "state page shows who holds it; an administrator can release it once that run is proven dead."
        ),
    ),
    rule(
        "stale_plan",
        "terraform",
        r"Saved plan is stale|plan file can no longer be applied",
        _("The plan no longer fits the state."),
        _(
            "Something changed after this plan was made. Propose again; if the result is the same, the "
            "approvals stay."
        ),
    ),
    rule(
        "state_not_saved",
        "terraform",
        r"Failed to (?:save|persist) state|errored\.tfstate",
        _("Terraform could not hand over its state."),
        _(
            "The portal keeps the state that Terraform left on disk. Check the state page before the next "
            "run, and do not start Terraform by hand."
        ),
    ),
    rule(
        "state_unreadable",
        "portal",
        r"Error (?:loading|refreshing|retrieving) state|HTTP remote state"
        r"|Failed to (?:load|get) (?:remote )?state",
        _("Terraform could not read its state from the portal."),
        _(
            "The portal's web process was away, or it refused this run's credentials. Run again; if it "
            "returns, look at the worker's address of the portal and at the state page."
        ),
    ),
    rule(
        "provider_unreachable",
        "terraform",
        r"could not connect to registry|registry service is unreachable"
        r"|Failed to query available provider packages|registry\.terraform\.io.{0,120}(?:no such host"
        r"|timeout|refused|proxyconnect)",
        _("The provider could not be downloaded."),
        _(
            "The worker cannot reach registry.terraform.io. Check its DNS and its HTTPS_PROXY setting, or "
            "put the providers into a folder on the worker and name it in GATEHOUSE_PROVIDER_MIRROR. Then "
            "run again."
        ),
    ),
    rule(
        "provider_locked",
        "terraform",
        r"Inconsistent dependency lock file|doesn't match any of the checksums"
        r"|does not match configured version|required by this configuration but no version is selected",
        _("The lock file does not allow this provider."),
        _(
            "The blueprint's .terraform.lock.hcl names another version, or a hash for another kind of "
            "machine. Make the lock file again for this installation and save the blueprint."
        ),
    ),
    rule(
        "provider_missing",
        "terraform",
        r"Could not retrieve the list of available versions|Required plugins are not installed"
        r"|provider registry .{0,80} does not have a provider|Failed to install provider",
        _("A provider is missing."),
        _(
            "Look at required_providers: the name may be wrong, or the folder with providers on the "
            "worker lacks that version."
        ),
    ),
    rule(
        "version_too_old",
        "terraform",
        r"Unsupported Terraform Core version",
        _("The blueprint asks for another Terraform version."),
        _("Install the version that its required_version names on every worker, or relax the constraint."),
    ),
    rule(
        "cycle",
        "terraform",
        r"(?:^|Error: )Cycle: ",
        _("Resources depend on each other in a circle."),
        _(
            "Often two security groups that name each other in their own rules. Make each rule a resource "
            "of its own (aws_vpc_security_group_ingress_rule), so that the groups exist first."
        ),
    ),
    rule(
        "prevent_destroy",
        "terraform",
        r"Instance cannot be destroyed|lifecycle\.prevent_destroy",
        _("The blueprint forbids destroying this resource."),
        _(
            "If it really has to go, take prevent_destroy out of the blueprint first; otherwise change "
            "the definition."
        ),
    ),
)
"""Before AWS's own words: these say more than the AWS error that may stand in the same text."""
LAST: Final[tuple[Rule, ...]] = (
    rule(
        "unsupported_argument",
        "terraform",
        r"Unsupported (?:argument|block type)|Missing required argument|Invalid (?:block|argument)",
        _("The code does not fit the provider's version."),
        _(
            "An argument or block is named or placed differently in this version of the provider. Compare "
            "the marked line with that version's documentation."
        ),
    ),
    rule(
        "variable_invalid",
        "terraform",
        r"Invalid value for (?:input )?variable|No value for required variable",
        _("A variable has no or no allowed value."),
        _("Correct it in the definition; the raw error says what is allowed."),
    ),
    rule(
        "interrupted",
        "terraform",
        r"Interrupt received|execution halted|operation canceled",
        _("The run was stopped."),
        _("Terraform saved what was done so far. A new run goes on from there."),
    ),
    rule(
        "provider_crashed",
        "terraform",
        r"Plugin did not respond|plugin crashed|panic: |Provider produced inconsistent",
        _("The provider failed."),
        _(
            "A fault in the provider, not in the definition. Run again; if it returns, try another "
            "provider version."
        ),
    ),
    rule(
        "no_space",
        "portal",
        r"no space left on device",
        _("The worker's disk is full."),
        _("Free space in the worker's work folder or its folder for temporary files, then run again."),
    ),
)
"""After AWS's: these also appear beside errors that say more."""
