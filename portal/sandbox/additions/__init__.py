"""What moto lacks, one module per service, joined to moto when a service is first asked for.

Importing a module here changes moto's classes once and for all. They are loaded late because importing
every service at once would double the time that the sandbox takes to start.
"""

import importlib

# Moto's name of a service -> the modules here; several names may share one.
_MODULES = {
    "applicationautoscaling": "autoscaling",
    "backup": "backup",
    "budgets": "budgets",
    "ce": "costexplorer",
    "cloudfront": "cloudfront",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs ecs_one_off",
    "elasticache": "elasticache",
    "elb": "elbv2",  # one endpoint for both kinds of load balancing
    "elbv2": "elbv2",
    "iam": "iam",
    "logs": "logs",
    "rds": "rds",
    "s3": "s3",
    "sqs": "sqs",
    "stepfunctions": "stepfunctions",
}


def load(service: str) -> None:
    """Join the additions for that service of moto's, if there are any."""
    for module in _MODULES.get(service, "").split():
        importlib.import_module(f"{__name__}.{module}")
