"""Train, measure and bundle the default classifier: training, wide part, baseline and export in one command.

    python -m tools.training.abstracts DATA ENCODER OUT models/arxiv-archives/5

It continues where it was stopped. Each step is also a separate command: `train`, `wide`, `baseline`, `export`.
"""

import argparse
import json
from pathlib import Path

import torch

from tools.training.abstracts import baseline, export, fine_tuning, wide


def main() -> None:
    """Run the steps that are not done yet, then write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fine_tuning.add_training_arguments(parser)
    parser.add_argument("bundle", type=Path, help="folder to write, named after the version")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.weights, arguments.baseline = arguments.out / "float.pt", arguments.out / "baseline.json"
    arguments.wide = arguments.out / "wide.npz"
    if not arguments.weights.exists():
        fine_tuning.run_training(arguments)
    if not arguments.wide.exists():
        wide.run_wide(arguments)
    if not arguments.baseline.exists():
        arguments.baseline.write_text(
            json.dumps(baseline.measure_baseline(arguments.data, arguments.per_primary)), "utf-8"
        )
    arguments.training, arguments.beside = fine_tuning.summary(arguments), wide.wide_summary(arguments)
    export.export_bundle(arguments)


if __name__ == "__main__":
    main()
