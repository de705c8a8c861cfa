"""Pythia settings of a view. Cards say physics; seeds, beams, event counts and printing belong to the code."""

import re
from pathlib import Path

from resim.card.command_file import settings_of
from resim.card.stages import ShowerSection
from resim.common.errors import InputError

OWNED_BY_THE_CODE = (
    "Beams:",
    "Check:",
    "HadronLevel:all",
    "Init:",
    "LesHouches:",
    "Main:",
    "Next:",
    "PartonLevel:all",
    "Print:",
    "ProcessLevel:",
    "Random:",
    "SLHA:",
    "Stat:",
)
"""Beginnings of settings that a card may not change: they would break seeds, identity or order of events."""

_MODEL = {"simple": 1, "vincia": 2}
"""`PartonShowers:model` of the Pythia manual."""
_SETTING = re.compile(r"[\w*]+(:[\w*]+(\([\w:]*\))?){1,2}( *= *| +)[\w.+*~, {}()-]+", re.ASCII)
"""Name and value; no quotes, slashes or colons, with which a value could name a library (as in LHAPDF6:SET)."""
PHYSICS = frozenset(
    [
        "beamremnants",
        "boseeinstein",
        "bottomoniumshower",
        "charmoniumshower",
        "closepacking",
        "colourreconnection",
        "deuteronproduction",
        "diffraction",
        "fragmentation",
        "fragmentationsystems",
        "hadronlevel",
        "hadronvertex",
        "hiddenvalley",
        "ministringfragmentation",
        "multipartoninteractions",
        "oniashower",
        "particledata",
        "particledecays",
        "partonlevel",
        "partonshowers",
        "partonvertex",
        "pdf",
        "photon",
        "photonphoton",
        "rescattering",
        "resonancewidths",
        "rhadrons",
        "ropewalk",
        "sigmacombined",
        "sigmadiffractive",
        "sigmaelastic",
        "sigmaprocess",
        "sigmatotal",
        "spaceshower",
        "standardmodel",
        "stringflav",
        "stringfragmentation",
        "stringpt",
        "stringz",
        "taudecays",
        "timeshower",
        "topthreshold",
        "tune",
        "vincia",
        "weakshower",
    ]
)
"""Categories of settings that a card may make, in lower case (Pythia 8.317 manual), beside those of particle data."""
_MODELS = frozenset(
    [
        "dm",
        "fourthgeneration",
        "higgs",
        "higgsa3",
        "higgsh1",
        "higgsh2",
        "higgshchg",
        "sdm",
        "weakz0",
        "wprime",
        "zp",
        "zprime",
    ]
)
"""Categories of parameters that only hard processes have, in lower case."""
_FILE_SETTING = re.compile(r"(file|path|dir|plugin|plugins)$|LHAPDF", re.IGNORECASE)
_PROCESS = re.compile(
    r"(HardQCD|SoftQCD|LowEnergyQCD|PromptPhoton|WeakBosonExchange|WeakSingleBoson|WeakDoubleBoson|WeakBosonAndParton"
    r"|PhotonCollision|PhotonParton|Onia|Charmonium|Bottomonium|Top|FourthBottom|FourthTop|FourthPair|HiggsSM|HiggsBSM"
    r"|SUSY|NewGaugeBoson|LeftRightSymmmetry|LeptoQuark|ExcitedFermion|ContactInteractions|ExtraDimensions\w*"
    r"|DM|SecondHard|PhaseSpace|Merging|JetMatching|HeavyIon|Angantyr)\s*:"
    r"|HiddenValley:(all|gg2|qqbar2|ffbar2)",
    re.IGNORECASE,
)
"""Hard processes and what replaces or merges them (Pythia manual, Process Selection)."""
_WEIGHTED = re.compile(
    r"(Enhancements|EnhancedSplittings|UncertaintyBands|VariationFrag|Variations|OverlapWeights)\s*:|Vincia:enhance"
    r"|(TimeShower|SpaceShower):(enhanceScreening|enhance)",
    re.IGNORECASE,
)
"""What makes Pythia weight its events, which views do not store."""
_NO_FILE = re.compile(r":bProfile$|:boostDir$", re.IGNORECASE)


