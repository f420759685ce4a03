"""A small HTTP client of one deployment: it adds the key or signature unless a call asks for none."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from requests.auth import AuthBase

from tools.check.promises import Broken, hold

SECONDS: Final = 40.0
"""More than the 29 within which API Gateway answers."""
DOCKERS_NAME: Final = "host.docker.internal"
TOO_MANY: Final = 429
PATIENCE: Final = 10
"""Attempts at a call that is one too many, a second apart."""
PAUSE_SECONDS: Final = 1.0
Reply = requests.Response


class RequestSignature(AuthBase):
    """Signs calls for execute-api with AWS Signature Version 4."""

    def __init__(self, credentials: Any, region: str) -> None:
        self._signer = SigV4Auth(credentials, "execute-api", region)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request as it will be sent."""
        body = request.body or b""
        signed = AWSRequest(request.method, request.url, data=body.encode() if isinstance(body, str) else body)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


class Wire:
    """Calls one address; `key` is its API key, `signature` signs instead where calls want that.

    A call that is one too many is made again: a run asks more at once than a key may by default.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        signature: AuthBase | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self.signature = signature
        self._session = requests.Session()
        self._pause = pause

    @property
    def closed(self) -> bool:
        """True where calls carry something that lets them in."""
        return bool(self.key or self.signature)

    def get(self, path: str, **request: Any) -> Reply:
        """GET a route."""
        return self.ask("GET", path, **request)

    def post(self, path: str, **request: Any) -> Reply:
        """POST to a route."""
        return self.ask("POST", path, **request)

    def ask(self, method: str, path: str, *, let_in: bool = True, **request: Any) -> Reply:
        """Call a route, following no redirect; without key and signature where `let_in` is False."""
        headers = {**({"x-api-key": self.key} if self.key and let_in else {}), **request.pop("headers", {})}
        signature = self.signature if let_in else None
        sent = {"timeout": SECONDS, "allow_redirects": False, "auth": signature, **request}
        address = f"{self.url}/{path.lstrip('/')}"
        for _ in range(PATIENCE):
            reply = self._session.request(method, address, headers=headers, **sent)
            if reply.status_code != TOO_MANY:
                break
            self._pause(PAUSE_SECONDS)
        return reply

    def send(self, url: str, **request: Any) -> Reply:
        """POST to a presigned address, which wants no key."""
        place, host = reach(url)
        headers = {**host, **request.pop("headers", {})}
        return self._session.post(place, timeout=SECONDS, headers=headers, **request)

    def load(self, url: str) -> Reply:
        """GET a presigned link."""
        place, host = reach(url)
        return self._session.get(place, timeout=SECONDS, headers=host)


def reach(url: str) -> tuple[str, dict[str, str]]:
    """Return where an address is reached from here, and the header Host that it was signed for.

    Containers call their host by a name of Docker's, which the host itself may not resolve.
    """
    parts = urlsplit(url)
    if parts.hostname != DOCKERS_NAME:
        return url, {}
    return parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl(), {"Host": parts.netloc}


def describe_reply(reply: Reply) -> str:
    """Return a reply in a few words, for what was wrong."""
    return f"{reply.request.method} {reply.request.path_url[:80]} answered {reply.status_code}: {reply.text[:200]}"


def expect(reply: Reply, status: int) -> Reply:
    """Return the reply. Raises Broken where it has another status."""
    hold(reply.status_code == status, f"{describe_reply(reply)} (expected {status})")
    return reply


def read_json(reply: Reply, status: int = 200) -> Any:
    """Return the JSON of a reply. Raises Broken where it has another status or is no JSON."""
    expect(reply, status)
    try:
        return reply.json()
    except ValueError:
        raise Broken(f"{describe_reply(reply)}, which is not JSON") from None


def expect_refusal(reply: Reply, status: int, code: str) -> Reply:
    """Return the reply. Raises Broken unless it is an error of the one shape, with this status and code."""
    error = read_json(reply, status).get("error")
    hold(
        isinstance(error, dict) and set(error) == {"code", "message", "details"},
        f"{describe_reply(reply)}: not the one shape",
    )
    hold(error["code"] == code, f"{describe_reply(reply)} (expected the code {code})")
    hold(error["message"], f"{describe_reply(reply)}: the error has no message")
    return reply


FIRST: Final = 29.0
"""Seconds within which API Gateway wants an answer."""
WARM: Final = 3.0
"""Seconds, the network's included, above which a warm call is not at once."""
CALLS: Final = 5


def time_calls(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a first call and the median of the next five."""
    first, *rest = (_time(call) for _ in range(1 + CALLS))
    return first, median(rest)


def hold_times(first: float, warm: float) -> str:
    """Return both times in words. Raises Broken where one is over its limit."""
    hold(first <= FIRST, f"the first call took {first:.1f} s, and API Gateway waits {FIRST:.0f}")
    hold(warm <= WARM, f"a warm call takes {warm:.1f} s (median of {CALLS}), more than {WARM:.0f}")
    return f"first {first:.2f} s, then {warm:.3f} s"


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
