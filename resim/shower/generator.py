"""Generators other than Pythia: a slice of the file's events in one run, with one seed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import pylhe

from resim.card.stages import GENERATORS, GeneratorSection
from resim.card.view_plan import GeneratorPlan
from resim.common import plugins
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import Beams
from resim.hard_scatter.partons import outgoing_taus
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.hepmc import ShoweredEvent


class SliceFailed(InputError):  # noqa: N818 - says what happened
    """A generator did not make a slice; another seed may."""


class Generator(ABC):
    """Showers and hadronizes slices of hard scatters.

    A subclass of a package is called with the beams and its section, and is an entry point of `resim.generators`.

    Attributes:
        section: of a generator that a package adds: the model of `shower.options` in a generation card.
    """

    section: ClassVar[type[GeneratorSection]]

    @abstractmethod
    def simulate(self, events: Sequence[pylhe.LHEEvent], seed: int) -> list[ShoweredEvent | None]:
        """Shower, hadronize and decay the events of one slice.

        The result depends on the events, their order, the seed (1 ... 900,000,000), beams and settings alone.

        Returns:
            One entry for each event; None where the generator gave it up.

        Raises:
            SliceFailed: nothing was made; another seed is tried.
            InputError: another seed does not help.
        """


@lru_cache(maxsize=8)
def package_generator(beams: Beams, plan: GeneratorPlan) -> Generator:
    """The process's generator of an installed package for these beams and settings.

    Raises:
        InputError: no package has it, or what it has is no generator.
    """
    kind: Any = plugins.load(GENERATORS, plan.name, Generator)
    with plugins.blamed(GENERATORS, plan.name):
        made: Generator = kind(beams, kind.section.model_validate_json(plan.lines[0]))
    return made


def simulated_by_package(
    generator: Generator, name: str, events: Sequence[pylhe.LHEEvent], seed: int
) -> list[ShoweredEvent | None]:
    """What `Generator.simulate` of a package gives, or one line that names the package.

    Raises:
        SliceFailed: as `simulate`.
        InputError: it raises anything else, or gives no such list.
    """
    with plugins.blamed(GENERATORS, name):
        made = generator.simulate(events, seed)
        if len(made) != len(events):
            raise TypeError(f"made {len(made)} events of {len(events)}, want one for each")
        for event, hard in zip(made, events, strict=True):
            if event is not None:
                _check(event, len(outgoing_taus(hard)))
        return made


def _check(event: ShoweredEvent, n_taus: int) -> None:
    if getattr(event.particles, "dtype", None) != FINAL_PARTICLE:
        raise TypeError("made particles that are no array of FINAL_PARTICLE")
    if len(event.tau_decays) != n_taus:
        raise TypeError(f"made {len(event.tau_decays)} tau decays for {n_taus} outgoing taus")
