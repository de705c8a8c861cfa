"""The evaluation card: what the commands from `jetssl probe` to `compare` are asked.

A section for each command; its keys are the options of the command, whose defaults and help stand here.
"""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from jetssl.config.sections import Section, TaskSection
from resim.common.cards import CardModel, find_file, parse_card, read_yaml
from resim.common.errors import InputError

ProbeInput = Literal["random", "features", "wide_features", "constituents", "images", "efp"]
"""What a probe reads beside the pre-trained encoder's vectors."""
ProbeMethod = Literal["linear_probe", "knn"]
AnomalyScore = Literal["norm", "mahalanobis", "knn", "autoencoder", "flow", "supervised"]
CwolaInput = Literal["random", "features"]
"""What a search without labels reads beside the pre-trained encoder's vectors."""
Mode = Literal["frozen", "full", "lora", "scratch", "scratch-views"]
"""What a fine-tuning trains."""
HeadName = Literal["linear", "rs3l", "rs3l-mlp", "resim"]
TSNE_SEED: Final = 2**32 - 1
"""Largest seed that scikit-learn's t-SNE takes."""
JudgedHead = Literal["trained", "probe"]
"""Whose scores `evaluate` judges."""


class ProbeCard(TaskSection):
    """What `jetssl probe` is asked."""

    baseline: tuple[ProbeInput, ...] = ("random", "features")
    """Other input of the same classifier."""
    embedding: tuple[Path, ...] = ()
    """File of vectors that another program computed (.h5, .npz, .parquet), judged beside the run."""
    method: ProbeMethod = "linear_probe"
    """Classifier."""
    layer: str = "encoder"
    """Whose vectors: encoder; or projector.1, projector.2 ..."""


ENCODER_RATE: Final = 1e-4
"""Peak learning rate of a pre-trained encoder in mode full, unless another one is asked for."""


class FineTuneCard(TaskSection):
    """What `jetssl finetune` is asked."""

    mode: tuple[Mode, ...] = Field(("frozen", "full", "scratch"), min_length=1)
    """What is trained beside the head."""
    head: HeadName = "linear"
    """What is trained for the task; all but `linear` read the projector's output."""
    seeds: int = Field(5, ge=2)
    """Draws of labels, each with fresh weights."""
    steps: int = Field(300, ge=1)
    """Of one fit, at most."""
    encoder_rate: float = Field(ENCODER_RATE, gt=0, le=1)
    """Peak learning rate of the pre-trained encoder in mode full; 1e-3 is that of a fresh one."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on it for each layer further down, 0.65 to 0.95 where it is used; 1: one rate for all."""

    @model_validator(mode="after")
    def _rates_are_of_full(self) -> "FineTuneCard":
        if "full" not in self.mode and (self.encoder_rate, self.layer_decay) != (ENCODER_RATE, 1.0):
            raise ValueError(
                "encoder_rate and layer_decay are those of mode full, which is not asked for: add it, or omit them"
            )
        return self


