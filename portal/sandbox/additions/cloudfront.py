"""CloudFront: distributions as they were given, and AWS's own cache policies."""

from typing import Any

from moto.cloudfront import models, urls
from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import ActionResult

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


urls.url_paths["{0}/2020-05-31/cache-policy$"] = CloudFrontResponse.dispatch
urls.url_paths["{0}/2020-05-31/cache-policy/(?P<policy_id>[^/]+)$"] = CloudFrontResponse.dispatch
