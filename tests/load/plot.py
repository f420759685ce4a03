"""Draw the memory of a soak: `python -m tests.load.plot SOAK.csv PICTURE.png`; needs matplotlib (`make peers`)."""

import csv
import sys
from pathlib import Path


def draw(table: Path, picture: Path) -> None:
    """Draw MB resident over minutes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(csv.DictReader(table.open(newline="")))
    figure, axes = pyplot.subplots(figsize=(8, 3.5))
    axes.plot([float(row["minutes"]) for row in rows], [float(row["resident_mb"]) for row in rows])
    axes.set(xlabel="minutes", ylabel="MB resident", ylim=(0, None))
    axes.set_title(f"the local service, {rows[-1]['requests']} requests, {rows[-1]['wrong']} wrong answers")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(picture, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
