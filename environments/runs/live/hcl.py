"""The HCL that makes Terraform own an adopted extra: a resource and its import block, for the blueprint's root."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from environments.runs.live.rules import ALL
from environments.runs.models import LiveExtra


def snippet(row: LiveExtra) -> str:
    """What to put into the blueprint; a comment where no resource can say it."""
    detail = row.detail
    match detail.get("what"):
        case "rule":
            return _inline_rule(row) if detail.get("inline") else _rule(row)
        case "managed_policy":
            return _attachment(row)
        case "inline_policy":
            return _inline_policy(row)
        case "bucket_policy":
            return _bucket_policy(row)
        case "block":
            return _comment(
                _("In the aws_s3_bucket_public_access_block of %(on)s:") % {"on": row.resource_id},
                f"{detail['switch']} = false",
            )
        case "database":
            return _comment(_("In %(address)s:") % {"address": row.address}, "publicly_accessible = true")
        case "bucket_acl":
            return _comment(
                _("In an aws_s3_bucket_acl of %(on)s, beside what the bucket's owner has:")
                % {"on": row.resource_id},
                "access_control_policy { ... "
                f'grant {{ grantee {{ type = "Group" uri = {quoted(detail["grantee"])} }} '
                f"permission = {quoted(detail['permission'])} }} }}",
            )
    return ""


def quoted(value: object) -> str:
    """A text as HCL writes it: its own marks for templates are doubled."""
    text = json.dumps(str(value), ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")


def label(*parts: object) -> str:
    """A resource's name from these parts."""
    text = re.sub(r"[^a-z0-9]+", "_", "_".join(map(str, parts)).lower()).strip("_")
    return f"r_{text}" if text[:1].isdigit() else text


def _comment(line: str, code: str) -> str:
    return f"# {line}\n{code}\n"


def _resource(type_: str, name: str, attributes: Mapping[str, str], imported: str) -> str:
    width = max(map(len, attributes))
    lines = "\n".join(f"  {key.ljust(width)} = {value}" for key, value in attributes.items())
    return (
        f'resource "{type_}" "{name}" {{\n{lines}\n}}\n\n'
        f"import {{\n  to = {type_}.{name}\n  id = {quoted(imported)}\n}}\n"
    )


def _source_of(source: str) -> tuple[str, str]:
    if source.startswith("sg-"):
        return "referenced_security_group_id", source
    if source.startswith("pl-"):
        return "prefix_list_id", source
    return ("cidr_ipv6" if ":" in source else "cidr_ipv4"), source


def _rule(row: LiveExtra) -> str:
    detail = row.detail
    way = "egress" if detail["egress"] else "ingress"
    name, source = _source_of(str(detail["source"]))
    attributes = {"security_group_id": quoted(row.resource_id), "ip_protocol": quoted(detail["protocol"])}
    if detail["protocol"] != ALL:
        attributes |= {"from_port": str(detail["from_port"]), "to_port": str(detail["to_port"])}
    attributes[name] = quoted(source)
    if detail.get("description"):
        attributes["description"] = quoted(detail["description"])
    made = label(detail.get("group_name") or row.resource_id, way, detail["ports"], source)
    return _resource(f"aws_vpc_security_group_{way}_rule", made, attributes, str(detail["rule_id"]))


def _inline_rule(row: LiveExtra) -> str:
    """A group that writes its rules inside cannot have resources of its own for them."""
    detail = row.detail
    way = "egress" if detail["egress"] else "ingress"
    lists = {
        "cidr_ipv4": "cidr_blocks",
        "cidr_ipv6": "ipv6_cidr_blocks",
        "prefix_list_id": "prefix_list_ids",
        "referenced_security_group_id": "security_groups",
    }
    name, source = _source_of(str(detail["source"]))
    ports = (0, 0) if detail["protocol"] == ALL else (detail["from_port"], detail["to_port"])
    line = _("Inside %(address)s, which writes its rules itself; nothing needs importing:") % {
        "address": row.address
    }
    own = source == row.resource_id
    said = "self      = true" if own else f"{lists[name]} = [{quoted(source)}]"
    return (
        f"# {line}\n{way} {{\n  protocol  = {quoted(detail['protocol'])}\n  from_port = {ports[0]}\n"
        f"  to_port   = {ports[1]}\n  {said}\n}}\n"
    )


def _attachment(row: LiveExtra) -> str:
    detail = row.detail
    kind = str(detail["principal"])
    attributes = {kind: quoted(row.resource_id), "policy_arn": quoted(detail["arn"])}
    made = label(row.resource_id, detail["name"])
    return _resource(
        f"aws_iam_{kind}_policy_attachment", made, attributes, f"{row.resource_id}/{detail['arn']}"
    )


def _inline_policy(row: LiveExtra) -> str:
    detail = row.detail
    kind = str(detail["principal"])
    attributes = {
        "name": quoted(detail["name"]),
        kind: quoted(row.resource_id),
        "policy": _document(detail.get("document") or {}),
    }
    made = label(row.resource_id, detail["name"])
    return _resource(f"aws_iam_{kind}_policy", made, attributes, f"{row.resource_id}:{detail['name']}")


def _bucket_policy(row: LiveExtra) -> str:
    document = {"Version": "2012-10-17", "Statement": [row.detail["statement"]]}
    line = _("A bucket has one policy: with one in the blueprint already, add the statement there.")
    attributes = {"bucket": quoted(row.resource_id), "policy": _document(document)}
    made = label(row.resource_id)
    return f"# {line}\n" + _resource("aws_s3_bucket_policy", made, attributes, row.resource_id)


def _document(document: Mapping[str, Any]) -> str:
    """A policy as jsonencode(...): JSON is HCL as well, but for the marks of templates."""
    text = json.dumps(document, indent=2, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return "jsonencode(" + text.replace("\n", "\n  ") + ")"
