"""Section `training`: how it is optimized."""

from typing import Final, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from resim.common.cards import CardModel
from resim.common.limits import EPOCHS, SEED, THREADS

WITHOUT_EFFECT: Final = ("devices", "checkpoint_steps", "checkpoint_minutes", "logger")
"""Keys that change no weight: a training goes on with other ones."""


class TrainingCard(CardModel):
    """How it is optimized."""

    @field_validator("devices")
    @classmethod
    def _different(cls, devices: str | int | tuple[int, ...]) -> str | int | tuple[int, ...]:
        if isinstance(devices, tuple) and (not devices or len(set(devices)) < len(devices)):
            raise ValueError(f"devices {list(devices)}: want numbers of GPUs, each once")
        return devices

    epochs: int = Field(20, ge=1, le=EPOCHS)
    learning_rate: float = Field(1e-3, gt=0)
    """peak, reached after the warm-up"""
    weight_decay: float = Field(0.01, ge=0)
    layer_decay: float | None = Field(None, gt=0, lt=1)
    """factor on the rate of an encoder for each layer further down (LLRD), 0.65 to 0.95 where it is used; null: one
    rate for all"""
    rates: dict[str, PositiveFloat] = Field({})
    """factors on the rates of modules, as {projector: 10, encoder.blocks.0: 0.1}; the longest name counts"""
    schedule: Literal["cosine", "one_cycle", "flat_decay"] = "cosine"
    """`cosine`: a linear rise from zero, then half a cosine to zero; `one_cycle`: half a cosine from 1/25 to the
    peak, then half a cosine down to nothing; `flat_decay`: a linear rise, the peak for 70 % of the steps, then an
    exponential fall to 1 %, as the Particle Transformer is trained (there with `warmup: 0`)"""
    warmup: float = Field(0.1, ge=0, lt=1)
    """share of all steps in which the rate rises"""
    gradient_clip: float | None = Field(1.0, gt=0)
    """largest norm of the gradient; null: any"""
    wrong_steps: int = Field(5, ge=1)
    """steps in a row with a gradient that is not finite, which change nothing, after which the training gives up"""
    ema: float | None = Field(None, gt=0, lt=1)
    """decay per step of the exponential moving average of the weights that is validated and saved; null: none"""
    checkpoint_steps: int | None = Field(None, ge=1)
    """steps after which the training is saved within an epoch, too; null: after epochs only"""
    checkpoint_minutes: float | None = Field(None, gt=0)
    """minutes after which it is; both may be given"""
    logger: Literal["tensorboard", "wandb"] = "tensorboard"
    """`wandb`: Weights & Biases, beside TensorBoard; its own variables (WANDB_PROJECT, WANDB_MODE) say where"""
    patience: int | None = Field(None, ge=1, le=EPOCHS)
    """epochs without a lower validation loss after which the training ends; null: never"""
    seed: int = Field(1, ge=0, le=SEED)
    """of the initial weights, the order of rows, the choice of views and the augmentations"""
    devices: Literal["auto", "cpu"] | PositiveInt | tuple[NonNegativeInt, ...] = "auto"
    """`auto`: all GPUs of the machine, or without one a process on the CPU; `cpu`; how many GPUs, or without one
    processes on the CPU; or numbers of GPUs, as [0, 2]. Each has a process of its own. Several machines: `torchrun`,
    or Slurm's `srun`, whose processes take the first devices of this choice"""
    threads: int = Field(2, ge=1, le=THREADS)
    """CPU threads of torch, of each process"""
    precision: Literal["single", "double", "bf16"] = "single"
    """`single`, or `double` to compare trainings, of weights and features; `bf16`: products of matrices in bfloat16,
    everything else in single precision; slower than `single` on CPUs without units for it"""
    deterministic: bool = False
    """only kernels with a fixed order of sums: the same bits again on the same GPUs; on CPUs always so"""
    compile: bool = False
    """the encoder by `torch.compile`; needs a C++ compiler, and minutes before the first steps"""
