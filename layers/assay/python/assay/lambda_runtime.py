"""The images' entry point: AWS's runtime client, and a plain 413 for events over Lambda's payload limit.

In AWS such an event never arrives, for API Gateway refuses it. AWS's emulator cuts it short and hands it on, and the
caller of `sam local start-api` would see a 502 that explains nothing.

    python3 -m assay.lambda_runtime rank.api.handler
"""

import sys
from typing import Any, Final

from awslambdaric import bootstrap
from awslambdaric.lambda_config import LambdaConfigProvider
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
from awslambdaric.lambda_runtime_marshaller import to_json

PAYLOAD_LIMIT: Final = 6_291_556
"""The bytes of an event, and of a reply, that Lambda carries in one synchronous call."""


class RuntimeClient(LambdaRuntimeClient):
    """AWS's client, but it answers an event that was cut short itself and waits for the next."""

    def wait_next_invocation(self) -> Any:
        """Return the next event that is whole."""
        while len((request := super().wait_next_invocation()).event_body) >= PAYLOAD_LIMIT:
            self.post_invocation_result(request.invoke_id, to_json(too_large()))
        return request


def too_large() -> dict[str, Any]:
    """Return the proxy result for a request that Lambda cannot carry."""
    from assay.errors import UPLOADS_HINT, TooLarge
    from assay.http.messages import error_response

    reply = error_response(TooLarge(f"the request is over the {PAYLOAD_LIMIT} bytes of one call: {UPLOADS_HINT}"))
    return {"statusCode": reply.status, "headers": {"Content-Type": reply.content_type}, "body": reply.body}


def main(arguments: list[str]) -> None:
    """Serve the handler that the arguments name."""
    config = LambdaConfigProvider(arguments)
    bootstrap.run(config.handler, RuntimeClient(config.api_address, config.use_thread_polling))


if __name__ == "__main__":
    main(sys.argv)
