"""The process card: which hard scatters `resim hard-scatter` makes, with which program, and what they must fulfil."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from resim.card.pythia_settings import require_physics
from resim.common.cards import CardModel, find_file, parse_card, read_yaml
from resim.common.errors import InputError

_MG5_COMMANDS: Final = ("import", "define", "generate", "add")
_MG5_OWNED: Final = ("nevents", "iseed", "custom_fcts", "run_tag")
_MODEL: Final = re.compile(r"import model [\w.-]+( --modelname)?", re.ASCII)
_MG5_OPTIONS: Final = (
    "complex_mass_scheme",
    "gauge",
    "group_subprocesses",
    "ignore_six_quark_processes",
    "max_npoint_for_channel",
    "nb_core",
    "run_mode",
    "zerowidth_tchannel",
)
"""Options of MadGraph that name no program, folder or address."""
_COMPILERS: Final = {"fortran_compiler": ("gfortran", "ifort", "ifx"), "cpp_compiler": ("g++", "clang++", "icpx")}
_MG5_CUT: Final = re.compile(r"(pt|eta|dr|mm|ht|xpt|xet|mxx|miss)\w*|e[jbal](max)?")
_PYTHIA_CUT: Final = re.compile(r"PhaseSpace:\w+(Min|Max)", re.IGNORECASE)
_NO_PROCESS: Final = ("TimeShower:", "SpaceShower:", "PartonLevel:", "HadronLevel:", "SoftQCD:")
"""Settings without effect on a hard process, or that make none."""


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip() or ";" in text:
        raise ValueError("must be one command of printable characters, without `;`")
    return " ".join(text.split())


Line = Annotated[str, AfterValidator(_one_line)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Value = Annotated[bool | int | float | Line, Field()]


class Requirement(CardModel):
    """What every outgoing particle or resonance of these kinds must fulfil, checked on the finished events.

    Generators have cuts that do nothing for some processes and do not say so.
    """

    pdg_ids: tuple[PositiveInt, ...] = Field(min_length=1)
    """|PDG id| of the particles: particle and antiparticle are treated alike"""
    pt_min: float = Field(0.0, ge=0)
    """GeV"""
    pt_max: PositiveFloat | None = None
    """GeV; None for no upper limit"""
    abs_eta_max: PositiveFloat | None = None
    """pseudorapidity; None for no limit"""


class ProcessCard(CardModel):
    """What the cards of all backends have in common."""

    n_events: int = Field(10_000, ge=1)
    """events to make, unless `--n-events` says otherwise"""
    require: tuple[Requirement, ...] = ()


class PythiaProcess(ProcessCard):
    """Pythia's internal hard processes, proton on proton."""

    backend: Literal["pythia"] = "pythia"
    e_cm: float = Field(13_000.0, gt=0)
    """centre-of-mass energy of the beams, GeV"""
    settings: tuple[Line, ...] = Field(min_length=1)
    """Pythia settings: physics only, as in `HardQCD:all = on`"""

    @property
    def beam_energies(self) -> tuple[float, float]:
        """Energies of the two beams in GeV."""
        return self.e_cm / 2, self.e_cm / 2

    @model_validator(mode="after")
    def _about_the_process(self) -> Self:
        for number, line in enumerate(self.settings, 1):
            require_physics(line, Path("settings"), number, processes=True)
            if useless := [name for name in _NO_PROCESS if line.lower().startswith(name.lower())]:
                raise ValueError(f"settings:{number}: {useless[0]} has no effect on a hard process; remove {line!r}")
            if _PYTHIA_CUT.match(line) and not self.require:
                raise ValueError(f"settings:{number}: {line!r} has no effect on some processes; {_ADD_REQUIRE}")
        return self


