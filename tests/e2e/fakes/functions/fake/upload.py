"""A handler that copies the event of a dropped file to the results bucket, or fails where the key says so."""

import json
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3

attempts: dict[str, int] = {}


def handler(event: dict[str, Any], _: Any) -> None:
    """Keep the event under the dropped key; keys with `bad` always fail, with `flaky` twice."""
    key = unquote_plus(event["Records"][0]["s3"]["object"]["key"])
    attempts[key] = attempts.get(key, 0) + 1
    if "bad" in key or ("flaky" in key and attempts[key] < 3):
        raise ValueError("bad file")
    s3 = boto3.client("s3")
    head = s3.head_object(Bucket=os.environ["UPLOADS"], Key=key)
    body = json.dumps({"event": event, "attempts": attempts[key], "metadata": head["Metadata"]})
    s3.put_object(Bucket=os.environ["RESULTS"], Key=key, Body=body.encode())
