"""The images' entry point: AWS's runtime client, a model fetched early, and a plain 413 for events over Lambda's limit.

In AWS such an event never arrives, for API Gateway refuses it. AWS's emulator cuts it short and hands it on, and the
caller of `sam local start-api` would see a 502 that explains nothing.

    python3 -m assay.lambda_runtime rank.api.handler
"""

from assay.code_archive import serve_archive

serve_archive()  # before anything else is imported

import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402
from typing import Any, Final  # noqa: E402

from awslambdaric import bootstrap  # noqa: E402
from awslambdaric.lambda_config import LambdaConfigProvider  # noqa: E402
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # noqa: E402
from awslambdaric.lambda_runtime_marshaller import to_json  # noqa: E402

from assay.aws.clients import client  # noqa: E402
from assay.aws.s3 import Bucket  # noqa: E402
from assay.errors import SettingsError  # noqa: E402
from assay.models.published import begin_fetch  # noqa: E402
from assay.settings import Settings  # noqa: E402

PAYLOAD_LIMIT: Final = 6_291_556
"""The bytes of an event, and of a reply, that Lambda carries in one synchronous call."""
SERVED: Final[Mapping[str, Callable[[Settings], tuple[str, ...]]]] = {
    "rank.api.handler": lambda settings: (settings.gate_model, settings.score_model),
    "classify.api.handler": lambda settings: (settings.classifier,),
}
"""The models that a handler loads while it starts, where its environment asks for that."""


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


def prefetch(handler: str, environ: Mapping[str, str]) -> None:
    """Fetch a handler's models while it is imported, where it loads them at its start."""
    try:
        settings = Settings.from_environ(environ, "models_bucket")
    except SettingsError:
        return  # which the handler says
    if settings.preload and handler in SERVED:
        bucket = Bucket(client("s3"), settings.models_bucket)
        begin_fetch(bucket, SERVED[handler](settings), settings.scratch, settings.threads)


def main(arguments: list[str]) -> None:
    """Serve the handler that the arguments name."""
    config = LambdaConfigProvider(arguments)
    prefetch(config.handler, os.environ)
    bootstrap.run(config.handler, RuntimeClient(config.api_address, config.use_thread_polling))


if __name__ == "__main__":
    main(sys.argv)
