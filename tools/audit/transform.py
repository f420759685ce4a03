"""Write the template as CloudFormation receives it from SAM.

    python -m tools.audit.transform TEMPLATE OUTPUT

writes it, for linters that do not see what SAM makes of a template.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser import parser
from samtranslator.translator.translator import Translator

from tools.template import load_template

# What `sam package` puts in place of folders and Dockerfiles.
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/assay:latest"


def translate_template(template: dict[str, Any]) -> dict[str, Any]:
    """Return what SAM's translator makes of a template, as packaged."""
    document = json.loads(json.dumps(template))
    for resource in document["Resources"].values():
        _package(resource)
    session = boto3.Session(region_name="us-east-1")
    translator = Translator(managed_policy_map={}, sam_parser=parser.Parser(), boto_session=session)
    result: dict[str, Any] = json.loads(json.dumps(translator.translate(document, parameter_values={})))
    return result


def _package(resource: dict[str, Any]) -> None:
    properties = resource["Properties"]
    if resource["Type"] == "AWS::Serverless::LayerVersion":
        properties["ContentUri"] = "s3://packages/layer.zip"
    elif resource["Type"] == "AWS::Serverless::StateMachine":
        properties["DefinitionUri"] = "s3://packages/rank_file.asl.json"
    elif resource["Type"] == "AWS::Serverless::Function" and properties["PackageType"] == "Image":
        properties["ImageUri"] = _IMAGE
    elif resource["Type"] == "AWS::Serverless::Function":
        properties["CodeUri"] = "s3://packages/code.zip"


def main(template: str, output: str) -> None:
    """Write what SAM makes of a template as JSON."""
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(translate_template(load_template(Path(template))), indent=1), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
