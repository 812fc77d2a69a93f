"""The demonstration's tenants, accounts and environments, as the three systems' documents describe them."""

from __future__ import annotations

from typing import Any, Final

REGION: Final = "ap-northeast-2"

TENANTS: Final[list[dict[str, Any]]] = [
    {
        "slug": "triflow-ai",
        "name": "TriFlow AI",
        "description": "Multi-tenant AI workflows: defect detection and quality checks for pharma, food and electronics.",
        "owner": "TriFlow tech lead",
        "repository": "https://github.com/mugoori/TriFlow-AI",
        "on_call": "On-call DevOps by phone, then DevOps lead (Slack @devops-lead), then CTO",
        "currency": "KRW",
        "links": [
            {
                "title": "Repository, branch develop",
                "url": "https://github.com/mugoori/TriFlow-AI/tree/develop",
            }
        ],
    },
    {
        "slug": "onno",
        "name": "Onno",
        "description": "Meeting assistant: live audio, speech to text, questions, work after the meeting.",
        "owner": "Onno CTO",
        "on_call": "DevOps by phone, CTO by phone, AWS Premium Support",
        "currency": "USD",
        "links": [
            {"title": "PagerDuty", "url": "https://onno.pagerduty.com"},
            {"title": "Site", "url": "https://onno.app"},
        ],
    },
    {
        "slug": "sesami",
        "name": "Sesami",
        "description": "Analysis of Git repositories: contribution by blame, technology stack, per person and repository.",
        "owner": "Sesami platform team",
        "on_call": "Not stated in the migration document",
        "currency": "USD",
        "links": [],
    },
    {
        "slug": "lighthouse",
        "name": "Lighthouse",
        "description": "Another team's system: its people see nothing of the other tenants.",
        "owner": "Lighthouse team",
        "on_call": "lighthouse-on-call@gatehouse.example",
        "currency": "USD",
        "links": [],
    },
]

# tenant -> name, account id; all in the sandbox until somebody says otherwise.
ACCOUNTS: Final[dict[str, list[tuple[str, str]]]] = {
    "triflow-ai": [("triflow-staging", "210000000001"), ("triflow-production", "210000000002")],
    "onno": [("onno-staging", "220000000001"), ("onno-production", "220000000002")],
    "sesami": [("sesami-development", "230000000001"), ("sesami-production", "230000000002")],
    "lighthouse": [("lighthouse", "240000000001")],
}

ENVIRONMENTS: Final[list[dict[str, Any]]] = [
    {
        "tenant": "triflow-ai",
        "slug": "local",
        "name": "local",
        "environment_class": "local",
        "description": "Docker Compose with LocalStack, PostgreSQL and Redis on a developer's machine; described only.",
    },
    {
        "tenant": "triflow-ai",
        "slug": "staging",
        "name": "staging",
        "environment_class": "staging",
        "description": "The develop branch, smaller than production: one zone for the database, one task, one cache node.",
        "blueprint": "web-service",
        "account": "triflow-staging",
    },
    {
        "tenant": "triflow-ai",
        "slug": "production",
        "name": "production",
        "environment_class": "production",
        "description": "Seoul, two zones: ECS Fargate behind an ALB, PostgreSQL Multi-AZ, Redis, S3.",
        "blueprint": "web-service",
        "account": "triflow-production",
    },
    {
        "tenant": "triflow-ai",
        "slug": "customer-b",
        "name": "customer B",
        "environment_class": "production",
        "description": "The same Terraform again for customer B, planned for June; described only.",
    },
    {
        "tenant": "onno",
        "slug": "development",
        "name": "development",
        "environment_class": "development",
        "description": "Local Docker Compose, personal AWS accounts where wanted (up to $50 a month).",
    },
    {
        "tenant": "onno",
        "slug": "staging",
        "name": "staging",
        "environment_class": "staging",
        "description": "One account, a VPC of its own, a smaller copy of production, deployed by CI (about $200 a month).",
        "blueprint": "container-services",
        "account": "onno-staging",
    },
    {
        "tenant": "onno",
        "slug": "production",
        "name": "production",
        "environment_class": "production",
        "description": "Separate account, Multi-AZ, autoscaling: onno-api and onno-ws (about $500 a month).",
        "blueprint": "container-services",
        "account": "onno-production",
    },
    {
        "tenant": "sesami",
        "slug": "local",
        "name": "local",
        "environment_class": "local",
        "description": "Docker Compose: frontend, backend, PostgreSQL, Redis and a Celery worker.",
    },
    {
        "tenant": "sesami",
        "slug": "development",
        "name": "development",
        "environment_class": "development",
        "description": "The front end: a static build behind CloudFront.",
        "blueprint": "static-site",
        "account": "sesami-development",
    },
    {
        "tenant": "sesami",
        "slug": "production",
        "name": "production",
        "environment_class": "production",
        "description": "db.r6g.large, logs kept 30 days, TASK_SERVICE_IMPL=AWS: SQS to Batch by an EventBridge Pipe.",
        "account": "sesami-production",
    },
    {
        "tenant": "lighthouse",
        "slug": "production",
        "name": "production",
        "environment_class": "production",
        "description": "A small bucket for another team.",
        "blueprint": "object-store",
        "account": "lighthouse",
    },
]

# environment -> the example of its blueprint that its first definition is made from.
DEFINITIONS: Final[dict[str, str]] = {
    "triflow-ai.staging": "triflow-staging",
    "triflow-ai.production": "triflow-production",
    "onno.staging": "onno-staging",
    "onno.production": "onno-production",
    "sesami.development": "sesami-development",
}
