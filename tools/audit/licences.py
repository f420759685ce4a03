"""Licences of the packages in the cloud's functions and in the page, as they declare them: writes docs/licences.md.

python -m tools.audit.licences
"""

import re
from importlib.metadata import PackageNotFoundError, metadata

from tools.paths import ROOT

PAGE = ROOT / "docs" / "licences.md"
SETS = {
    "rank image": "functions/rank/requirements.txt",
    "classify image": "functions/classify/requirements.txt",
    "layer": "layers/assay/requirements.txt",
}
NOTICE = ROOT / "functions/portal/page/dist/NOTICE.txt"
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|GNU|EUPL|CDDL|SSPL)", re.IGNORECASE)
_BUNDLED = re.compile(r"^(\S+) [\d.]+ \((.+)\)$", re.MULTILINE)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_HEAD = """# Licences

The packages in the images, in the layer and in the page's script, with the licence that each declares. Assay itself is
Apache-2.0. No licence here binds other code: MPL-2.0 (tqdm) covers changes to its own files only. `python -m
tools.audit.licences` writes this page. `make sbom` writes the Python packages as CycloneDX, with hashes. The page's
footer links to the full texts of the licences in its script (`functions/portal/page/dist/NOTICE.txt`).

| package | licence | in |
|---|---|---|
"""


def licence(name: str) -> str | None:
    """Return what an installed package declares: its expression, else its classifiers, else its text; None without."""
    try:
        found = metadata(name).json
    except PackageNotFoundError:
        return None
    kinds = [each.split(" :: ")[-1] for each in found.get("classifier", ()) if each.startswith("License ::")]
    return str(found.get("license_expression") or ", ".join(kinds) or found.get("license") or "not declared")


def packages() -> dict[str, list[str]]:
    """Return the sets that each package is in, by name; packages for other systems are left out."""
    found: dict[str, list[str]] = {}
    for label, lock in SETS.items():
        for name in _PIN.findall((ROOT / lock).read_text("utf-8")):
            if licence(name) is not None:
                found.setdefault(name, []).append(label)
    return found


def list_bundled() -> dict[str, str]:
    """Return the licence of each npm package in the page's script, by name, as `make page` noted it."""
    return dict(_BUNDLED.findall(NOTICE.read_text("utf-8")))


def page() -> str:
    """Return docs/licences.md."""
    named = [(name, licence(name), ", ".join(sets)) for name, sets in packages().items()]
    named += [(name, declared, "page") for name, declared in list_bundled().items()]
    rows = (f"| {name} | {declared} | {where} |" for name, declared, where in sorted(named))
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
