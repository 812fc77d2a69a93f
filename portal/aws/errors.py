"""Everything AWS can say no with, as one error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.errors import GatehouseError
from portal.core.redaction import mask_patterns

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "Client.UnauthorizedOperation",
}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
# Worth another try later, beside every 5xx: the sets of botocore's own retry handler and a few states.
PASSING = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "SlowDown",
    "EC2ThrottledException",
    "TransactionInProgressException",
    "RequestTimeout",
    "RequestTimeoutException",
    "InvalidDBInstanceState",
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
} | EXPIRED
# Where the name that signs requests is not the prefix of the permission.
PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}
# Where a call and the permission it takes have other names.
PERMISSIONS = {
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
NAMED_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z*]+)")


class AwsError(GatehouseError):
    """AWS refused or could not be reached.

    `code` is AWS's own word (or ours: NoCredentials, Unreachable, WrongAccount, Configuration, Invalid);
    `permanent` means that the same call will fail again; `action` is the IAM action that is missing.
    """

    status = 502
    title = gettext_lazy("AWS did not do it")
    default_code = "aws"

    def __init__(self, message: str, *, code: str, permanent: bool, hint: str = "", action: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.permanent = permanent
        self.action = action


@contextmanager
def aws_errors(signing_name: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into AwsError. `signing_name` is the service's."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, PREFIXES.get(signing_name, signing_name)) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise AwsError(
            _("The portal itself has no AWS credentials: %(why)s") % {"why": error},
            code="NoCredentials",
            permanent=True,
            hint=_(
                "Give the web process and the workers a role, or set AWS credentials in their environment."
            ),
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise AwsError(
            _("AWS could not be reached: %(why)s") % {"why": mask_patterns(str(error))},
            code="Unreachable",
            permanent=False,
            hint=_("Is the sandbox running, or the way to the internet open? It is worth trying again."),
        ) from error
    except BotoCoreError as error:
        raise AwsError(
            _("The call to AWS was not well formed: %(why)s") % {"why": mask_patterns(str(error))},
            code="Invalid",
            permanent=True,
        ) from error


def _from_answer(error: ClientError, prefix: str) -> AwsError:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code") or "Unknown")
    message = mask_patterns(str(answer.get("Message") or error))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    operation = error.operation_name
    if code in DENIED:
        named = NAMED_ACTION.search(message)
        asked = f"{prefix}:{operation}"
        return _denied(code, message, named.group(1) if named else PERMISSIONS.get(asked, asked))
    hint = ""
    if code in UNKNOWN_KEY:
        hint = _("AWS does not know the credentials the portal starts from, or their clock is wrong.")
    elif code in EXPIRED:
        hint = _("The credentials ran out while they were used. Try again.")
    elif code in PASSING:
        hint = _("AWS asks to slow down or to wait. Try again in a minute.")
    return AwsError(
        f"{operation}: {message}", code=code, permanent=code not in PASSING and status < 500, hint=hint
    )


def _denied(code: str, message: str, action: str) -> AwsError:
    if action == "sts:AssumeRole":
        hint = _(
            "The role's trust policy must name the portal's own identity, and its external id must be the "
            "one on the account's page."
        )
    else:
        hint = _("Add %(action)s to the policy of the role that the portal assumes in this account.") % {
            "action": action
        }
    return AwsError(
        _("The permission %(action)s is missing: %(message)s") % {"action": action, "message": message},
        code=code,
        permanent=True,
        hint=hint,
        action=action,
    )
