"""Where an input lies, and under which name it is judged."""

from pathlib import Path

from tools.batch.inputs import place_input


def test_a_symbolic_links_own_name_counts(tmp_path: Path) -> None:
    blob = tmp_path / "store" / "0f3a"
    blob.parent.mkdir()
    blob.write_bytes(b"sequence\nACD\n")
    link = tmp_path / "designs.csv"
    link.symlink_to(blob)
    with place_input(str(link)) as found:
        assert found.key == "designs.csv"
        assert found.bucket().read_range(found.key, 0, 100) == b"sequence\nACD\n"
