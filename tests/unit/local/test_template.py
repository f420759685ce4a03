from pathlib import Path
from typing import Any

import pytest

from tools.template import ACCOUNT, REGION, Resolver, load_template

TEMPLATE = """
Parameters:
  Prefix: {Type: String, Default: assay}
  Flag: {Type: String, Default: "no"}
Conditions:
  Enabled: !Equals [!Ref Flag, "yes"]
  Off: !Not [!Condition Enabled]
Mappings:
  Sizes: {small: {memory: 128}}
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${Prefix}-x-${AWS::AccountId}"}}
  Table: {Type: AWS::DynamoDB::Table}
  Queue: {Type: AWS::SQS::Queue, Condition: Enabled}
  Thing:
    Type: Other
    Properties:
      value: %s
"""


@pytest.fixture
def resolve(tmp_path: Path) -> Any:
    def resolved(value: str, **parameters: str) -> Any:
        path = tmp_path / "template.yaml"
        path.write_text(TEMPLATE % value, encoding="utf-8")
        return Resolver(load_template(path), parameters).resource("Thing")["Properties"].get("value")

    return resolved


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Prefix", "assay"),
        ("!Ref Bucket", f"assay-x-{ACCOUNT}"),
        ("!Ref Table", "assay-local-Table"),
        ("!Ref AWS::Region", REGION),
        ("!GetAtt Bucket.Arn", f"arn:aws:s3:::assay-x-{ACCOUNT}"),
        ("!GetAtt [Table, Arn]", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/assay-local-Table"),
        ("!Sub '${Bucket.Arn}/*'", f"arn:aws:s3:::assay-x-{ACCOUNT}/*"),
        ("!Sub '${!Literal}'", "${Literal}"),
        ("!Sub ['${a}-${Prefix}', {a: !Ref Table}]", "assay-local-Table-assay"),
        ("!Join ['-', [a, !Ref Prefix]]", "a-assay"),
        ("!Select [1, !Split [',', 'a,b']]", "b"),
        ("!FindInMap [Sizes, small, memory]", 128),
        ("!If [Enabled, 1, 2]", 2),
        ("[!Ref AWS::NoValue, 1]", [1]),
        ("!Ref AWS::NoValue", None),
        ("{Condition: {StringEquals: {a: !Ref Prefix}}}", {"Condition": {"StringEquals": {"a": "assay"}}}),
        ("{Fn::Sub: '${Prefix}', other: 1}", {"Fn::Sub": "${Prefix}", "other": 1}),
    ],
)
def test_intrinsic_functions(resolve: Any, value: str, expected: object) -> None:
    assert resolve(value) == expected


def test_parameters_can_be_overridden(resolve: Any) -> None:
    assert resolve("!Sub '${Bucket}'", Prefix="mine") == f"mine-x-{ACCOUNT}"
    assert resolve("!If [Off, 1, 2]", Flag="yes") == 2


def test_resources_under_a_false_condition_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE % "1", encoding="utf-8")
    assert Resolver(load_template(path)).resources("AWS::SQS::Queue") == {}
    assert list(Resolver(load_template(path), {"Flag": "yes"}).resources("AWS::SQS::Queue")) == ["Queue"]


def test_what_is_not_a_template_is_told(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("a: 1", encoding="utf-8")
    with pytest.raises(ValueError, match="not a CloudFormation template"):
        load_template(path)
