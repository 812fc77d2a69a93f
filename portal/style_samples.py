"""Invented content for the style guide, in the nouns of the portal and the shapes its components take."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

POLICY_BEFORE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}'
POLICY_AFTER = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],'
    '"Resource":"arn:aws:s3:::triflow-ai-prod/tenants/*"}]}'
)

PLAN: tuple[dict[str, Any], ...] = (
    {
        "id": "plan-db",
        "action": "replace",
        "address": "module.database.aws_db_instance.main",
        "summary": "storage_encrypted forces it",
        "open": True,
        "is_new": True,
        "consequences": [
            "The database is created anew and empty; the old one leaves a final snapshot.",
            "2 tasks of the service backend restart.",
        ],
        "attributes": [
            {"path": "storage_encrypted", "before": False, "after": True, "forces_replacement": True},
            {"path": "allocated_storage", "before": 20, "after": 100},
            {"path": "arn", "before": "arn:aws:rds:ap-northeast-2:111111111111:db:main", "unknown": True},
            {"path": "endpoint", "before": None, "unknown": True},
            {"path": "password", "sensitive": True, "changed": True},
            {"path": "master_user_secret", "sensitive": True, "changed": False},
        ],
        "unchanged": 61,
    },
    {
        "action": "destroy",
        "address": 'aws_security_group_rule.legacy["10.0.12.0/24"]',
        "consequences": [],
        "attributes": [{"path": "cidr_blocks", "before": ["10.0.12.0/24"], "after": None}],
    },
    {
        "action": "update",
        "address": "module.service.aws_iam_role_policy.task",
        "open": True,
        "attributes": [
            {"path": "policy", "before": POLICY_BEFORE, "after": POLICY_AFTER},
            {"path": "name", "before": "s3-access", "after": "triflow-ai-production-s3-access-policy"},
        ],
        "unchanged": 3,
    },
    {
        "action": "create",
        "address": "aws_cloudwatch_metric_alarm.rds_cpu_high",
        "attributes": [{"path": "threshold", "before": None, "after": 80}],
    },
    {"action": "read", "address": "data.aws_iam_policy_document.assume", "attributes": []},
    {
        "action": "no-op",
        "address": "aws_sns_topic.alarms",
        "moved_from": "aws_sns_topic.main",
        "attributes": [],
    },
)

ALARM = ["object", {"metric": "string", "threshold": "number", "actions": ["list", "string"]}, ["actions"]]

# (name, type, value) for the editors of generated forms.
EDITORS: tuple[tuple[str, Any, Any], ...] = (
    ("var-name", "string", "triflow-ai-production"),
    ("var-desired_count", "number", 2),
    ("var-multi_az", "bool", True),
    ("var-allowed_cidrs", ["list", "string"], ["10.0.11.0/24", "10.0.12.0/24"]),
    ("var-tags", ["map", "string"], {"team": "platform", "cost-center": "triflow"}),
    (
        "var-alarms",
        [
            "list",
            [
                "object",
                {"metric": "string", "threshold": "number", "actions": ["list", "string"]},
                ["actions"],
            ],
        ],
        [{"metric": "CPUUtilization", "threshold": 80, "actions": ["page"]}],
    ),
    ("var-anything", "dynamic", {"free": ["form", 1, None]}),
)

LOG = (
    "Terraform will perform the following actions:\n",
    "aws_db_instance.main: Creating...\n",
    *(f"aws_db_instance.main: Still creating... [{second}s elapsed]\n" for second in range(10, 70, 10)),
    "aws_sns_topic.alarms: Creation complete after 1s [id=arn:aws:sns:ap-northeast-2:111111111111:alarms]\n",
    "│ Warning: Argument is deprecated\n",
    "│ Error: creating RDS DB Instance: DBSubnetGroupDoesNotCoverEnoughAZs: needs subnets in two zones\n",
    "│   with aws_db_instance.main, on rds.tf line 12\n",
    "Apply complete! Resources: 3 added, 1 changed, 0 destroyed.\n",
)


def gates() -> list[dict[str, Any]]:
    return [
        {
            "name": "Production",
            "needed": 1,
            "given": 1,
            "satisfied": True,
            "roles": ["approver"],
            "why": "always",
        },
        {
            "name": "Destroys data",
            "needed": 2,
            "given": 1,
            "roles": ["approver", "admin"],
            "why": "because a database is replaced",
            "may_vote": ["Jiwon Park", "Minseo Kim"],
        },
        {
            "name": "Network and IAM",
            "needed": 1,
            "given": 0,
            "roles": ["security"],
            "why": "because it touches IAM",
            "may_vote": [],
        },
    ]


def votes(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "by": "Haneul Lee",
            "decision": "approve",
            "comment": "",
            "at": now - timedelta(hours=4),
            "void": True,
        },
        {
            "by": "Jiwon Park",
            "decision": "comment",
            "comment": "Does the restore window still hold on Tuesday?",
            "at": now - timedelta(minutes=40),
        },
        {
            "by": "Haneul Lee",
            "decision": "approve",
            "comment": "Snapshot checked.",
            "at": now - timedelta(minutes=12),
        },
    ]


def progress(now: datetime) -> list[dict[str, Any]]:
    def ago(seconds: int) -> datetime:
        return now - timedelta(seconds=seconds)

    return [
        {
            "status": "failed",
            "action": "create",
            "address": "aws_db_instance.main",
            "started_at": ago(190),
            "ended_at": ago(20),
            "error": "DBSubnetGroupDoesNotCoverEnoughAZs: the subnet group needs subnets in two zones.",
        },
        {
            "status": "running",
            "action": "replace",
            "address": "aws_ecs_service.backend",
            "started_at": ago(75),
        },
        {
            "status": "done",
            "action": "create",
            "address": "aws_sns_topic.alarms",
            "started_at": ago(80),
            "ended_at": ago(79),
        },
        {"status": "waiting", "action": "destroy", "address": "aws_security_group_rule.legacy"},
    ]


def fleet(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "tenant": "TriFlow AI",
            "name": "production",
            "chips": [("failing", "Failed 3 min ago"), ("healthy", ""), ("attention", "1 alarm")],
            "what": "Replace database",
            "who": "Sora Choi",
            "at": now - timedelta(minutes=3),
            "next": "Read the error",
        },
        {
            "tenant": "Onno",
            "name": "production",
            "chips": [("progress", "Applying, 4 of 70"), ("unknown", ""), ("healthy", "")],
            "what": "Add read replica",
            "who": "Minseo Kim",
            "at": now - timedelta(minutes=26),
            "next": "Watch",
        },
        {
            "tenant": "Sesami",
            "name": "staging",
            "chips": [("healthy", ""), ("healthy", ""), ("quiet", "Not watched")],
            "what": "Scale service to 2",
            "who": "Jiwon Park",
            "at": now - timedelta(days=3),
            "next": "",
        },
    ]


class SampleForm(forms.Form):
    """One field of each sort, drawn by templates/django/forms."""

    name = forms.SlugField(label="Name", help_text="Lower case letters, digits and hyphens.")
    contact = forms.EmailField(label="On-call contact", required=False)
    region = forms.ChoiceField(
        label="Region", choices=[("ap-northeast-2", "Seoul, ap-northeast-2"), ("us-east-1", "us-east-1")]
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=[("viewer", "Viewer"), ("operator", "Operator"), ("approver", "Approver")],
        widget=forms.CheckboxSelectMultiple,
    )
    start = forms.ChoiceField(
        label="Start",
        choices=[("approval", "When approved"), ("manual", "When I press start")],
        widget=forms.RadioSelect,
        initial="approval",
    )
    note = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    notify = forms.BooleanField(label="Tell the channel", required=False)


class SampleFilter(forms.Form):
    """A filter bar."""

    actor = forms.CharField(label="Person", required=False)
    outcome = forms.ChoiceField(
        label="Outcome",
        choices=[("", "Any"), ("done", "Done"), ("refused", "Refused")],
        required=False,
    )
    since = forms.DateField(label="Since", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def stamp() -> datetime:
    """The moment all samples are told from."""
    return timezone.now()
