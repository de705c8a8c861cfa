"""What all questions of a study share: its folder, its domains, its pre-trained encoders.

Letters: R rows, D model width.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetssl.common.threads import torch_threads
from jetssl.config.card import load_card
from jetssl.config.domains import DomainCard
from jetssl.config.weak import DomainName, StudyDomain, WeakCard
from jetssl.data.generation import PAIRS
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.results import Origin
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from jetssl.weak.domains import Domain, Question, load_domain
from resim.common.arrays import Floats32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Study:
    """A card, and the folder where its study is made."""

    card: WeakCard
    folder: Path
    origin: Origin

    @property
    def question(self) -> Question:
        """What is told from what."""
        return Question(self.card.signal, self.card.background)

    def domain_card(self, name: DomainName) -> DomainCard:
        """A domain with its files."""
        one: StudyDomain = getattr(self.card.domains, name)
        return one if one.files else one.model_copy(update={"files": (str((self.folder / PAIRS).resolve()),)})

    def domain(self, name: DomainName) -> Domain:
        """The jets of a domain."""
        return load_domain(name, self.domain_card(name), self.card.features, self.card.fractions)

    def run(self, pretraining: str, number: int) -> RunFolder:
        """The folder of one training of a pre-training."""
        return RunFolder(self.folder / "pretrainings" / f"{pretraining}_{number}")

    def encoders(self, pretraining: str) -> list[LoadedEncoder]:
        """All trainings of a pre-training."""
        return [load_encoder(self.run(pretraining, n).best) for n in range(self.card.pretraining_seeds)]


def pretrain_all(study: Study, *, quiet: bool) -> None:
    """Pre-train what the card names, or go on.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same command goes on.
        InputError: unusable card or data.
    """
    for name, wanted in study.card.pretrainings.items():
        data = study.domain_card(wanted.domain)
        for number in range(study.card.pretraining_seeds):
            values = {
                "files": list(data.files),
                "labelled": data.labelled,
                "features": study.card.features,
                "fractions": study.card.fractions.model_dump(),
            }
            overrides = [f"data.{key}={json.dumps(value)}" for key, value in values.items()]
            overrides.append(f"training.seed={study.card.seed + number}")
            card = load_card(wanted.card, [*study.card.overrides, *wanted.overrides, *overrides])
            log.info("wsl: pre-training %s, %d of %d", name, number + 1, study.card.pretraining_seeds)
            outcome = pretrain(card, study.run(name, number), quiet=quiet)
            if outcome.state is State.RESUMABLE:
                raise KeyboardInterrupt(f"interrupted; the same command resumes {study.folder}")


def vectors_of(loaded: LoadedEncoder, table: PairTable, rows: Sequence[np.ndarray]) -> Floats32:
    """Jet vectors of the only view of a table, float32 `(R, D)`; 0 for rows that are not asked for."""
    wanted = np.concatenate(list(rows))
    vectors = np.zeros((table.rows.n_rows, loaded.encoder.width), np.float32)
    with torch_threads(loaded.card.training.threads):
        features = loaded.card.data.features
        vectors[wanted] = embed(loaded.encoder, table, np.zeros(len(wanted), np.int64), wanted, features)
    return vectors
