"""Versions come and go under steady requests: none is lost, each is one version's, and what is broken never serves."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.http.messages import Request
from assay.jobs.rank_files import RankJobType
from assay.models.loading import load_folder
from assay.models.manifest import MANIFEST, Pointer
from assay.models.probes import PROBES, score_probes
from assay.models.published import bundle_key, current_key
from tests.conftest import DATA, Aws
from tests.integration import registries
from tests.integration.drops import Drop
from tests.integration.registries import NAME, changed
from tests.integration.traffic import Answer, Ask, Traffic
from tools.models.build import build_manifest
from tools.models.importers.result import probe_model
from tools.models.publish import move_pointer, publish, rollback

SEQUENCES = ["ACDEFGHIKLMNPQRSTVWY" * 2 + letter * 10 for letter in "ACDEFGHI"]
BODY = json.dumps({"sequences": SEQUENCES, "threshold": -1e6}).encode()
TEXT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."


@pytest.fixture
def rank(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Ask]:
    """Rank as the handler does, in threads of one environment."""
    from rank import api, request
    from rank.services import services

    environment("ASSAY_GATE_MODEL", NAME)
    environment("ASSAY_SCORE_MODEL", NAME)
    environment("ASSAY_MODEL_REFRESH_SECONDS", "0")
    services.cache_clear()

    def ask() -> Answer:
        ranked = api.rank_request(request.read_request(Request("POST", "/rank", {}, {}, BODY)))
        by_sequence = {row.sequence: row.score for row in ranked.partial.rows}
        return ranked.models["score"]["version"], tuple(by_sequence[each] for each in SEQUENCES)

    yield ask
    services.cache_clear()


@pytest.fixture
def classify(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Ask]:
    from assay.options import ClassifyOptions
    from classify import services
    from classify.request import ClassifyRequest

    environment("ASSAY_MODEL_REFRESH_SECONDS", "0")
    services.services.cache_clear()
    request = ClassifyRequest([TEXT], ClassifyOptions())

    def ask() -> Answer:
        reply = services.services().classify(request)
        return reply["model"]["version"], tuple(reply["results"][0]["scores"].values())

    yield ask
    services.services.cache_clear()


def sequence_versions(folder: Path) -> list[Path]:
    return [changed(folder / version, NAME, version=version, factor=int(version)) for version in ("1", "2", "3")]


def text_versions(folder: Path) -> list[Path]:
    text = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())["text"]
    kinds = {"1": "sigmoid", "2": "softmax", "3": "none"}
    return [
        changed(folder / version, "tiny-text", "tiny-text", version=version, text=text | {"activation": kind})
        for version, kind in kinds.items()
    ]


def expected(folders: list[Path]) -> dict[str, tuple[float, ...]]:
    """Return the answers of each version by itself."""
    models = [load_folder(folder, 1) for folder in folders]
    inputs = [TEXT] if models[0].manifest.text else SEQUENCES
    return {model.manifest.version: tuple(map(float, score_probes(model, inputs).ravel())) for model in models}


def held_to(answers: list[Answer], known: dict[str, tuple[float, ...]]) -> Counter[str]:
    """Hold every answer to its version's and return how many each gave."""
    assert len(set(known.values())) == len(known)
    for version, values in answers:
        assert values == pytest.approx(known[version], abs=1e-5)
    return Counter(version for version, _ in answers)


@pytest.mark.parametrize(("kind", "versions"), [("rank", sequence_versions), ("classify", text_versions)])
def test_activation_and_rollback_lose_no_request_and_mix_no_versions(
    aws: Aws, tmp_path: Path, request: pytest.FixtureRequest, kind: str, versions: Callable[[Path], list[Path]]
) -> None:
    folders = versions(tmp_path)
    name = folders[0].name
    for folder in folders:
        publish(aws.models, folder, serve=False, run=False)
    move_pointer(aws.models, name, "1")
    traffic = Traffic(request.getfixturevalue(kind))
    with traffic.flowing():
        traffic.until("1")
        move_pointer(aws.models, name, "2")
        traffic.until("2")
        assert rollback(aws.models, name).version == "1"
        traffic.until("1")
        move_pointer(aws.models, name, "3")
        traffic.until("3")
    assert traffic.failures == []
    assert held_to(traffic.answers, expected(folders)).keys() == {"1", "2", "3"}


