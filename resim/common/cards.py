"""What every YAML card has in common: frozen models, unknown keys are errors, one line says what is wrong."""

import reprlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from resim.common.errors import InputError
from resim.common.limits import CARD_BYTES, CARD_VALUES
from resim.common.shipped import shipped_root

_MERGE_TAG = "tag:yaml.org,2002:merge"
ModelT = TypeVar("ModelT", bound=BaseModel)


class CardModel(BaseModel):
    """Base of every section of a card: immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML that refuses aliases without end, and a key that stands twice, where the second would silently win."""

    def get_single_node(self) -> yaml.Node | None:
        """The document, before anything is made of it."""
        node = super().get_single_node()
        if node is not None and (n_values := _n_values(node, {})) > CARD_VALUES:
            problem = f"{n_values:.4g} keys and values, want {CARD_VALUES} at most, with aliases written out"
            raise yaml.MarkedYAMLError(problem=problem)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node."""
        seen = set()
        for key in (self.construct_object(key, deep=True) for key, _ in node.value if key.tag != _MERGE_TAG):
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r:.100} stands twice", problem_mark=node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _n_values(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of nodes below a node and itself, each alias counted with all that it stands for."""
    if id(node) not in known:
        known[id(node)] = CARD_VALUES + 1  # where a node holds itself
        children = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_n_values(child, known) for child in children)
    return known[id(node)]


def read_yaml(path: Path) -> Any:
    """Parse a YAML file.

    Raises:
        InputError: the file is missing, no regular file, too large, or not YAML.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a regular file; want a YAML card")
        if (size := path.stat().st_size) > CARD_BYTES:
            raise InputError(f"{path}: has {size} bytes, want a card of {CARD_BYTES} at most")
        text = path.read_text(encoding="utf-8")
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); want a YAML card") from error
    except ValueError as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())}); repair the card") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, place: str) -> Any:
    """Parse YAML; `place` says where it stands.

    Raises:
        InputError: it is not YAML.

    >>> parse_yaml("[1, {a: 2}]", "here")
    [1, {'a': 2}]
    """
    if len(text) > CARD_BYTES:
        raise InputError(f"{place}: has {len(text)} characters, want {CARD_BYTES} at most")
    try:
        return yaml.load(text, _UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except RecursionError as error:
        raise InputError(f"{place}: not a card: nested too deeply; repair the card") from error
    except (
        Exception
    ) as error:  # explicit tags (`!!int ''`, `!!bool x`) raise whatever their constructors stumble over
        raise InputError(
            f"{place}: not valid YAML ({' '.join(str(error).split())[:200]}); repair the card"
        ) from error


def parse_card(model: type[ModelT], data: Any, path: Path) -> ModelT:
    """Validate parsed YAML against a card model.

    Raises:
        InputError: names the first key that is wrong, its value and what is wanted.
    """
    if not isinstance(data, dict):
        raise InputError(
            f"{path}: holds {_shown(data):.40}, want a mapping with the keys {', '.join(model.model_fields)}"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = _printable(".".join(str(part) for part in first["loc"] if part != "[key]")) or "the card"
        if first["type"] == "extra_forbidden":
            valid = ", ".join(_keys_beside(model, first["loc"]))
            raise InputError(f"{path}: unknown key {key}; valid keys here: {valid}") from error
        reason = first["msg"].removeprefix("Value error, ")
        given = "" if isinstance(first["input"], dict) else f" {_shown(first['input'])}:"
        if isinstance(first["input"], bool) and first["type"] == "string_type":
            reason += "; YAML reads on, off, yes and no as true or false: write the word in quotes"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InputError(f"{path}: {key}:{given} {reason}{more}") from error


def _shown(value: Any) -> str:
    """A value as it stands in a message; of a container only the beginning, as YAML's aliases can make it endless."""
    return reprlib.repr(value) if isinstance(value, list | dict | set | tuple) else repr(value)


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _keys_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that a card may have where `location`, the place of an unknown key, lies."""
    schema = model.model_json_schema(by_alias=True)
    node: dict[str, Any] = schema
    for part in location[:-1]:
        children = [node.get("properties", {}).get(part), node.get("items"), node.get("additionalProperties")]
        children += node.get("patternProperties", {}).values()
        child = next((child for child in children if isinstance(child, dict)), {})
        options = [child, *child.get("anyOf", [])]
        reference = next((option["$ref"] for option in options if "$ref" in option), None)
        node = schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else child
    return list(node.get("properties", {}))


def find_file(name: Path, card: Path) -> Path:
    """Find a file that a card names: in the working directory, else in a folder above the card, else what ships.

    So a card in `cards/generate/` may say `cards/hard_scatter/hbb_j.lhe.gz` and works from anywhere.

    Raises:
        InputError: the file is nowhere; the message says where it was looked for.
    """
    folders = [Path(), *card.absolute().parents, shipped_root()]
    for folder in folders[:1] if name.is_absolute() else folders:
        if _is_file(folder / name):
            return folder / name
    looked = "" if name.is_absolute() else f" (looked in the working directory and above {card.parent})"
    raise InputError(f"{card}: file {_printable(str(name))} not found{looked}; correct the path in the card")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have, as one that is too long
        return False
