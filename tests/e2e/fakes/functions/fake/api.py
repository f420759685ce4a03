"""A handler that answers with the event it was given, and misbehaves on request."""

import json
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer with the event; `?how=` asks for a failure."""
    how = (event["queryStringParameters"] or {}).get("how")
    if how == "raise":
        raise RuntimeError("secret detail")
    if how == "malformed":
        return {"statusCode": "200"}
    if how == "long":
        return {"statusCode": 200, "body": "x" * 6_300_000}
    if how == "binary":
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/pdf"},
            "body": "/wA=",
            "isBase64Encoded": True,
        }
    headers = {"Content-Type": "application/json", "X-Remaining": str(context.get_remaining_time_in_millis())}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(event)}
