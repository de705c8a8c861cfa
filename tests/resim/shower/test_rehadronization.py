"""Events that were frozen at the parton level and hadronized again are distributed like ordinary ones."""

import numpy as np
import pytest
from scipy.stats import chi2 as chi2_distribution

from resim.card.jet_settings import JetSettings
from resim.card.pythia_settings import shower_lines
from resim.card.stages import ShowerSection
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.jets.clustering import cluster
from resim.plots.histogram import Histogram
from resim.shower.event_record import join
from resim.shower.pythia import Pythia
from resim.shower.simulate_views import MAX_ATTEMPTS
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

QCD = HARD_SCATTERS / "qcd_jj.lhe.gz"
N_EVENTS = 250
STRANGE = (310, 130, 321, 3122, 3112, 3222, 3312, 3322, 3334)


def observables(events) -> dict[str, np.ndarray]:
    particles = join(events)
    visible = particles.select(particles.visible)
    jets = cluster(visible, JetSettings(pt_min=100.0, abs_eta_max=3.0))
    return {
        "multiplicity": np.diff(particles.offsets),
        "strangeness": np.array([np.isin(np.abs(event["pdg_id"]), STRANGE).sum() for event in events]),
        "jet mass": jets.mass,
    }


@pytest.mark.slow
@pytest.mark.parametrize("card", ["monash", "monash_cr_qcd"])
def test_rehadronized_events_are_distributed_like_full_ones(card):
    """Different hard scatters on both sides, so that the samples are independent; the seeds are fixed."""
    pythia = Pythia(survey(QCD, 1).beams, shower_lines(ShowerSection(card=REPOSITORY / f"cards/pythia/{card}.cmnd")))
    events = [parse_event(block, QCD, index) for index, block in event_blocks(QCD, 2 * N_EVENTS)]
    full, again = [], []
    for seed, event in enumerate(events, 1):
        record = pythia.shower(event, seed)
        first = pythia.hadronize(record, seed)
        if first is None:
            continue  # Pythia showers such an event again, and so does resim
        if seed <= N_EVENTS:
            full.append(first)
        else:
            tries = (pythia.hadronize(record, seed + attempt * 10**6) for attempt in range(1, MAX_ATTEMPTS + 1))
            again.append(next(made for made in tries if made is not None))  # none is lost, so none is selected
    samples = observables(full), observables(again)
    for name in samples[0]:
        a, b = (sample[name] for sample in samples)
        edges = np.quantile(np.concatenate([a, b]), np.linspace(0, 1, 17))
        edges = np.unique(np.append(edges[:-1], edges[-1] + 1)).astype(float)
        first, second = (Histogram(edges, np.histogram(x, edges)[0].astype(float)) for x in (a, b))
        found, freedom = first.chi2(second)
        assert freedom >= 8
        assert chi2_distribution.sf(found, freedom) > 1e-3, name
