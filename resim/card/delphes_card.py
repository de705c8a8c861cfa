"""What the Tcl of a Delphes card defines: its modules, their parameters, its execution path."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from resim.common.errors import InputError
from resim.common.limits import DELPHES_MODULES, TCL_CARD, TCL_SOURCES
from resim.common.tcl.interpreter import Interpreter
from resim.common.tcl.lists import Arguments
from resim.common.tcl.values import TclError, Value, text_of


@dataclass(frozen=True, slots=True)
class ModuleText:
    """A module as the card writes it.

    Attributes:
        kind: class of the module.
        name: name of the instance.
        line: line of its file where it starts, from 1.
        parameters: values by name.
    """

    kind: str
    name: str
    line: int
    parameters: dict[str, Value]


@dataclass(slots=True)
class EvaluatedCard:
    """What a card defines.

    Attributes:
        modules: in the order of the card; the first of a name counts, as in Delphes.
        path: value of `ExecutionPath`, None if it is not set.
        sources: the files that it sources, in order.
    """

    modules: dict[str, ModuleText] = field(default_factory=dict)
    path: Value | None = None
    sources: list[Path] = field(default_factory=list)


def evaluate_card(path: Path) -> EvaluatedCard:
    """Evaluate a Delphes card.

    Args:
        path: the card; it may source files in its folder or below.

    Raises:
        InputError: a file cannot be read, or the card is wrong or goes beyond a limit; it names file and line.
    """
    try:
        return _Evaluation(path).evaluate()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want a Delphes card (Tcl)") from error
    except RecursionError as error:
        raise InputError(f"{path}: Tcl: scripts and expressions are nested too deeply; correct the card") from error
    except TclError as error:
        line = f":{error.line}" if error.line else ""
        reason = " ".join(str(error).split())
        raise InputError(f"{error.file or path}{line}: Tcl: {reason}; correct the card") from error


def content_digest(path: Path) -> str:
    """SHA-256 of a card and, if it sources files, of theirs after it.

    Raises:
        InputError: a file cannot be read, or the card is wrong.
    """
    digest = hashlib.sha256()
    for file in (path, *evaluate_card(path).sources):
        digest.update(file.read_bytes())
    return digest.hexdigest()


class _Evaluation:
    """The commands that Delphes adds to Tcl."""

    def __init__(self, card: Path) -> None:
        self.card, self.found = card, EvaluatedCard()
        self.tcl = Interpreter()
        self.tcl.commands |= {"module": self._module, "add": self.tcl.append, "source": self._source}
        self.folder = card.absolute().parent
        self.open = [card.absolute()]
        self.size = 0

    def evaluate(self) -> EvaluatedCard:
        self._run(self.card)
        self.found.path = self.tcl.namespaces[""].get("ExecutionPath")
        return self.found

    def _run(self, path: Path) -> None:
        with path.open("rb") as file:
            content = file.read(TCL_CARD + 1)
        self.size += len(content)
        if self.size > TCL_CARD:
            raise TclError(f"a card and the files that it sources have at most {TCL_CARD} bytes")
        self.tcl.run(content.decode("utf-8"), 1)

    def _module(self, arguments: Arguments) -> Value:
        if not 2 <= len(arguments) <= 3:
            raise TclError('wrong # args: should be "module class name ?body?"')
        kind, name = (text_of(argument) for argument in arguments[:2])
        if len(self.found.modules) >= DELPHES_MODULES and name not in self.found.modules:
            raise TclError(f"more than {DELPHES_MODULES} modules")
        line = self.tcl.line
        with self.tcl.inside(name):
            body = arguments[2] if len(arguments) > 2 else ""
            self.tcl.run(body if isinstance(body, str) else text_of(body))
        variables = self.tcl.namespaces[name]
        parameters = {key: value for key, value in variables.items() if not key.endswith(")")}  # arrays are no values
        self.found.modules.setdefault(name, ModuleText(kind, name, line, parameters))
        return ""

    def _source(self, arguments: Arguments) -> Value:
        if len(arguments) != 1:
            raise TclError('wrong # args: should be "source fileName"')
        name = text_of(arguments[0])
        path = self._below(name)
        if path in self.open or len(self.found.sources) >= TCL_SOURCES:
            raise TclError(f"source {name}: sources itself, or is more than {TCL_SOURCES} files")
        self.open.append(path)
        self.found.sources.append(path)
        try:
            self._run(path)
        except TclError as error:
            error.file = error.file or str(path)
            raise
        except (OSError, UnicodeDecodeError) as error:
            raise TclError(f"source {name}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
        self.open.pop()
        return ""

    def _below(self, name: str) -> Path:
        """The file of this name beside the one that sources it, or the card; never outside the card's folder."""
        for folder in (self.open[-1].parent, self.folder):
            path = (folder / name).resolve()
            if path.is_file() and path.is_relative_to(self.folder.resolve()) and not Path(name).is_absolute():
                return path
        raise TclError(f"source {name}: no such file in the folder of the card or below ({self.folder})")