class MadGraphProcess(ProcessCard):
    """A process for MadGraph5_aMC@NLO at leading order."""

    backend: Literal["madgraph"]
    process: tuple[Line, ...] = Field(min_length=1)
    """commands of MadGraph: import, define, generate, add"""
    run_card: dict[Word, Value] = Field(default_factory=dict)
    """settings of the run card, as in `ptj: 300`; number of events and seed come from the command line"""
    custom_fcts: Path | None = None
    """Fortran file with the user's own cuts, MadGraph's run card setting of that name"""
    options: dict[Word, Value] = Field(default_factory=dict)
    """options of MadGraph itself, as in `nb_core: 4`"""

    @property
    def beam_energies(self) -> tuple[float, float]:
        """Energies of the two beams in GeV; MadGraph's default is 6500."""
        a, b = (self.run_card.get(name, 6500.0) for name in ("ebeam1", "ebeam2"))
        return float(a), float(b)

    @model_validator(mode="after")
    def _commands(self) -> Self:
        for line in self.process:
            if line.split(maxsplit=1)[0] not in _MG5_COMMANDS:
                raise ValueError(f"process: {line!r} is none of {', '.join(_MG5_COMMANDS)}; remove it")
            if line.startswith("import") and not _MODEL.fullmatch(line):
                raise ValueError(
                    f"process: {line!r}: of import only `import model NAME` may stand here, without a path"
                )
            if re.match(r"import model heft\b", line):
                raise ValueError(
                    "process: MadGraph does not ship the model heft; use 'import model sm' and 'add model hgg_plugin'"
                )
        if not any(line.startswith("generate ") for line in self.process):
            raise ValueError("process: has no line 'generate ...'; add one")
        return self

    @model_validator(mode="after")
    def _no_programs(self) -> Self:
        for name, value in self.options.items():
            if name in _COMPILERS and value not in _COMPILERS[name]:
                raise ValueError(f"options.{name}: {value!r}: want one of {', '.join(_COMPILERS[name])}")
            if name not in _COMPILERS and name not in _MG5_OPTIONS:
                raise ValueError(f"options.{name}: want one of {', '.join((*_MG5_OPTIONS, *_COMPILERS))}")
        for name, value in self.run_card.items():
            if name == "bias_module" or (isinstance(value, str) and "/" in value):
                raise ValueError(f"run_card.{name}: {value!r} names a file; remove it")
        return self

    @model_validator(mode="after")
    def _cuts(self) -> Self:
        decays = any("," in line for line in self.process)
        for name, value in self.run_card.items():
            if name in _MG5_OWNED:
                raise ValueError(f"run_card.{name}: is set by resim (-n, --seed, `custom_fcts`); remove it")
            if name.startswith("ebeam") and (isinstance(value, bool | str) or not 0 < value <= 1e6):
                raise ValueError(f"run_card.{name}: {value!r} must be an energy in GeV, above 0 and at most 1e6")
            if name.endswith("_pdg") and decays:
                raise ValueError(
                    f"run_card.{name}: does nothing for resonances that decay in the process; cut with `custom_fcts`"
                )
            if _MG5_CUT.fullmatch(name) and not self.require:
                raise ValueError(f"run_card.{name}: MadGraph ignores cuts that do not fit; {_ADD_REQUIRE}")
        if self.custom_fcts is not None and not self.require:
            raise ValueError(f"custom_fcts: {_ADD_REQUIRE}")
        return self


_ADD_REQUIRE: Final = "say under `require` what the events must fulfil, as in {pdg_ids: [25], pt_min: 300}"


def load_process_card(path: Path) -> PythiaProcess | MadGraphProcess:
    """Read and check a process card.

    Raises:
        InputError: missing file, YAML error, unknown key or backend, value out of range, or a cut without a check.
    """
    data = read_yaml(path)
    backend = data.get("backend", "pythia") if isinstance(data, dict) else "pythia"
    if backend == "pythia":
        return parse_card(PythiaProcess, data, path)
    if backend != "madgraph":
        raise InputError(f"{path}: backend: {backend!r:.40}: must be 'pythia' or 'madgraph'")
    card = parse_card(MadGraphProcess, data, path)
    if card.custom_fcts is None:
        return card
    return card.model_copy(update={"custom_fcts": find_file(card.custom_fcts, path).absolute()})
