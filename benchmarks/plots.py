"""Draw results into a folder: `python -m benchmarks.plots FOLDER` with JSON on its input; needs matplotlib.

{"curves": {name: [[items, seconds, MB], ...]}} makes curve.png: time and memory against size, log-log;
{"bars": {"file": NAME, "title": ..., "unit": ..., "groups": [...], "series": {way: [values]}}} makes NAME.png, a bar
for each, log unless "scale" says linear; "stacked" instead of "bars" lays the series end to end.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def curves(folder: Path, drawn: Mapping[str, Sequence[Sequence[float]]]) -> None:
    """Draw time and memory of each job."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4))
    for name, points in drawn.items():
        items, seconds, megabytes = zip(*points, strict=True)
        axes[0].loglog(items, seconds, marker="o", label=name)
        axes[1].loglog(items, megabytes, marker="o", label=name)
    for axis, title, unit in zip(axes, ("Time", "Peak memory of the process"), ("seconds", "MB"), strict=True):
        axis.set(title=title, xlabel="items", ylabel=unit)
        axis.grid(which="both", alpha=0.25)
        axis.legend()
    axes[1].set_ylim(10, 1000)
    _save(figure, folder / "curve.png")


def bars(folder: Path, drawn: Mapping[str, Any]) -> None:
    """Draw one bar for each way in each group."""
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(10, 4.6))
    ways, width = drawn["series"], 0.85 / max(1, len(drawn["series"]))
    for at, (name, values) in enumerate(ways.items()):
        places = [group + (at - (len(ways) - 1) / 2) * width for group in range(len(drawn["groups"]))]
        axis.bar(places, values, width, label=name)
    axis.set(title=drawn["title"], ylabel=drawn["unit"], xticks=range(len(drawn["groups"])))
    axis.set_xticklabels(drawn["groups"])
    axis.set_yscale(drawn.get("scale", "log"))
    axis.grid(axis="y", alpha=0.25)
    axis.legend(fontsize="small", ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    _save(figure, folder / f"{drawn['file']}.png")


def stacked_bars(folder: Path, drawn: Mapping[str, Any]) -> None:
    """Draw one bar for each group, of the series' values end to end."""
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(10, 0.6 * len(drawn["groups"]) + 1.6))
    ends = [0.0] * len(drawn["groups"])
    for name, values in drawn["series"].items():
        axis.barh(drawn["groups"], values, left=ends, label=name)
        ends = [end + value for end, value in zip(ends, values, strict=True)]
    axis.invert_yaxis()
    axis.set(title=drawn["title"], xlabel=drawn["unit"])
    axis.grid(axis="x", alpha=0.25)
    axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, folder / f"{drawn['file']}.png")


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Draw what the input has."""
    import matplotlib

    matplotlib.use("Agg")
    folder, given = Path(sys.argv[1]), json.load(sys.stdin)
    if "curves" in given:
        curves(folder, given["curves"])
    if "bars" in given:
        bars(folder, given["bars"])
    if "stacked" in given:
        stacked_bars(folder, given["stacked"])


if __name__ == "__main__":
    main()
