"""The form of Pythia's command files, as its `readFile` takes them (Pythia manual, Program Flow; Settings Scheme)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resim.common.errors import InputError

_COMMENT: Final = ("!", "#", "//")
_SETTING: Final = re.compile(r"[A-Za-z]\w*:\w|-?\d+:\w|\w+\s*=")
"""Beginning of a setting, of particle data, or of one of the few settings without a group."""


def settings_of(text: str, path: Path) -> Iterator[tuple[int, str]]:
    """The settings of a command file, with the lines (from 1) on which they begin.

    Left out are comments, empty lines, and what stands between a line that begins with `/*` and the next one that
    begins with `*/`, these two included (Pythia 8.317 overlooks them where nothing follows on the line). A list in
    braces may go over several lines.

    Args:
        text: content of the file.
        path: the file, for messages.

    Raises:
        InputError: names a line that is neither a setting nor a comment, which Pythia would silently pass over, or
            braces or a comment that do not end.
    """
    hidden = opened = 0
    pending = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if hidden or (line.startswith("/*") and not pending):
            hidden = 0 if line.startswith("*/") else hidden or number
            continue
        line = line.split("!", 1)[0].strip()
        if pending:
            pending = f"{pending} {line}"
        elif line and not line.startswith(_COMMENT) and re.search(r"\w", line):
            if not _SETTING.match(line):
                what = f"{line[:60]!r} is neither a setting nor a comment (!, #)"
                raise InputError(f"{path}:{number}: {what}; correct it, or begin it with !")
            opened, pending = number, line
        if pending and pending.count("{") <= pending.count("}"):
            yield opened, pending
            pending = ""
    if hidden or pending:
        what = "the comment /*" if hidden else "the list {"
        raise InputError(f"{path}:{hidden or opened}: {what} has no end; close it")
