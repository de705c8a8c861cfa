"""Training and validation batches for Lightning."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import lightning
import numpy as np

from jetssl.common.seeds import Stream
from jetssl.common.team import ALONE, Team
from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.objectives import AnomClrCard, HidingCard
from jetssl.data.batches import Look, PairBatches, ShardPass, Share, TrainingBatches
from jetssl.data.event_anomalies import require_events
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import Jets, gather_jets
from jetssl.data.partners import partners
from jetssl.data.reading import JetSource, Place, WindowReader
from jetssl.data.rows import Rows
from jetssl.data.sampling import Shard, training_shards, validation_window
from jetssl.data.splits import Splits, split_rows
from jetssl.data.tensors import PairBatch
from jetssl.data.views import choices
from resim.common.arrays import Integers
from resim.common.errors import InputError


class PairDataModule(lightning.LightningDataModule):
    """Training and validation batches of pairs; the test split is never touched here.

    Args:
        rows: the rows of the pair files.
        card: the training card.
        team: whose process this is; each takes an equal share of every batch.
        quiet: no progress on stderr while pairs are looked for (`views.pairing: emd`).

    Attributes:
        splits: all rows of each side.
        usable: those that have the views that the card asks for.
        batches_per_epoch: training batches in an epoch.

    Raises:
        InputError: fewer pairs than a batch in the training split, too few in the validation split, batches or
            shards that cannot be shared equally, or jets where the objective wants events.
    """

    def __init__(self, rows: Rows, card: Card, team: Team = ALONE, *, quiet: bool = False) -> None:
        super().__init__()
        _check_team(card.data, team)
        self.rows, self.card, self.seed, self.team = rows, card.data, card.training.seed, team
        jets_per_row = card.objective.jets_per_row
        hide = card.objective if isinstance(card.objective, HidingCard) else None
        chosen = choices(rows.views, card.views, jets_per_row)
        anomalies = card.objective.anomalies if isinstance(card.objective, AnomClrCard) else None
        self.look = Look(chosen, jets_per_row, card.views, card.data.feature_set, hide, anomalies)
        self.splits = split_rows(rows, card.data.fractions)
        usable = chosen.usable(rows.valid)
        self.usable = Splits(*(side[usable[side]] for side in self.splits.sides))
        _check_rows(rows, self.look, self.usable, card, team)
        if anomalies is not None and anomalies.of_events:
            require_events(_first_jet(rows, self.usable.train[0]))
        self.shards = training_shards(rows, self.usable.train, self.card)
        self.batches_per_epoch = min(shard.n_batches for shard in self.shards)
        _check_batches(self.batches_per_epoch, self.usable, self.card)
        self._validation = validation_window(rows, self.usable.validation, self.card, team.size, self.seed)
        if card.views.pairing == "emd":
            self.look = replace(self.look, partner=self._partners(card.views.candidates, quiet))
        columns = FEATURE_SETS[self.card.feature_set].columns
        if card.views.live is not None:
            # These bring the detector, Pythia and FastJet, which no other training waits for.
            from jetssl.data.live import PARTICLE_COLUMNS, radius_of_generated
            from jetssl.data.live_processes import LiveProcesses

            live = LiveProcesses(card.views.live, radius_of_generated(rows), Place.of(rows))
            self.look = replace(self.look, live=live)
            columns = tuple(dict.fromkeys((*columns, *PARTICLE_COLUMNS)))
        self._readers = {shard.number: WindowReader(rows, columns) for shard in self._own_shards()}
        self._validation_reader = WindowReader(rows, columns)

    def train_dataloader(self) -> TrainingBatches:
        """Batches of the trainer's current epoch; Lightning asks for them anew in every epoch."""
        return self.training_batches(self.trainer.current_epoch if self.trainer else 0)

    def training_batches(self, epoch: int) -> TrainingBatches:
        """Batches of an epoch: a fresh order, cut into full batches.

        NT-Xent depends on the number of negatives, so the rows that do not fill a batch wait for another epoch.
        """
        passes = [
            ShardPass(
                shard.number,
                shard.windows(self.seed, epoch, self.batches_per_epoch),
                self._readers[shard.number],
            )
            for shard in self._own_shards()
        ]
        share = self._equal_share() if self.card.shards == 1 else Share()
        return TrainingBatches(self.rows, passes, self.look, (self.seed, Stream.TRAINING_BATCH, epoch), share)

    def sample(self) -> Iterator[PairBatch]:
        """Batches of the first epoch, as many rows as are looked at after an epoch."""
        batches = self.training_batches(0)
        count = -(-self.card.validation_rows // self.card.batch_size)
        return map(batches.batch, range(min(count, len(batches))))

    def val_dataloader(self) -> PairBatches:
        """The same batches with the same views and rotations every time."""
        only = ShardPass(0, [self._validation], self._validation_reader)
        address = (self.seed, Stream.VALIDATION_BATCH, 0)
        return PairBatches(self.rows, [only], self.look, address, self._equal_share())

    def teardown(self, stage: str) -> None:  # noqa: ARG002
        """End the processes that read; a training that goes on starts them again."""
        for reader in (*self._readers.values(), self._validation_reader):
            reader.close()
        if self.look.live is not None:
            self.look.live.close()

    def _partners(self, candidates: int, quiet: bool) -> Integers:
        """The row of the second jet of each row, of its side of the split; the first process looks for all."""
        only = self.shards[0].shuffle
        if len(self.shards) > 1 or only.n_windows > 1:
            raise InputError(
                f"views.pairing emd compares all {len(self.usable.train)} training rows: set data.shards to 1 and"
                f" raise data.buffer ({self.card.buffer})"
            )
        first, second = self.look.choices.pairs[0].tolist()
        groups = [only.rows, self._validation.rows]
        return self.team.once(lambda: partners(self.rows, groups, (first, second), candidates, quiet=quiet))

    def _own_shards(self) -> list[Shard]:
        if len(self.shards) == 1:
            return self.shards
        each = len(self.shards) // self.team.size
        return self.shards[self.team.rank * each :][:each]

    def _equal_share(self) -> Share:
        return Share(self.team.rank, self.team.size)


def _check_team(card: DataCard, team: Team) -> None:
    if card.batch_size % team.size:
        raise InputError(
            f"data.batch_size is {card.batch_size}, which {team.size} processes cannot share equally;"
            f" choose a multiple of {team.size}, or other training.devices"
        )
    if card.shards > 1 and card.shards % team.size:
        raise InputError(
            f"data.shards is {card.shards}, which {team.size} processes cannot share equally;"
            f" choose a multiple of {team.size}, or 1"
        )


def _first_jet(rows: Rows, row: int) -> Jets:
    """The first jet that a row has: one is enough to tell jets from events."""
    with closing(JetSource(Place.of(rows), ())) as source:
        table = source.read(np.array([row]))
    return gather_jets(table, np.array([rows.valid[:, row].argmax()]), np.array([0]))


def _check_rows(rows: Rows, look: Look, usable: Splits, card: Card, team: Team) -> None:
    if not len(look.choices):
        files = ", ".join(file.path for file in rows.files)
        raise InputError(
            f"{files}: only the view {rows.views[0]!r} in common, a pair needs two; add views to the card, or train"
            " with views.source=augment"
        )
    if len(usable.train) < card.data.batch_size:
        raise InputError(
            f"data.batch_size is {card.data.batch_size}, but the training split has {len(usable.train)} rows with"
            f" {card.needed_views}; lower it or generate more events"
        )
    if len(usable.validation) < 2 * team.size:
        raise InputError(
            f"the validation split has {len(usable.validation)} rows with {card.needed_views}, want at least 2"
            f" for each of {team.size} processes; generate more events or raise data.fractions.validation"
        )


def _check_batches(batches_per_epoch: int, usable: Splits, card: DataCard) -> None:
    if batches_per_epoch < 1:
        raise InputError(
            f"data: {len(usable.train)} training rows in {card.shards} shards with a buffer of {card.buffer} rows"
            f" give no batch of {card.batch_size} rows after data.balance; lower data.batch_size or data.shards, or"
            " raise data.buffer"
        )
