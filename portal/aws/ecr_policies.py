"""Whether an ECR repository carries a policy of its own, which may allow or deny beside a role's."""

from __future__ import annotations

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

NONE = "RepositoryPolicyNotFoundException"


def has_policy(access: AccountAccess, repository: str) -> bool:
    """Whether the repository has a resource policy. Raises AwsError."""
    try:
        call(access, "ecr", "get_repository_policy", repositoryName=repository)
    except AwsError as error:
        if error.code == NONE:
            return False
        raise
    return True
