"""Types whose import wants something else than the id that Terraform tells when it has made one.

From the "Import" sections of https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs; types that are
not here are imported by the id in the log.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

FORMS: Final = {
    "aws_appautoscaling_policy": "NAMESPACE/RESOURCE-ID/DIMENSION/POLICY-NAME",
    "aws_appautoscaling_target": "NAMESPACE/RESOURCE-ID/DIMENSION",
    "aws_ecs_cluster": "CLUSTER-NAME",
    "aws_ecs_cluster_capacity_providers": "CLUSTER-NAME",
    "aws_ecs_service": "CLUSTER-NAME/SERVICE-NAME",
    "aws_ecs_task_definition": "ARN",
    "aws_iam_role_policy_attachment": "ROLE-NAME/POLICY-ARN",
    "aws_iam_user_policy_attachment": "USER-NAME/POLICY-ARN",
    "aws_lambda_permission": "FUNCTION-NAME/STATEMENT-ID",
    "aws_route": "ROUTE-TABLE-ID_DESTINATION",
    "aws_route_table_association": "SUBNET-ID/ROUTE-TABLE-ID",
    "aws_security_group_rule": "GROUP-ID_TYPE_PROTOCOL_FROM_TO_SOURCE",
    "aws_sns_topic_subscription": "SUBSCRIPTION-ARN",
    "aws_volume_attachment": "DEVICE:VOLUME-ID:INSTANCE-ID",
}


def form_of(type_name: str) -> str:
    """A sentence on what this type's import wants; empty when it is the id that Terraform told."""
    form = FORMS.get(type_name)
    if form is None:
        return ""
    return _("%(type)s is imported by %(form)s, which may differ from the id that Terraform told.") % {
        "type": type_name,
        "form": form,
    }
