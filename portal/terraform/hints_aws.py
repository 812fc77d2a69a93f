"""Error texts of AWS and of the hashicorp/aws provider, the narrow ones before the wide ones."""

from __future__ import annotations

from typing import Final

from portal.terraform.hint_rules import Rule, rule
from portal.terraform.wording import translatable as _

RULES: Final[tuple[Rule, ...]] = (
    rule(
        "credentials_expired",
        "aws",
        r"ExpiredToken|token (?:included in the request )?(?:is|has) expired|RequestExpired"
        r"|security token.{0,40}expired",
        _("The AWS credentials have expired."),
        _(
            "Run again: the portal asks for new ones. If it happens in the middle of long runs, raise the "
            "session length of the role, and compare the worker's clock with the real time."
        ),
    ),
    rule(
        "credentials_invalid",
        "aws",
        r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|AuthFailure"
        r"|InvalidAccessKeyId",
        _("AWS does not know these credentials."),
        _("Check the AWS account's page: the role, the keys the portal itself uses, and the worker's clock."),
    ),
    rule(
        "no_credentials",
        "aws",
        r"No valid credential sources|NoCredentialProviders|failed to refresh cached credentials"
        r"|Unable to locate credentials|NoCredentials",
        _("There are no AWS credentials."),
        _(
            "The environment's AWS account has no role that the portal can use. Enter the role on the "
            "account's page and press “Test the connection”."
        ),
    ),
    rule(
        "assume_role",
        "aws",
        r"not authorized to perform: sts:AssumeRole|Cannot assume IAM Role",
        _("The portal may not take on the account's role."),
        _(
            "The role's trust policy must name the portal's own identity, and the external id must be the "
            "one on the account's page."
        ),
    ),
    rule(
        "access_denied",
        "aws",
        r"(?:not authorized to perform:? (?P<action>[a-z0-9-]+:[A-Za-z0-9*]+))",
        _("A permission is missing."),
        _(
            "The role that Terraform uses lacks %(action)s. Add just that action to its policy, let it "
            "reach the resource, and run again."
        ),
    ),
    rule(
        "access_denied_unnamed",
        "aws",
        r"operation error (?P<service>[\w ]{1,40}): (?P<operation>\w{1,60}), https response error"
        r" StatusCode: 40[13].{0,200}(?:AccessDenied|UnauthorizedOperation|Forbidden)",
        _("A permission is missing."),
        _(
            "The role that Terraform uses may not call %(operation)s of %(service)s. Add the action of "
            "that name to its policy and run again; a key policy or an organisation's rule can forbid it "
            "too."
        ),
    ),
    rule(
        "access_denied_plain",
        "aws",
        r"AccessDenied|UnauthorizedOperation|AuthorizationError",
        _("AWS refuses this."),
        _(
            "The role that Terraform uses lacks a permission, or a bucket, key or organisation policy "
            "forbids it. The raw error names the resource."
        ),
    ),
    rule(
        "bucket_exists",
        "aws",
        r"BucketAlreadyExists|BucketAlreadyOwnedByYou",
        _("The bucket name is taken."),
        _(
            "Bucket names are shared by all AWS customers. Add the account id to the name; if the bucket "
            "is your own, import it instead."
        ),
    ),
    rule(
        "bucket_not_empty",
        "aws",
        r"BucketNotEmpty",
        _("The bucket still has objects."),
        _("Empty it, old versions included, then run again. Deleted objects cannot be brought back."),
    ),
    rule(
        "repository_not_empty",
        "aws",
        r"RepositoryNotEmptyException",
        _("The image repository still has images."),
        _("Delete the images, or set force_delete in the blueprint and apply that first."),
    ),
    rule(
        "secret_scheduled",
        "aws",
        r"secret with this name is already scheduled for deletion",
        _("A deleted secret still holds this name."),
        _("Restore the secret and import it, or wait until its recovery window is over."),
    ),
    rule(
        "final_snapshot",
        "aws",
        r"final_snapshot_identifier is required|FinalDBSnapshotIdentifier",
        _("The database wants a final snapshot."),
        _(
            "Give a name for it, or say in the definition that none is wanted, and apply that before "
            "destroying."
        ),
    ),
    rule(
        "deletion_protection",
        "aws",
        r"DeletionProtection|deletion protection is (?:enabled|on)|Cannot delete protected",
        _("The resource is protected against deletion."),
        _("Switch the protection off in the definition, apply that, and then destroy."),
    ),
    rule(
        "throttled",
        "aws",
        r"Throttl|RequestLimitExceeded|TooManyRequests|Rate exceeded|PriorRequestNotComplete|SlowDown",
        _("AWS asks to go slower."),
        _(
            "Too many calls in a short time in this account. Wait a few minutes and run again; it goes on "
            "where it stopped."
        ),
    ),
    rule(
        "quota",
        "aws",
        r"(?:Limit|Quota)Exceeded|QuotaExceeded|\w+LimitExceeded|limit (?:has been )?exceeded"
        r"|maximum number of .{1,60} (?:reached|exceeded)",
        _("A quota of the account is used up."),
        _(
            "Ask for more under Service Quotas in this region, or remove what is no longer needed, and "
            "run again."
        ),
    ),
    rule(
        "no_capacity",
        "aws",
        r"InsufficientInstanceCapacity|InsufficientDBInstanceCapacity|InsufficientCacheClusterCapacity"
        r"|InsufficientFreeAddresses",
        _("AWS has no room for this just now."),
        _("Try later, or choose another class, zone or larger subnet in the definition."),
    ),
    rule(
        "maintenance_window",
        "aws",
        r"Invalid (?:maintenance|backup) window|(?:maintenance|backup)_window.{0,80}(?:invalid|must)"
        r"|PreferredMaintenanceWindow",
        _("The window is not written as AWS wants it."),
        _(
            "Write day and time with colons on both sides, in UTC: mon:19:00-mon:20:00; a backup window "
            "has no day."
        ),
    ),
    rule(
        "lifecycle_filter",
        "aws",
        r"(?:No attribute specified when one \(and only one\)|exactly one) of.{0,60}filter|MalformedXML",
        _("A lifecycle rule lacks its filter."),
        _("Give every rule of the bucket's lifecycle a filter; an empty filter block means all objects."),
    ),
    rule(
        "parameter_combination",
        "aws",
        r"InvalidParameterCombination",
        _("These settings do not go together."),
        _(
            "For databases usually the class, engine version and region: not every class exists for every "
            "version. The raw error says which."
        ),
    ),
    rule(
        "invalid_parameter",
        "aws",
        r"InvalidParameterValue|ValidationException|ValidationError|InvalidInput",
        _("AWS does not accept a value."),
        _("The raw error names it. Correct it in the definition and plan again."),
    ),
    rule(
        "in_use",
        "aws",
        r"DependencyViolation|ResourceInUse|DeleteConflict|has (?:a )?dependent object",
        _("Something still uses this resource."),
        _(
            "Something that Terraform does not know still hangs on it, such as a network interface or a "
            "rule made by hand. Remove that and run again."
        ),
    ),
    rule(
        "exists",
        "aws",
        r"AlreadyExists|EntityAlreadyExists|DuplicateName|InvalidGroup\.Duplicate|ResourceExistsException"
        r"|already exists",
        _("Something of this name exists already."),
        _(
            "It was made by hand or is left from an earlier run. Import it, rename it in the definition, "
            "or remove it."
        ),
    ),
    rule(
        "slow_database",
        "aws",
        r"(?:waiting for|timeout).{0,80}(?:RDS|DB Instance|DB Cluster|ElastiCache).{0,200}timeout"
        r"|timeout while waiting for state to become '?\"?available",
        _("The database takes longer than Terraform waited."),
        _(
            "With a standby in a second zone 15 to 20 minutes are normal, without one 5 to 10. Look at "
            "its state, wait until it is available, and run again."
        ),
    ),
    rule(
        "timeout",
        "aws",
        r"timeout while waiting for|context deadline exceeded|Client\.Timeout exceeded",
        _("Something took longer than Terraform waited."),
        _("It may still finish by itself. Run a plan: it shows what is there by now."),
    ),
    rule(
        "unreachable",
        "aws",
        r"connection refused|no such host|i/o timeout|connection reset by peer"
        r"|RequestError: send request failed",
        _("AWS could not be reached."),
        _(
            "Check the worker's network, DNS and proxy, and whether the account's address (endpoint) is "
            "right; then run again."
        ),
    ),
)
