"""From an AWS account's row to the access that portal.aws works with."""

from __future__ import annotations

from django.conf import settings

from environments.models import AwsAccount
from portal.aws.buckets import shortcomings
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess


def access_to(account: AwsAccount, region: str) -> AccountAccess:
    """How this account is reached from here. Which AWS it is comes from the account's row alone."""
    return AccountAccess(
        kind=account.kind,
        account_id=account.account_id,
        role_arn=account.role_arn or f"arn:aws:iam::{account.account_id}:role/gatehouse",
        external_id=account.external_id,
        region=region or account.default_region,
        endpoint_url=settings.SANDBOX_URL if account.is_sandbox else "",
    )


def bucket_shortcomings(account: AwsAccount) -> list[str]:
    """What speaks against the account's bucket for states, as AWS tells it now; [] without a bucket."""
    if not account.state_bucket:
        return []
    try:
        return shortcomings(access_to(account, account.default_region), account.state_bucket)
    except AwsError as refused:
        return [refused.message]
