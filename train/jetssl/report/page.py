"""The page: gather what runs and pair files say about themselves, draw, and fill the template."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from jetssl.config.card import Card
from jetssl.evaluation.compare import compare
from jetssl.evaluation.finetune import FITS_FILE
from jetssl.evaluation.results import fitting_records, read_curves, read_results
from jetssl.evaluation.table import PROBES, TableBlock, header, table_rows, weights_note
from jetssl.evaluation.trained import HEAD_FILE
from jetssl.report.anomaly import anomaly_section, is_anomaly
from jetssl.report.comparison import comparison_section
from jetssl.report.cwola import is_scan, scan_section
from jetssl.report.figures import loss_curve, pair_figures, roc_figures
from jetssl.report.geometry import geometry_section, is_geometry
from jetssl.report.robustness import is_robustness, robustness_section
from jetssl.report.section import Facts, PageSection, embedded, write_page
from jetssl.report.weak import is_weak, weak_section
from jetssl.training.provenance import ImportRecord, RunProvenance
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile


def write_report(inputs: Sequence[Path], output: Path) -> None:
    """Write a page about runs, what evaluations wrote (folders) and pair files, in the order given.

    Raises:
        InputError: an input is neither, or a run has not finished an epoch.
    """
    with TemporaryDirectory() as scratch:
        sections = [_section(path, Path(scratch) / str(index)) for index, path in enumerate(inputs)]
    write_page(sections, output)


def _section(path: Path, scratch: Path) -> PageSection:
    if not path.is_dir():
        return _file_section(path, scratch)
    with fitting_records(path):
        return _folder_section(path, scratch)


def _folder_section(path: Path, scratch: Path) -> PageSection:
    if (path / FITS_FILE).is_file():
        return comparison_section(compare([path]), path.resolve().name, scratch)
    if (path / HEAD_FILE).is_file():
        raise InputError(f"{path}: one fit of a fine-tuning; report all of them, the folder {path.parent}")
    if is_weak(path):
        return weak_section(path, scratch)
    if is_scan(path):
        return scan_section(path, scratch)
    if is_anomaly(path):
        return anomaly_section(path, scratch)
    if is_geometry(path):
        return geometry_section(path, scratch)
    return robustness_section(path, scratch) if is_robustness(path) else _run_section(RunFolder(path), scratch)


def _run_section(run: RunFolder, scratch: Path) -> PageSection:
    card, provenance = run.load_card(), run.load_provenance()
    imported = provenance.imported
    if imported is None and not run.metrics.is_file():
        raise InputError(f"{run.path}: no epoch is finished; go on with `jetssl train`")
    scratch.mkdir(parents=True)
    figures = [] if imported else [loss_curve(run, scratch)]
    tables = [] if imported else [_split_table(provenance, card)]
    if run.results.is_file():
        results = read_results(run.results)
        first = results[0]
        name, how = PROBES[first.method]
        layer = "" if first.layer == "encoder" else f" on {first.layer}"
        caption = (
            f"Frozen encoder{layer}, {how}; {first.n_test} test jets of view {first.view} from hard scatters"
            f" that no training saw. Mean of {first.n_draws} draws of labels (and of fresh random encoders). ± is one"
            " standard deviation from draws and test set together (bootstrap over both); ΔAUC is the pre-trained"
            " encoder minus the input of the row, same labels and test jets in every draw, with the error of the"
            " paired difference. [ ] is the 68 % binomial interval of the background count at the cut as it is."
            f" Jet features: soft-drop mass, mass, multiplicity and pT{weights_note(first)}."
        )
        title = f"{name}{layer}: {first.task.replace('_vs_', ' vs ')}"
        tables.insert(0, TableBlock(title, header(results), table_rows(results), caption))
        figures += roc_figures(read_curves(run.roc), scratch)
    return PageSection(
        title=run.path.resolve().name,
        kind="imported weights" if imported else "training run",
        facts=_import_facts(imported, provenance) if imported else _run_facts(provenance, card.training.epochs),
        tables=tables,
        pictures=[embedded(figure) for figure in figures],
        card=card.to_yaml(),
    )


def _import_facts(imported: ImportRecord, provenance: RunProvenance) -> Facts:
    return [
        ("program", imported.program),
        ("file", f"{Path(imported.path).name} (SHA-256 {imported.sha256[:12]})"),
        ("parameters", _parameters(provenance)),
        ("imported", provenance.started),
        ("versions", _joined(provenance.versions)),
        ("commit", _commit(provenance.commit, provenance.dirty)),
    ]


def _parameters(provenance: RunProvenance) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in provenance.parameters.items())


def _run_facts(provenance: RunProvenance, epochs: int) -> Facts:
    state = f"finished {provenance.finished}" if provenance.finished else "not finished"
    resumed = f", resumed {provenance.resumed} times" if provenance.resumed else ""
    files = "; ".join(f"{Path(file.path).name} (digest {file.digest[:12]})" for file in provenance.files)
    return [
        ("pair files", files),
        ("views", ", ".join(provenance.views)),
        ("parameters", _parameters(provenance)),
        ("epochs", str(epochs)),
        ("seed", str(provenance.seed)),
        ("state", f"started {provenance.started}, {state}{resumed}"),
        ("time", f"{provenance.seconds:.0f} s"),
        ("versions", _joined(provenance.versions)),
        ("commit", _commit(provenance.commit, provenance.dirty)),
    ]


def _split_table(provenance: RunProvenance, card: Card) -> TableBlock:
    rows = [
        (title, *(f"{count:,}" for count in counts.model_dump().values()))
        for title, counts in (("rows", provenance.rows), ("that can train", provenance.pair_rows))
    ]
    header = ("", "train", "validation", "test")
    return TableBlock("Split by hard scatter", header, rows, f"Rows that can train have {card.needed_views}.")


def _file_section(path: Path, scratch: Path) -> PageSection:
    with PairFile(path) as file:
        provenance = file.provenance
        freeze = {view.name: (view.parent or "", view.freeze or "") for view in file.views}
        weights = (
            "differ; they count unless `data.weights` of a training says otherwise"
            if file.weights_differ
            else "equal"
        )
    return PageSection(
        title=path.name,
        kind="pair file",
        facts=[*_file_facts(provenance), ("weights of events", weights)],
        tables=[_source_table(provenance), _view_table(provenance, freeze)],
        pictures=[embedded(figure) for figure in pair_figures(path, scratch)],
        card=yaml.safe_dump(provenance.card, sort_keys=False),
    )


def _file_facts(provenance: Provenance) -> Facts:
    return [
        ("seed", str(provenance.seed)),
        ("detector", "none (particle level)" if provenance.detector == "none" else provenance.detector),
        ("created", provenance.created),
        ("time", f"{provenance.seconds:.0f} s of worker time, {provenance.workers} workers"),
        ("versions", _joined(provenance.versions)),
        ("commit", _commit(provenance.commit, provenance.dirty)),
    ]


def _source_table(provenance: Provenance) -> TableBlock:
    header = ("source", "generator", "events", "partons of the kind", "rejected", "rows", "SHA-256")
    rows = []
    for source in provenance.sources:
        counts = source.counts
        numbers = (f"{counts.events:,}", f"{counts.partons:,}", _reasons(counts.rejected), f"{counts.rows:,}")
        rows.append((source.lhe, source.generator, *numbers, source.sha256[:12]))
    return TableBlock("Hard scatters in and out", header, rows)


def _view_table(provenance: Provenance, freeze: dict[str, tuple[str, str]]) -> TableBlock:
    header = ("view", "from", "shares up to", "rows with a jet", "lost", "retries")
    rows = [
        (name, *freeze[name], f"{counts.valid:,}", _reasons(counts.lost), str(counts.retries))
        for name, counts in provenance.views.items()
    ]
    return TableBlock("Views", header, rows)


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in counts.items()) or "0"


def _joined(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _commit(commit: str | None, dirty: bool | None) -> str:
    return "not in a checkout" if commit is None else commit[:12] + (" with local changes" if dirty else "")
