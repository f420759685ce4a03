"""The commands of docs/models.md, run word by word in an AWS in memory where a stack `assay` names the bucket."""

import json
import re
import shlex
from pathlib import Path

import boto3
import pytest

from tests.conftest import ROOT
from tests.models_command import main

_COMMAND = re.compile(r"(\S+/)?assay models (?!.*(--endpoint|--help))")
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(pattern: str) -> list[list[str]]:
    """Return the words of each `assay models` command of the page that matches, in order.

    Those for a service that runs (`--endpoint`) are left out, and those that ask for help.
    """
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    lines = [line for block in _BLOCK.findall(page) for line in block.splitlines()]
    found = [line for line in lines if _COMMAND.match(line) and re.search(pattern, line)]
    return [shlex.split(line, comments=True)[2:] for line in found]


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, words: list[str]) -> None:
    """Run one command in a folder; it must succeed."""
    monkeypatch.chdir(folder)
    assert main(words) == 0, words


def make_stack() -> None:
    """Deploy a stack `assay` that has one output, the name of the bucket `models`."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    output = {"ModelsBucketName": {"Value": "models"}}
    body = json.dumps({"Resources": {"Topic": topic}, "Outputs": output})
    boto3.client("cloudformation").create_stack(StackName="assay", TemplateBody=body)
