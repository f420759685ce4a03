"""Run by a Python that has httpx and attrs: import every module of a generated client, and call a service with it.

Arguments: the folder that holds the client's package, the service's address. Prints a line of JSON.
"""

import importlib
import json
import pkgutil
import sys
from types import ModuleType
from typing import Any

SEQUENCE = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
ABSTRACT = "We present a new algorithm and use it to characterize the family of sparse graphs in some detail."


def main(folder: str, url: str) -> None:
    """Import everything, call what a first program calls, print what came."""
    sys.path.insert(0, folder)
    package = importlib.import_module("assay_client")
    names = [each.name for each in pkgutil.walk_packages(package.__path__, "assay_client.")]
    for name in names:
        importlib.import_module(name)
    client: Any = package.Client(base_url=url, raise_on_unexpected_status=True)
    print(json.dumps({"modules": len(names), **_called(package, client)}))


def _called(package: ModuleType, client: Any) -> dict[str, Any]:
    models: Any = importlib.import_module(f"{package.__name__}.models")
    rank = models.RankRequest.from_dict({"sequences": [SEQUENCE], "threshold": -1000})
    classify = models.OneAbstract.from_dict({"abstract": ABSTRACT})
    tensor = {"name": "sequence", "datatype": "BYTES", "shape": [1], "data": [SEQUENCE]}
    infer = models.InferRequest.from_dict({"inputs": [tensor]})
    wanted = models.UploadRequest.from_dict({"filename": "a.txt"})
    name = "stability-trypsin"
    inferred = _get("serving_protocols.model_infer", name, client=client, body=infer)
    return {
        "health": _get("models.get_health", client=client)["status"],
        "ranked": _get("sequences.rank_sequences", client=client, body=rank)["ranked"][0]["sequence"],
        "labels": len(_get("abstracts.classify_abstracts", client=client, body=classify)["labels"]),
        "infer": inferred["model_name"],
        "missing": _get("jobs.get_job", "no-such-job", client=client)["error"]["code"],
        "upload": bool(_get("jobs.create_upload", client=client, body=wanted)["job_id"]),
    }


def _get(name: str, *arguments: str, **given: Any) -> dict[str, Any]:
    found = importlib.import_module(f"assay_client.api.{name}").sync(*arguments, **given)
    parsed: dict[str, Any] = found.to_dict()
    return parsed


if __name__ == "__main__":
    main(*sys.argv[1:])
