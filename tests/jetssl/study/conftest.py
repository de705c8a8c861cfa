"""A study of toys: two trainings, every command, and claims; made once."""

from pathlib import Path

import pytest

from jetssl.study.program import StudyOutcome, StudyRequest, run_study

STUDY = """
title: toys
differs: everything
samples: {{toys: {{files: [{file}]}}}}
overrides: ["encoder={{width: 16, layers: 1, heads: 2}}", "training={{epochs: 1, threads: 1}}", data.batch_size=32]
trainings:
  pairs: {{card: {card}, sample: [toys], seeds: 2}}
  labels: {{card: {card}, sample: [toys], seeds: 1, overrides: [objective.name=supervised]}}
questions:
  frozen:
    probe: {{signal: [two_prong], background: [one_prong], labels: [20], baseline: [random]}}
    runs: [pairs]
    talk: {{title: a table, header: [labels, AUC], rows: [[20, 0.9], [all, 0.95]]}}
  tuned:
    finetune: {{signal: [two_prong], background: [one_prong], labels: [20], mode: [frozen, full], seeds: 2, steps: 5}}
    runs: [pairs]
  robust:
    evaluate: {{signal: [two_prong], background: [one_prong], view: [seed]}}
    runs: [tuned/pairs/full_20, labels]
    metric: [wasserstein_1]
    sample: [toys]
  space:
    geometry: {{rows: 40}}
    runs: [pairs]
    metric: [alignment]
claims:
  - {{says: the encoder beats chance, question: frozen, row: pairs, than: 0.5}}
  - {{says: fine-tuning is worse by far, question: tuned, row: "pairs:finetune_full", against: "pairs:finetune_frozen",
     labels: 20, expected: smaller}}
"""


def write_card(folder: Path, training_card: Path, file: Path) -> Path:
    path = folder / "study.yaml"
    path.write_text(STUDY.format(card=training_card, file=file))
    return path


@pytest.fixture(scope="session")
def study(tmp_path_factory, mock_file) -> tuple[Path, Path, StudyOutcome]:
    """The card, the folder, and the outcome."""
    from tests.helpers.toys import CARD

    folder = tmp_path_factory.mktemp("study")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    card = write_card(folder, folder / "card.yaml", mock_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: {0})  # processes of their own would import torch again
        return card, folder / "made", run_study(StudyRequest(card, folder / "made", jobs=1), quiet=True)