def wrong_probes(aws: Aws, folder: Path) -> None:
    probes = probe_model(load_folder(folder, 1), SEQUENCES, 0.01)
    (folder / PROBES).write_bytes(replace(probes, outputs=probes.outputs + 1).dumps())
    document = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    publish(aws.models, folder, run=False)


def published(damage: Callable[[Aws, str], None]) -> Callable[[Aws, Path], None]:
    """Damage what was published after it was made to serve."""

    def act(aws: Aws, folder: Path) -> None:
        publish(aws.models, folder, serve=False, run=False)
        damage(aws, "3")
        aws.models.put(current_key(NAME), Pointer("3", "1").dumps(), "")

    return act


def other_manifest(aws: Aws, folder: Path) -> None:
    """Replace a published manifest by a right one that the pointer was not made for."""
    publish(aws.models, folder, serve=False, run=False)
    move_pointer(aws.models, NAME, "3")
    found = aws.models.get(bundle_key(NAME, "3"), limit=1 << 20)
    assert found is not None
    aws.models.put(bundle_key(NAME, "3"), found[0].replace(b'"licence": "', b'"licence": "not '), "")


BROKEN = {
    "a flipped byte": published(registries.flip),
    "a truncated file": published(registries.truncate),
    "a missing file": published(registries.lose_file),
    "a missing manifest": published(registries.lose_manifest),
    "a manifest of another task": published(registries.change_task),
    "a manifest of another model": published(registries.swap_manifest),
    "wrong probes": wrong_probes,
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_never_serves_and_costs_no_request(
    aws: Aws, tmp_path: Path, rank: Ask, metrics: Counter[str], what: str
) -> None:
    folders = sequence_versions(tmp_path)
    for folder in reversed(folders[:2]):
        publish(aws.models, folder, run=False)
    traffic = Traffic(rank)
    with traffic.flowing():
        traffic.until("1")
        BROKEN[what](aws, folders[2])
        traffic.until_true(lambda: metrics["ModelRefused"] > 0)
        traffic.until("1")
        move_pointer(aws.models, NAME, "2")
        traffic.until("2")
    assert traffic.failures == []
    assert held_to(traffic.answers, expected(folders[:2])).keys() == {"1", "2"}
    assert metrics["ModelRefused"] == 1


def test_a_manifest_that_the_pointer_was_not_made_for_is_refused(
    aws: Aws, tmp_path: Path, rank: Ask, metrics: Counter[str]
) -> None:
    folders = sequence_versions(tmp_path)
    publish(aws.models, folders[0], run=False)
    assert rank()[0] == "1"
    other_manifest(aws, folders[2])
    assert rank()[0] == "1"
    assert metrics["ModelRefused"] == 1


def test_a_job_keeps_its_versions_while_others_come_to_serve(
    aws: Aws, drop: Drop, cut: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = sequence_versions(tmp_path)
    for folder in folders[1:]:
        publish(aws.models, folder, serve=False, run=False)
    work, done = RankJobType.work, set()

    def swapped(kind: RankJobType, manifest: Any, index: int, *stores: Any) -> Any:
        done.add(index)
        move_pointer(aws.models, NAME, str(index % 3 + 1))
        return work(kind, manifest, index, *stores)

    monkeypatch.setattr(RankJobType, "work", swapped)
    cut(100)
    body = "".join(f"{each}\n" for each in SEQUENCES).encode()
    job_id = drop.done("rank/a.txt", body, **{"threshold": "-1e6", "score-model": f"{NAME}@2"})
    summary = drop.summary(job_id)
    assert len(done) == 5
    assert summary["models"]["score"] == {"name": NAME, "version": "2"}
    assert summary["models"]["gate"] == {"name": NAME, "version": "1"}
    known = expected(folders)
    rows = {row["sequence"]: row for row in drop.rows(job_id, "ranking.csv")}
    assert [float(rows[each]["score"]) for each in SEQUENCES] == pytest.approx(known["2"], abs=1e-5)
    assert [float(rows[each]["gate"]) for each in SEQUENCES] == pytest.approx(known["1"], abs=1e-5)
