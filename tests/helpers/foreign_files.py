"""Jets of `ForeignJets` in files of published layouts."""

import awkward as ak
import h5py
import numpy as np
import uproot

from tests.helpers.foreign import KINDS


def jetclass_columns(jets):
    sign = np.where(jets.jet["eta"] > 0, 1, -1)[jets.owner]
    columns = {"px": jets.px, "py": jets.py, "pz": jets.pz, "energy": jets.energy, "deta": sign * jets.d_eta}
    columns |= {"dphi": jets.d_phi, "d0val": jets.d0, "d0err": jets.d0_err, "dzval": jets.dz, "dzerr": jets.dz_err}
    columns |= {"charge": jets.charge} | {f"is{kind}": jets.species == number for number, kind in KINDS.items()}
    of_jets = {name: jets.jet[name] for name in ("pt", "eta", "phi", "energy")} | {"nparticles": jets.counts}
    of_jets |= {"sdmass": 0.5 * jets.jet["mass"]} | {
        f"tau{i}": np.full(len(jets.counts), 0.3 / i) for i in range(1, 5)
    }
    return columns, {f"jet_{name}": values.astype(np.float32) for name, values in of_jets.items()}


def write_jetclass(path, jets, flags=("label_QCD", "label_Hbb")):
    """Branches vector<float> and flags, tree `tree` (arXiv:2202.03772)."""
    particles, of_jets = jetclass_columns(jets)
    branches = {f"part_{k}": ak.unflatten(np.asarray(v, np.float32), jets.counts) for k, v in particles.items()}
    names = ["QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl"]
    labels = {f"label_{k}": np.array([flags[i] == f"label_{k}" for i in jets.label], np.int32) for k in names}
    columns = branches | of_jets | labels
    with uproot.recreate(path) as file:
        file.mktree(
            "tree",
            {name: values.type if isinstance(values, ak.Array) else values.dtype for name, values in columns.items()},
        )
        file["tree"].extend(columns)


def write_rs3l(path, jets, vartype):
    logarithms = {name: np.log(values) for name, values in (("pt", jets.pt), ("energy", jets.energy))}
    of_jet = {name: np.log(jets.jet[name])[jets.owner] for name in ("pt", "energy")}
    flags = [jets.species == number for number in (22, 13, 11, 211, 130)]
    columns = [logarithms["pt"], logarithms["pt"] - of_jet["pt"], jets.d_eta, jets.d_phi, logarithms["energy"]]
    columns += [logarithms["energy"] - of_jet["energy"], jets.charge, np.tanh(jets.d0), np.tanh(jets.dz)]
    columns += [np.hypot(jets.d_eta, jets.d_phi), *flags]
    with h5py.File(path, "w") as file:
        file["features"] = jets.padded(columns, 100)
        file["truth_label"] = np.repeat(jets.label[::2], 2)[: len(jets.counts)]
        file["jettype"], file["vartype"] = np.ones(len(jets.counts)), np.asarray(vartype)


def write_quark_gluon(path, jets):
    """Rapidities of massless particles, azimuths from 0 to 2 pi, zeros up to the longest jet (energyflow.network)."""
    features = jets.padded([jets.pt, jets.eta, jets.phi % (2 * np.pi), jets.pdg_id], jets.counts.max(), np.float64)
    np.savez_compressed(path, X=features, y=jets.label.astype(np.float64))