class EvaluateCard(Section):
    """What `jetssl evaluate` is asked."""

    data: tuple[Path, ...] = ()
    """Pair file; default: those that the run was trained on."""
    signal: tuple[str, ...] = ()
    """Signal class; default: those of the training."""
    background: tuple[str, ...] = ()
    """Background class; default: those of the training."""
    view: tuple[str, ...] = ()
    """View to compare with the root view; default: all."""
    head: JudgedHead = "trained"
    """Its own, or a linear probe of its encoder on all labels."""
    logit: str = ""
    """Outputs of the head whose difference is the score, e.g. Hbb-QCD; default: those of the classes."""
    reference: str = ""
    """Name of the run that ratios are to; default: the first."""
    seed: int = Field(1, ge=0)
    """Of errors and null values."""
    unweighted: bool = False
    """Count each jet once where weights of events differ."""

    @property
    def logit_names(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Outputs for and against, of `A+B-C`; None if the classes choose them.

        Raises:
            InputError: it is no difference of two sides, or no trained head is judged.
        """
        if not self.logit:
            return None
        if self.head != "trained":
            raise InputError(f"--logit {self.logit}: chooses outputs of a trained head; leave out --head {self.head}")
        sides = [tuple(side.split("+")) for side in self.logit.split("-")]
        if len(sides) != 2 or not all(map(all, sides)):
            raise InputError(f"--logit {self.logit}: want outputs for and against, as Hbb-QCD or Hbb+Hcc-QCD")
        return sides[0], sides[1]


class GeometryCard(Section):
    """What `jetssl geometry` is asked."""

    view: tuple[str, ...] = ()
    """View to look at, two at least; default: all."""
    layer: str = "encoder"
    """Whose vectors: encoder; or projector.1, projector.2 ..."""
    rows: int = Field(2000, ge=20)
    """Test rows, at most; each is compared with every other one."""
    seed: int = Field(1, ge=0, le=TSNE_SEED)
    """Of rows and errors."""


class AnomalyCard(Section):
    """What `jetssl anomaly` is asked."""

    data: tuple[Path, ...] = ()
    """Pair file; default: those of the training."""
    signal: tuple[str, ...] = ()
    """Anomalous class, each judged alone; default: all that do not start with 'qcd'."""
    background: tuple[str, ...] = ()
    """Background class; default: all that start with 'qcd'."""
    view: str = ""
    """View whose jets are scored; default: the root view."""
    score: tuple[AnomalyScore, ...] = Field(("norm", "mahalanobis", "knn", "autoencoder", "supervised"), min_length=1)
    """How unlike background a jet is; flow asks for the extra of that name; supervised: a regression that knows the
    anomalies, for comparison."""
    baseline: tuple[ProbeInput, ...] = ("random", "features", "wide_features")
    """Other input of the same scores."""
    draws: int = Field(5, ge=2)
    """Autoencoders, flows, and random encoders."""
    match_kinematics: bool = False
    """Weight anomalous jets to the pT and |eta| of background."""
    unweighted: bool = False
    """Count each jet once where weights of events differ."""
    seed: int = Field(1, ge=0)
    """Of draws and errors."""


class CwolaCard(Section):
    """What `jetssl cwola` is asked."""

    data: tuple[Path, ...] = ()
    """Pair file; default: those of the training, of which the test split is searched."""
    signal: tuple[str, ...] = ()
    """Class of the resonance's jets; default: all that do not start with 'qcd'."""
    background: tuple[str, ...] = ()
    """Class of other jets; default: all that start with 'qcd'."""
    view: str = ""
    """View whose jets are searched; default: the root view."""
    window: str = ""
    """GeV: start of the lower sideband, signal region, end of the upper sideband, e.g. 1000,1200,1400,1800."""
    delta_eta: float = Field(1.3, gt=0)
    """Largest distance of the jets in eta."""
    injected: str = "0,25,50,75,100"
    """Signal events in the window, one scan over all of these."""
    sample: float = Field(0.5, gt=0, le=1)
    """Share of the background events that each repetition draws."""
    efficiency: float = Field(0.05, gt=0, lt=1)
    """Share of the sidebands' events that the cut keeps."""
    repetitions: int = Field(20, ge=2)
    """Draws of events for each number of injected ones."""
    baseline: tuple[CwolaInput, ...] = ("random", "features")
    """Other input of the same search; features: soft-drop mass, mass, multiplicity, tau21, tau32."""
    seed: int = Field(1, ge=0)
    """Of draws and folds."""

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """`window` as numbers.

        Raises:
            InputError: it is not four numbers.
        """
        try:
            low, start, stop, high = (float(word) for word in self.window.split(","))
        except ValueError:
            raise InputError(f"--window {self.window!r}: want four numbers, as 1000,1200,1400,1800") from None
        return low, start, stop, high

    @property
    def signal_counts(self) -> tuple[int, ...]:
        """`injected` as numbers.

        Raises:
            InputError: it is something else.
        """
        words = self.injected.split(",")
        if not all(word.isdecimal() for word in words):
            raise InputError(f"--injected {self.injected!r}: want whole numbers, as 0,50,100")
        return tuple(dict.fromkeys(int(word) for word in words))


class CompareCard(Section):
    """What `jetssl compare` is asked."""

    reference: str = ""
    """Row that differences are to; default: the first."""
    metric: tuple[str, ...] = Field(("auc", "rejection_at_0.5"), min_length=1)
    """Which figures; * stands for any characters."""
    any_features: bool = False
    """Also runs that read different features."""


class EvaluationCard(CardModel):
    """The same questions to every encoder: a section for each command, with its options as keys."""

    probe: ProbeCard | None = None
    finetune: FineTuneCard | None = None
    evaluate: EvaluateCard | None = None
    geometry: GeometryCard | None = None
    anomaly: AnomalyCard | None = None
    cwola: CwolaCard | None = None
    compare: CompareCard | None = None


def load_section(path: Path, command: str) -> dict[str, Any]:
    """What the card says to a command: the keys that stand in its section, files found.

    Raises:
        InputError: unreadable card, unknown key, bad value, a file that is not found, or no such section.
    """
    section: Section | None = getattr(parse_card(EvaluationCard, read_yaml(path), path), command)
    if section is None:
        raise InputError(f"{path}: has no section `{command}`; add it, or leave out --card")
    given = section.model_dump(exclude_unset=True)
    for key in {"data", "embedding"} & given.keys():
        given[key] = tuple(find_file(name, path).resolve() for name in given[key])
    return given
