"""ROOT files in COCOA's layout, written by the test, against the particles that they are made of."""

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.detector.cells.cocoa_files import read_cocoa
from tests.helpers.cocoa_stand_in import LAYERS, branches, write
from tests.helpers.particles import random_particles

WRITTEN = np.array([True, False, True, True])


@pytest.fixture(scope="module")
def particles():
    return random_particles([12, 0, 1, 9])


def entries(particles) -> list[dict]:
    names = ("pdg_id", "px", "py", "pz", "energy", "vx", "vy", "vz")
    events = (particles.events(i, i + 1) for i in np.flatnonzero(WRITTEN))
    return [branches(np.stack([getattr(event, name) for name in names], axis=1)) for event in events]


def read(folder, particles, events, tree="Out_Tree"):
    write(folder / "out.root", events, tree)
    return read_cocoa(folder / "out.root", particles, WRITTEN, LAYERS)


def test_cells_and_tracks_come_back_in_gev_with_their_particles(particles, tmp_path):
    hits, tracks = read(tmp_path, particles, entries(particles))
    objects, of_event = tracks.objects, particles.offsets[tracks.objects.event]
    for event in range(4):
        own = particles.events(event, event + 1)
        inside = np.abs(own.eta) < 3
        mine = hits.event == event
        assert sorted(hits.energy[mine]) == pytest.approx(sorted(own.energy[inside]), rel=1e-6)
        assert sorted(hits.phi[mine]) == pytest.approx(sorted(own.phi[inside]), abs=1e-5)
        assert (objects.event == event).sum() == ((own.charge != 0) & inside).sum()
    assert np.unique(hits.cluster).tolist() == list(range(len(hits)))
    assert (np.diff(hits.event) >= 0).all()
    for name in ("px", "py", "pz", "mass", "charge"):
        found = {
            "px": objects.pt * objects.ux,
            "py": objects.pt * objects.uy,
            "pz": objects.pt * objects.slope,
            "mass": objects.mass,
            "charge": objects.charge,
        }[name]
        assert found == pytest.approx(getattr(particles, name)[of_event + objects.item], rel=1e-5, abs=1e-5)
    assert tracks.eta == pytest.approx(np.repeat(objects.eta[:, None], LAYERS, 1), abs=1e-4)
    assert tracks.phi == pytest.approx(np.repeat(objects.phi[:, None], LAYERS, 1), abs=1e-5)


def test_what_cocoa_itself_does_not_count_is_left_out(particles, tmp_path):
    """Cells outside clusters or without energy, and tracks that it lost."""
    events = entries(particles)
    events[0]["cell_topo_idx"][:2] = 0, 1
    events[2]["cell_e"][0] = -5
    events[2]["track_reconstructed"][0], events[0]["track_in_acceptance"][0] = 0, 0
    events[0]["track_d0"][0] = np.nan
    all_hits, all_tracks = read(tmp_path, particles, entries(particles))
    hits, tracks = read(tmp_path, particles, events)
    assert len(hits) == len(all_hits) - 2
    assert np.unique(hits.cluster).tolist() == list(range(len(hits)))
    assert len(tracks) == len(all_tracks) - 2


def test_cuts_of_cocoa_are_no_error(particles, tmp_path):
    """It simulates the particles above a pT only; the order is proved by those."""
    events = entries(particles)
    hardest = np.argmax(np.where(events[0]["particle_track_idx"] >= 0, events[0]["particle_pt"], 0))
    for name in ("pdgid", "pt", "eta", "phi", "e", "track_idx"):
        events[0][f"particle_{name}"] = events[0][f"particle_{name}"][[hardest]]
    _, tracks = read(tmp_path, particles, events)
    own = particles.events(0, 1)
    left = np.where((own.charge != 0) & (np.abs(own.eta) < 3), own.pt, 0)
    assert tracks.objects.item[tracks.objects.event == 0].tolist() == [np.argmax(left)]


def changed(name, change):
    def of(events):
        events[0][name] = change(events[0][name])
        return events

    return of


def test_a_track_that_crosses_no_layer_is_one_line(particles, tmp_path):
    """Where x = y = z = 0 there is no direction; particle flow would not find the track's clusters, unsaid."""
    events = entries(particles)
    for axis in "xyz":
        events[0][f"track_{axis}_layer_5"] *= 0
    with pytest.raises(InputError, match="crossing of layer 5 of tracks holds numbers that are not finite"):
        read(tmp_path, particles, events)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda events: events[:-1], "the output holds 2 events, 3 were given"),
        (lambda events: [events[2], *events[1:]], r"entry 0 of the output is of another event: particle 0 \(PDG id "),
        (lambda events: [events[0], *events[:0:-1]], "entry 1 of the output is of another event"),
        (changed("particle_pt", lambda pt: pt * 1.001), r"entry 0 .* pT .* GeV, eta .*\) was not given to it"),
        (changed("particle_pdgid", lambda code: -code), "entry 0 of the output is of another event"),
        (changed("cell_e", lambda e: e * np.nan), "e of cells holds numbers that are not finite"),
        (changed("track_d0", lambda d0: d0[1:]), "track_d0 does not hold as many numbers as track_pdgid"),
        (changed("track_d0", lambda d0: d0 * np.nan), "d0 of tracks holds numbers that are not finite"),
        (changed("cell_layer", lambda layer: layer + 3), "cell_layer holds 6, the card has layers 0 to 5"),
        (changed("cell_layer", lambda layer: layer - 2), "cell_layer holds -1, the card has layers 0 to 5"),
        (
            lambda events: [{k: v for k, v in event.items() if k != "track_z_layer_5"} for event in events],
            "the output has no track_z_layer_5; want Type_of_running Standard",
        ),
    ],
)
def test_another_content_is_one_line(particles, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, particles, change(entries(particles)))


def test_files_that_are_no_output(particles, tmp_path):
    with pytest.raises(InputError, match=r"out\.root was not written"):
        read_cocoa(tmp_path / "out.root", particles, WRITTEN, LAYERS)
    with pytest.raises(InputError, match=r"out\.root is not readable: KeyInFileError"):
        read(tmp_path, particles, entries(particles), tree="Other")
    content = (tmp_path / "out.root").read_bytes()
    for share in (0, 0.3, 0.9):
        (tmp_path / "out.root").write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"out\.root is not readable"):
            read_cocoa(tmp_path / "out.root", particles, WRITTEN, LAYERS)
