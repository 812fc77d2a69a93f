"""CloudFront: distributions as they were given, AWS's own cache policies, invalidations that take a while."""

from typing import Any

from moto.cloudfront import models, urls
from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import ActionResult
from moto.core.utils import unix_time

from portal.sandbox.ecs import pace
from portal.sandbox.patching import add, wrap

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
# id -> name, minimum, default and maximum seconds in the cache, whether compressed copies are cached
_MANAGED_POLICIES: dict[str, tuple[str, int, int, int, bool]] = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": ("Managed-CachingOptimized", 1, 86_400, 31_536_000, True),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": (
        "Managed-CachingOptimizedForUncompressedObjects",
        1,
        86_400,
        31_536_000,
        False,
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": ("Managed-CachingDisabled", 0, 0, 0, False),
}


@wrap(models.DefaultCacheBehaviour, "__init__")
def _behaviour(original: Any, self: Any, config: dict[str, Any]) -> None:
    original(self, config)
    if not config.get("ForwardedValues"):
        self.forwarded_values = None
    for attribute, key in (
        ("lambda_function_associations", "LambdaFunctionAssociations"),
        ("function_associations", "FunctionAssociations"),
    ):
        if config.get(key):
            setattr(self, attribute, config[key])


@wrap(models.Origin, "__init__")
def _origin(original: Any, self: Any, config: dict[str, Any]) -> None:
    original(self, config)
    self.origin_access_control_id = config.get("OriginAccessControlId") or ""


@wrap(models.ViewerCertificate, "__init__")
def _certificate(original: Any, self: Any, config: dict[str, Any]) -> None:
    original(self, config)
    if self.cloud_front_default_certificate and not config.get("SSLSupportMethod"):
        self.ssl_support_method = None


class NoSuchCachePolicy(CloudFrontException):
    """There is no cache policy of that id."""

    code = "NoSuchCachePolicy"
    message = "The cache policy does not exist."


@add(CloudFrontResponse)
def list_cache_policies(self: CloudFrontResponse) -> ActionResult:
    """The managed policies; one cannot make policies of one's own here."""
    items = [{"Type": "managed", "CachePolicy": _policy(policy_id)} for policy_id in _MANAGED_POLICIES]
    if self._get_param("Type") == "custom":
        items = []
    return ActionResult({"CachePolicyList": {"MaxItems": 100, "Quantity": len(items), "Items": items}})


@add(CloudFrontResponse)
def get_cache_policy(self: CloudFrontResponse) -> ActionResult:
    """One managed policy."""
    policy_id = self.path.rstrip("/").rpartition("/")[2]
    if policy_id not in _MANAGED_POLICIES:
        raise NoSuchCachePolicy
    return ActionResult({"CachePolicy": _policy(policy_id), "ETag": "E23ZP02F085DFQ"})


def _policy(policy_id: str) -> dict[str, Any]:
    name, least, usual, most, compressed = _MANAGED_POLICIES[policy_id]
    parameters = {
        "EnableAcceptEncodingGzip": compressed,
        "EnableAcceptEncodingBrotli": compressed,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    config = {
        "Name": name,
        "Comment": "",
        "MinTTL": least,
        "DefaultTTL": usual,
        "MaxTTL": most,
        "ParametersInCacheKeyAndForwardedToOrigin": parameters,
    }
    return {"Id": policy_id, "LastModifiedTime": "2020-07-22T00:00:00Z", "CachePolicyConfig": config}


# How long the edges take to forget, in steps of a task's start (SANDBOX_ECS_PACE).
_STEPS_TO_FORGET = 2


class InvalidArgument(CloudFrontException):
    """What was asked for does not fit together."""

    code = "InvalidArgument"
    message = "Your request contains a caller reference that was used for a previous invalidation batch."


@wrap(models.CloudFrontBackend, "create_invalidation")
def _invalidate(
    original: Any, self: models.CloudFrontBackend, dist_id: str, paths: list[str], caller_ref: str
) -> models.Invalidation:
    for known in self.invalidations.get(dist_id, []):
        if known.caller_ref == caller_ref:
            if sorted(known.paths) != sorted(paths):
                raise InvalidArgument
            return _settled(known)
    made: models.Invalidation = original(self, dist_id, paths, caller_ref)
    made.status = "InProgress"
    vars(made)["done_at"] = unix_time() + _STEPS_TO_FORGET * pace.current().step
    return made


@wrap(models.CloudFrontBackend, "get_invalidation")
def _look(original: Any, self: models.CloudFrontBackend, *args: Any, **kwargs: Any) -> models.Invalidation:
    return _settled(original(self, *args, **kwargs))


def _settled(invalidation: models.Invalidation) -> models.Invalidation:
    if unix_time() >= vars(invalidation).get("done_at", 0):
        invalidation.status = "Completed"
    return invalidation


urls.url_paths["{0}/2020-05-31/cache-policy$"] = CloudFrontResponse.dispatch
urls.url_paths["{0}/2020-05-31/cache-policy/(?P<policy_id>[^/]+)$"] = CloudFrontResponse.dispatch
