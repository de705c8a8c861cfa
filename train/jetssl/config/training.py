"""Section `training`: how it is optimized."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from resim.common.cards import CardModel
from resim.common.limits import EPOCHS, SEED, THREADS


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
    schedule: Literal["cosine", "one_cycle"] = "cosine"
    """`cosine`: a linear rise from zero, then half a cosine to zero; `one_cycle`: half a cosine from 1/25 to the
    peak, then half a cosine down to nothing"""
    warmup: float = Field(0.1, ge=0, lt=1)
    """share of all steps in which the rate rises"""
    gradient_clip: float | None = Field(1.0, gt=0)
    """largest norm of the gradient; null: any"""
    wrong_steps: int = Field(5, ge=1)
    """steps in a row with a gradient that is not finite, which change nothing, after which the training gives up"""
    ema: float | None = Field(None, gt=0, lt=1)
    """decay per step of the exponential moving average of the weights that is validated and saved; null: none"""
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
    compile: bool = False
    """the encoder by `torch.compile`; needs a C++ compiler, and minutes before the first steps"""
