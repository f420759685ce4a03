"""Make the template's buckets, tables, queues and state machines in the local AWS. Clients are arguments."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.local.stack import Stack
from tools.local.template import ACCOUNT

_TABLE_KEYS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")


def create_buckets(s3: Any, stack: Stack) -> None:
    """Create every bucket, versioned and with CORS where the template says so."""
    for properties in stack.buckets.values():
        name = str(properties["BucketName"])
        s3.create_bucket(Bucket=name)
        versioning = properties.get("VersioningConfiguration", {})
        if versioning:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning["Status"]})


def create_tables(dynamodb: Any, stack: Stack) -> None:
    """Create every DynamoDB table, billed by request, with its time-to-live attribute."""
    for properties in stack.tables.values():
        name = str(properties["TableName"])
        keys = {key: properties[key] for key in _TABLE_KEYS if key in properties}
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)
        if expiry := properties.get("TimeToLiveSpecification"):
            specification = {"AttributeName": expiry["AttributeName"], "Enabled": True}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def create_queues(sqs: Any, stack: Stack) -> dict[str, str]:
    """Create every queue; return their URLs by name."""
    return {name: str(sqs.create_queue(QueueName=name)["QueueUrl"]) for name in _queue_names(stack)}


def _queue_names(stack: Stack) -> list[str]:
    return [str(properties["QueueName"]) for properties in stack.queues.values()]


def create_machines(states: Any, stack: Stack, root: Path) -> None:
    """Create every state machine from its definition file and substitutions."""
    role = f"arn:aws:iam::{ACCOUNT}:role/local"
    for properties in stack.machines.values():
        states.create_state_machine(name=properties["Name"], definition=_definition(properties, root), roleArn=role)


def _definition(properties: Mapping[str, Any], root: Path) -> str:
    text = json.dumps(properties["Definition"]) if "Definition" in properties else _file(root, properties)
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace("${" + name + "}", str(value))
    return text


def _file(root: Path, properties: Mapping[str, Any]) -> str:
    return (root / str(properties["DefinitionUri"])).read_text(encoding="utf-8")
