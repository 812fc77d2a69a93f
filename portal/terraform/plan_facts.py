"""What a gate asks about a plan: does it destroy, replace, touch permissions or the network, lose data?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from portal.terraform.effects import STATEFUL
from portal.terraform.plan import Plan, ResourceChange

_ALTERING: Final = frozenset({"create", "update", "delete", "replace", "forget", "import"})

# Policies that live on a resource of another service, and settings that open it to others.
_ACCESS_TYPES: Final = re.compile(
    r"^aws_(iam_.*|.*_policy|.*_policy_attachment|kms_grant|lambda_permission|s3_bucket_public_access_block"
    r"|s3_account_public_access_block|s3_bucket_acl|s3_access_point|ssoadmin_.*|identitystore_.*|organizations_.*"
    r"|ram_.*|ecr_registry_policy|sns_topic_policy|vpc_endpoint_policy|rds_cluster_role_association"
    r"|db_instance_role_association)$"
)
# Names that end in _policy but say nothing about access.
_NOT_ACCESS: Final = frozenset(
    {
        "aws_appautoscaling_policy",
        "aws_autoscaling_policy",
        "aws_ecr_lifecycle_policy",
        "aws_dlm_lifecycle_policy",
    }
    | {"aws_efs_backup_policy", "aws_load_balancer_policy", "aws_cloudfront_cache_policy", "aws_fms_policy"}
    | {
        "aws_cloudfront_origin_request_policy",
        "aws_cloudfront_response_headers_policy",
        "aws_lb_cookie_stickiness_policy",
    }
    | {
        "aws_cloudfront_continuous_deployment_policy",
        "aws_route53_traffic_policy",
        "aws_ssm_default_patch_policy",
    }
)
_ACCESS_KEYS: Final = frozenset(
    {
        "policy",
        "access_policy",
        "access_policies",
        "assume_role_policy",
        "inline_policy",
        "iam_roles",
        "kms_key_policy",
    }
    | {"iam_instance_profile", "task_role_arn", "execution_role_arn", "iam_database_authentication_enabled"}
    | {"publicly_accessible", "permissions_boundary", "managed_policy_arns"}
)
_NETWORK_TYPES: Final = re.compile(
    r"^aws_(vpc|vpc_.*|default_vpc.*|default_(security_group|route_table|network_acl|subnet)|security_group|security_group_rule"
    r"|subnet|route|route_table|route_table_association|main_route_table_association|internet_gateway"
    r"|egress_only_internet_gateway|nat_gateway|eip|eip_association|network_acl|network_acl_rule|network_interface.*"
    r"|ec2_transit_gateway.*|ec2_managed_prefix_list.*|flow_log|customer_gateway|vpn_.*|dx_.*"
    r"|lb_listener|alb_listener|lb_listener_rule|alb_listener_rule|lb_listener_certificate|lb|alb"
    r"|networkfirewall_.*|wafv2_.*|route53_.*|service_discovery_.*_namespace)$"
)
_NETWORK_KEYS: Final = frozenset(
    {
        "vpc_security_group_ids",
        "security_group_ids",
        "security_groups",
        "subnet_ids",
        "subnets",
        "network_configuration",
    }
    | {"db_subnet_group_name", "subnet_group_name", "vpc_config", "publicly_accessible"}
)
# Health checks and log settings of a load balancer are no change of the network.
_NETWORK_ONLY_WITH: Final = {
    "aws_lb": frozenset({"security_groups", "subnets", "subnet_mapping", "internal", "ip_address_type"}),
    "aws_alb": frozenset({"security_groups", "subnets", "subnet_mapping", "internal", "ip_address_type"}),
}


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Addresses per question, in the plan's order; empty means no.

    `destroys` includes neither replacements nor resources that are only forgotten; `stateful_destroys`
    are destroyed or replaced resources that hold data.
    """

    creates: tuple[str, ...]
    updates: tuple[str, ...]
    destroys: tuple[str, ...]
    replaces: tuple[str, ...]
    forgets: tuple[str, ...]
    touches_iam: tuple[str, ...]
    touches_network: tuple[str, ...]
    stateful_destroys: tuple[str, ...]


def plan_facts(plan: Plan) -> PlanFacts:
    """The facts of one plan."""
    managed = [change for change in plan.changes if change.mode == "managed" and change.action in _ALTERING]

    def addresses(*actions: str) -> tuple[str, ...]:
        return tuple(change.address for change in managed if change.action in actions)

    return PlanFacts(
        creates=addresses("create"),
        updates=addresses("update"),
        destroys=addresses("delete"),
        replaces=addresses("replace"),
        forgets=addresses("forget"),
        touches_iam=tuple(change.address for change in managed if _touches_access(change)),
        touches_network=tuple(change.address for change in managed if _touches_network(change)),
        stateful_destroys=tuple(
            change.address
            for change in managed
            if change.action in ("delete", "replace") and change.type in STATEFUL
        ),
    )


def _touches_access(change: ResourceChange) -> bool:
    if change.type not in _NOT_ACCESS and _ACCESS_TYPES.match(change.type):
        return not _only_labels(change)
    # A new queue with a policy in it grants access just as a policy of its own does.
    return bool(_keys(change) & _ACCESS_KEYS) and change.action in ("create", "update", "replace")


def _touches_network(change: ResourceChange) -> bool:
    if change.type in _NETWORK_ONLY_WITH and change.action == "update":
        return bool(_keys(change) & _NETWORK_ONLY_WITH[change.type])
    if _NETWORK_TYPES.match(change.type):
        return not _only_labels(change)
    return bool(_keys(change) & _NETWORK_KEYS) and change.action == "update"


def _only_labels(change: ResourceChange) -> bool:
    return change.action == "update" and _keys(change) <= {"tags", "tags_all", "description"}


def _keys(change: ResourceChange) -> set[str]:
    """Top-level attributes that really differ; what is merely known after apply says nothing about
    intent.
    """
    return {
        str(one.steps[0])
        for one in change.attributes
        if one.steps and (not one.unknown or _configured(one.before))
    }


def _configured(before: object) -> bool:
    return before not in (None, "", [], {})
