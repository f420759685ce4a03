"""In the emulated cloud's containers: the request id that a caller gave by the client's context is the request's id."""

from typing import Any

from awslambdaric.lambda_context import LambdaContext

_init = LambdaContext.__init__


def _told(self: Any, *arguments: Any, **named: Any) -> None:
    _init(self, *arguments, **named)
    given = getattr(self.client_context, "custom", None) or {}
    self.aws_request_id = given.get("request_id", self.aws_request_id)


LambdaContext.__init__ = _told
