"""From a stack that was created to one that answers: its models published, its functions warm."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assay.aws.s3 import Bucket
from tools.deploy.footing import Clients
from tools.deploy.wishes import DeploymentRefused, Wish
from tools.models.publish import pointer, publish

WARM_SECONDS: Final = 300.0
"""What a first answer may take: roles that AWS has just made are not everywhere at once, and models are fetched."""
_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stack answers, what it is called with, and where its files go."""

    url: str
    outputs: Mapping[str, str]
    key_command: str = ""


def read_address(wish: Wish, clients: Clients, endpoint: str = "") -> Address:
    """Return what the outputs of a stack say; at an emulated AWS the API is under the emulator's own address."""
    formation = clients("cloudformation")
    [found] = formation.describe_stacks(StackName=wish.stack)["Stacks"]
    outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found.get("Outputs", ())}
    url = outputs["ApiUrl"]
    if endpoint:
        api, stage = url.split("//", 1)[1].split(".", 1)[0], url.rpartition("/")[2]
        url = f"{endpoint.rstrip('/')}/_aws/execute-api/{api}/{stage}"
    command = outputs.get("ApiKeyCommand", "")
    return Address(url, outputs, f"{command} --region {wish.region}" if command else "")


def publish_shipped(s3: Any, bucket_name: str, folder: Path) -> Iterator[str]:
    """Publish the models that ship where the bucket has none of their name, so that none in use is replaced.

    Yields a line a model. Raises BundleInvalid, AWS's errors.
    """
    bucket = Bucket(s3, bucket_name)
    for bundle in sorted(each.parent for each in folder.glob("*/[0-9]*/manifest.json")):
        name = bundle.parent.name
        served = pointer(bucket, name)
        if served is not None:
            yield f"model {name}: version {served.version} serves, left as it is"
            continue
        manifest = publish(bucket, bundle)
        yield f"model {name}: version {manifest.version} published"


def wait_until_warm(
    calls: Mapping[str, Callable[[], int]],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Call each until its status is 200; yields how long it took. Raises DeploymentRefused where that is too long."""
    for name, call in calls.items():
        began = clock()
        while (status := call()) != 200:
            if clock() - began > WARM_SECONDS:
                raise DeploymentRefused(
                    f"{name} still answers {status} after {WARM_SECONDS:.0f} s: the function's log says why, in the "
                    "log groups /assay/STACK/..."
                )
            sleep(_PAUSE)
        yield f"{name} answers after {clock() - began:.0f} s"
