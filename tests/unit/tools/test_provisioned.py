from pathlib import Path
from typing import Any

import pytest

from tests.unit.templates import written
from tools.audit.transform import translate_template
from tools.provisioned import FUNCTIONS, main, parameters
from tools.template import load_template


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("provisioned") / "template.yaml"
    main(["3", "--output", str(path)])
    return load_template(path)


def test_only_the_functions_that_are_kept_warm_differ(document: dict[str, Any]) -> None:
    for name, resource in document["Resources"].items():
        before = written()["Resources"][name]
        if name in FUNCTIONS:
            added = set(resource["Properties"]) - set(before["Properties"])
            assert "AutoPublishAlias" in added
            resource = {**resource, "Properties": {k: v for k, v in resource["Properties"].items() if k not in added}}
        assert resource == before


@pytest.mark.parametrize("name", FUNCTIONS)
def test_requests_go_to_the_warm_version(document: dict[str, Any], name: str) -> None:
    resources = translate_template(document)["Resources"]
    alias = resources[f"{name}Aliaslive"]["Properties"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 3}
    paths = resources["Api"]["Properties"]["Body"]["paths"]
    route = "/rank" if "Rank" in name else "/classify"
    assert f"{name}Aliaslive" in paths[route]["post"]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    [version] = [each["Properties"] for key, each in resources.items() if key.startswith(f"{name}Version")]
    described = version["Description"]["Fn::Sub"]
    assert {"GateModel", "ScratchMegabytes"} <= set(parameters(document, name))
    assert all(f"${{{parameter}}}" in described for parameter in parameters(written(), name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_description_with_the_defaults_is_within_lambdas_limit(document: dict[str, Any], name: str) -> None:
    described = document["Resources"][name]["Properties"]["VersionDescription"]["Fn::Sub"]
    for parameter in parameters(document, name):
        described = described.replace(f"${{{parameter}}}", str(written()["Parameters"][parameter]["Default"]))
    assert len(described) < 200


def test_what_a_new_account_lacks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["2", "--output", str(tmp_path / "template.yaml")])
    assert "14 functions at once" in capsys.readouterr().out


def test_none_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["0"])
    assert "at least 1" in capsys.readouterr().err


def test_the_default_place_is_beside_the_template() -> None:
    assert (Path(__file__).resolve().parents[3] / ".gitignore").read_text().find("template-provisioned.yaml") > 0
