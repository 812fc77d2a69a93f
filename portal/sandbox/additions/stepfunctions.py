"""Step Functions: checking a definition, versions of a state machine (there are none here)."""

import json

from moto.stepfunctions.responses import StepFunctionResponse

from portal.sandbox.patching import add


@add(StepFunctionResponse)
def validate_state_machine_definition(self: StepFunctionResponse) -> str:
    """Accepts any definition that is JSON; moto itself looks closer when the machine is made."""
    try:
        json.loads(self._get_param("definition"))
    except ValueError as error:
        problem = {"severity": "ERROR", "code": "INVALID_JSON_DESCRIPTION", "message": str(error)}
        return json.dumps({"result": "FAIL", "diagnostics": [problem], "truncated": False})
    return json.dumps({"result": "OK", "diagnostics": [], "truncated": False})


@add(StepFunctionResponse)
def list_state_machine_versions(self: StepFunctionResponse) -> str:
    """No version is ever published here."""
    return json.dumps({"stateMachineVersions": []})
