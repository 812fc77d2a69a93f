"""CloudWatch Logs: what the containers of ECS tasks say is there when somebody looks."""

from typing import Any

from moto.logs.responses import LogsResponse

from portal.sandbox.patching import wrap


def _catch_up(response: LogsResponse) -> None:
    from portal.sandbox.ecs import container_logs

    group = response._get_param("logGroupName") or ""
    if not group:
        # An ARN: arn:aws:logs:region:account:log-group:name
        group = (
            (response._get_param("logGroupIdentifier") or "").rpartition(":log-group:")[2].removesuffix(":*")
        )
    container_logs.write_due(response.logs_backend, response.current_account, response.region, group)


@wrap(LogsResponse, "get_log_events")
def _get(original: Any, self: LogsResponse) -> Any:
    _catch_up(self)
    return original(self)


@wrap(LogsResponse, "filter_log_events")
def _filter(original: Any, self: LogsResponse) -> Any:
    _catch_up(self)
    return original(self)


@wrap(LogsResponse, "describe_log_streams")
def _streams(original: Any, self: LogsResponse) -> Any:
    _catch_up(self)
    return original(self)
