"""How to make a pair file again, as text: a generation card, with the commands and the files that it takes."""

import shlex
from pathlib import Path

import yaml

from resim.card.generation_card import GenerationCard
from resim.card.view_plan import plan_from_records
from resim.common.cards import parse_card
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile


def recipe(path: Path) -> str:
    """A generation card with everything written out, headed by the commands, files, versions and digest as comments.

    Raises:
        InputError: the file cannot be read.
    """
    with PairFile(path) as file:
        provenance, files, rounded = file.provenance, _files(file), file.rounded
    arguments = _import_arguments(provenance, path.name) if provenance.imported else _arguments(provenance, path.name)
    image = f"resim-jets:{provenance.versions.get('resim', 'unknown').replace('+', '-')}"
    lines = [
        f"{path.name}, made {provenance.created}; digest {digest(path)}",
        *(f"with {name} {version}" for name, version in sorted(provenance.versions.items())),
        f"commit {provenance.commit or 'unknown'}{' and changes' if provenance.dirty else ''}",
        *(f"from {name}, SHA-256 {sha256}" for name, sha256 in files.items()),
        f"again: {shlex.join(['resim', *arguments])}",
        f'again: docker run --rm -v "$PWD:/data" -w /data {image} {shlex.join(arguments)}',
    ]
    if rounded:
        lines.append(f"then, as constituents are rounded: resim merge {shlex.quote(path.name)} -o NEW.h5 --round")
    if not provenance.imported:
        lines.append(
            f"again, from what the file says, and compared: resim reproduce {shlex.quote(path.name)} -o NEW.h5"
        )
    card = yaml.safe_dump(provenance.card, sort_keys=False, allow_unicode=True)
    return "".join(f"# {line}\n" for line in lines) + card


def stored_card(provenance: Provenance, path: Path) -> GenerationCard:
    """The card that a pair file was made from.

    Raises:
        InputError: it is damaged, of another version, or of other sources; or the jets were imported.
    """
    if provenance.imported:
        raise InputError(
            f"{path}: its jets were imported, no card made them; `resim provenance` says how they were read"
        )
    card = parse_card(GenerationCard, provenance.card, path)
    if len(card.sources) != len(provenance.sources):
        raise InputError(
            f"{path}: its card has {len(card.sources)} sources, its provenance {len(provenance.sources)}; generate"
            " the file again"
        )
    return card


def _arguments(provenance: Provenance, name: str) -> list[str]:
    arguments = ["generate", "card.yaml", "-o", name, "--seed", str(provenance.seed)]
    if provenance.n_events is not None:
        arguments += ["-n", str(provenance.n_events)]
    if provenance.shard != "1/1":
        arguments += ["--shard", provenance.shard]
    if any(source.bad_events for source in provenance.sources):
        arguments += ["--skip-bad-events"]
    return arguments


def _import_arguments(provenance: Provenance, name: str) -> list[str]:
    limit = ["-n", str(provenance.n_events)] if provenance.n_events is not None else []
    return ["import", *(source.lhe for source in provenance.sources), "--columns", "card.yaml", "-o", name, *limit]


def _files(file: PairFile) -> dict[str, str]:
    """Input files by their path at that time, and their SHA-256."""
    found = {source.lhe: source.sha256 for source in file.provenance.sources}
    made = any(view.settings for view in file.views)  # not toys, which no generator made
    for detector in (view.detector for view in (plan_from_records(file.views) if made else ())):
        if detector is not None:
            found[str(detector.stage.card_path)] = detector.sha256
            if pileup := detector.stage.pileup:
                found[str(pileup.pool)] = detector.pool_sha256
    return found