def shower_lines(shower: ShowerSection) -> tuple[str, ...]:
    """Settings of a shower, one `readString` each: the card's lines, the model, more settings, the scale factors.

    `renormMultFac` multiplies the squared scale, so it is the square of the factor on mu_R (Pythia manual,
    Timelike Showers).

    Raises:
        InputError: the card cannot be read or sets what belongs to the code.
    """
    lines = read_cmnd(shower.card) if shower.card else []
    for number, line in enumerate(shower.settings, 1):
        require_physics(line.strip(" "), Path("shower.settings"), number)
    lines += [f"PartonShowers:model = {_MODEL[shower.model]}"] if shower.model != "simple" else []
    lines += [line.strip(" ") for line in shower.settings]
    for name, factor in (("TimeShower", shower.mu_r_fsr), ("SpaceShower", shower.mu_r_isr)):
        setting = f"{name}:renormMultFac"
        if factor != 1.0 and any(line.lower().startswith(setting.lower()) for line in lines):
            raise InputError(f"{setting} is set, and a factor on mu_R too, which would replace it; use one of them")
    if shower.mu_r_fsr != 1.0:
        lines.append(f"TimeShower:renormMultFac = {shower.mu_r_fsr**2!r}")
    if shower.mu_r_isr != 1.0:
        lines.append(f"SpaceShower:renormMultFac = {shower.mu_r_isr**2!r}")
    return tuple(lines)


def read_cmnd(path: Path) -> list[str]:
    """The settings of a Pythia command file without comments and blank lines.

    Raises:
        InputError: names file and line of a setting that a card may not make.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want a Pythia command file") from error
    lines = []
    for number, line in settings_of(text, path):
        require_physics(line, path, number)
        lines.append(line)
    return lines


def require_physics(line: str, path: Path, number: int, *, processes: bool = False) -> None:
    """Check a setting before Pythia sees it: printable, NAME = VALUE, physics, and no file or library.

    Args:
        line: the setting.
        path: where it stands, for the message.
        number: its line there.
        processes: whether it may choose hard processes; those of a shower are the LHE file's.

    Raises:
        InputError: names the place, `path` and line `number`, and the setting.
    """
    place = f"{path}:{number}"
    no_setting = f"{place}: {line[:80]!a} is no setting; want NAME = VALUE without quotes, slashes and colons"
    if not (line.isascii() and line.isprintable()):
        raise InputError(no_setting)
    name = re.split(r"[\s=]", line, maxsplit=1)[0]
    for owned in OWNED_BY_THE_CODE:
        if name.lower().startswith(owned.lower()):
            raise InputError(f"{place}: sets {name}, which resim controls; cards set physics only, remove it")
    if _FILE_SETTING.search(name) and not _NO_FILE.search(name):
        raise InputError(f"{place}: {name} names a file; cards set physics only, remove it")
    if _WEIGHTED.match(name):
        raise InputError(f"{place}: sets {name}: events would have weights, which views do not keep; remove it")
    if not processes and _PROCESS.match(name):
        raise InputError(f"{place}: sets {name}, but the hard scatter is that of the LHE file; remove it")
    if _SETTING.fullmatch(line) is None:
        raise InputError(
            f"{place}: {line[:80]!r} is no setting; want NAME = VALUE without quotes, slashes and colons"
        )
    category = name.split(":", 1)[0].lower()
    of_a_process = processes and (category in _MODELS or _PROCESS.match(name))
    if not (category.isdigit() or category in PHYSICS or of_a_process):
        raise InputError(
            f"{place}: {name} is none of the settings that a card may make (docs/security.md); remove it"
        )
