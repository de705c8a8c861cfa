"""What AnomalyCLR compares: views, and the anomalous jets of the same batch, whoever makes it."""

import pytest
import torch

from jetssl.common.team import Team
from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.losses.anomclr import anomclr, anomclr_plus
from jetssl.methods.anomclr import AnomClr
from resim.common.errors import InputError

OBJECTIVE = "objective={name: anomclr, temperature: 0.2}"


@pytest.mark.parametrize(("plus", "loss"), [("false", anomclr), ("true", anomclr_plus)])
def test_the_loss_is_that_of_the_projected_jets(card_file, table, plus, loss):
    card = load_card(card_file, [OBJECTIVE, f"objective.plus={plus}"])
    batch = PairDataModule(table.rows, card).training_batches(0).batch(0)
    method = AnomClr(card, 10, ("a", "b")).eval()
    with torch.no_grad():
        first, second = method.project(method.encoder(*batch.jets).jet)
        strange = method.projector(method.encoder(*batch.anomalous).jet)
        wanted = loss(first, second, strange, 0.2)
        torch.testing.assert_close(method.losses(batch)["loss"], wanted)
        torch.testing.assert_close(method.validate(batch)["loss"], wanted)
        with pytest.raises(ValueError, match="no anomalous jets"):
            method.losses(batch._replace(anomalous=None))


def test_anomalous_jets_are_those_of_the_rows_in_shares_and_shards(card_file, table):
    """An anomaly has the pT of the first view, and processes and shards give the same ones."""
    for data in (["data.shards=1"], ["data.shards=2"]):
        card = load_card(card_file, [OBJECTIVE, "data.batch_size=24", *data])
        whole = PairDataModule(table.rows, card).training_batches(1).batch(0)
        pt = torch.hypot(whole.jets.momenta[..., 1], whole.jets.momenta[..., 2]).sum(1)
        strange = torch.hypot(whole.anomalous.momenta[..., 1], whole.anomalous.momenta[..., 2]).sum(1)
        torch.testing.assert_close(strange, pt[:24], rtol=1e-4, atol=0.01)
        assert not torch.equal(whole.anomalous.mask.sum(1), whole.jets.mask[:24].sum(1))
    card = load_card(card_file, [OBJECTIVE, "data.batch_size=24"])
    whole = PairDataModule(table.rows, card).training_batches(1).batch(0)
    shares = [PairDataModule(table.rows, card, Team(rank, 2)).training_batches(1).batch(0) for rank in range(2)]
    together = torch.cat([share.anomalous.features.sum(1) for share in shares])
    torch.testing.assert_close(together, whole.anomalous.features.sum(1))


def test_vertices_are_refused(card_file):
    with pytest.raises(InputError, match="the anomalies of objective anomclr would take tracks"):
        load_card(card_file, [OBJECTIVE, "data.inputs=[constituents, vertices]"])
