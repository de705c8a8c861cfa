"""The whole path from Python, in a minute, without a physics generator: toy pairs -> training -> probe.

    python examples/quickstart.py [FOLDER]

With real events, make the pairs with `resim generate cards/generate/demo.yaml -o pairs.h5` instead of the mock.
"""

import sys
from pathlib import Path

from jetssl import Card, ProbeCard, ProbeRequest, RunFolder, pretrain, probe_run
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations


def main(folder: Path) -> None:
    """Make pairs, look at them, pre-train an encoder on them, and probe it."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = write_mock(folder / "pairs.h5", n_rows=600, views=("nominal", "seed", "rehadron"))
    assert violations(pairs) == []
    with PairFile(pairs) as file:
        both = file.valid("nominal") & file.valid("seed")
        print(f"{len(file)} rows of {file.labels}, {both.sum()} with a jet in nominal and seed")

    card = Card.model_validate(
        {
            "data": {"files": [str(pairs)], "batch_size": 64},
            "encoder": {"width": 32, "layers": 1, "heads": 2},
            "training": {"epochs": 5, "learning_rate": 3e-3},
        }
    )
    outcome = pretrain(card, RunFolder(folder / "run"), force=True)
    print(f"trained in {outcome.provenance.seconds:.0f} s")

    asked = ProbeCard(signal=("two_prong",), background=("one_prong",), labels=(40,))
    for result in probe_run(ProbeRequest(folder / "run", asked)):
        if result.metric == "auc":
            print(f"{result.baseline or 'pre-trained':12s} AUC {result.value:.3f} +- {result.error:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quickstart"))
