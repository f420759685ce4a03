"""A template whose API functions with models are kept warm: `python -m tools.provisioned 2` and `sam build -t` with it.

Provisioned concurrency belongs to a version of a function. SAM publishes versions only if the template says so, without
regard to parameters, and a version keeps its environment. So this writes a second template: the description of each
version names the parameters that the function reads, so that a changed parameter publishes a new version.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tools.template import load_template

TEMPLATE: Final = Path(__file__).parent.parent / "template.yaml"
OUTPUT: Final = "template-provisioned.yaml"
FUNCTIONS: Final = ("RankApiFunction", "ClassifyApiFunction")
LEFT_UNRESERVED: Final = 10
"""Functions at once that AWS keeps for those without provisioned concurrency."""


def provision(text: str, document: Mapping[str, Any], environments: int) -> str:
    """Return the template's text with so many warm environments of each API function that holds models."""
    for name in FUNCTIONS:
        text = re.sub(
            rf"(?ms)^(  {name}:\n.*?^    Properties:\n)",
            lambda found, name=name: found[1] + _lines(parameters(document, name), environments),  # type: ignore[misc]
            text,
            count=1,
        )
    return text


def parameters(document: Mapping[str, Any], function: str) -> list[str]:
    """Return the names of the parameters that a function's properties mention."""
    read = repr((document["Resources"][function]["Properties"], document["Globals"]["Function"]))
    return [name for name in document["Parameters"] if re.search(rf"'{name}'|\$\{{{name}\}}", read)]


def _lines(names: list[str], environments: int) -> str:
    description = " ".join(f"${{{name}}}" for name in names)
    return (
        "      AutoPublishAlias: live\n"
        "      AutoPublishAliasAllProperties: true\n"
        "      VersionDeletionPolicy: Delete\n"
        f'      VersionDescription: !Sub "{description}"\n'
        f"      ProvisionedConcurrencyConfig: {{ProvisionedConcurrentExecutions: {environments}}}\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """Write the template beside the other, for its paths are relative."""
    parser = argparse.ArgumentParser(prog="python -m tools.provisioned", description=__doc__.partition("\n")[0])
    parser.add_argument("environments", type=int, help="environments of each function that are kept warm, and paid for")
    parser.add_argument("--output", type=Path, default=TEMPLATE.with_name(OUTPUT))
    given = parser.parse_args(arguments)
    if given.environments < 1:
        parser.error("at least 1; template.yaml itself keeps none warm")
    given.output.write_text(
        provision(TEMPLATE.read_text("utf-8"), load_template(TEMPLATE), given.environments), "utf-8"
    )
    print(f"{given.output}: now `sam build -t {given.output.name}` and `make deploy BUILT=1`")
    needed = LEFT_UNRESERVED + given.environments * len(FUNCTIONS)
    print(f"the account must run {needed} functions at once: AWS leaves {LEFT_UNRESERVED} free, all that a new one has")


if __name__ == "__main__":
    main()
