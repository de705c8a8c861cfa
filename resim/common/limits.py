"""How large input may be: every limit of the readers, in one place.

Together they keep the promise that an input of less than 10 MB which asks for no simulation is read or refused within
10 s and 500 MB. Each is some ten times what real input was seen to need; a message that refuses names the limit.
"""

from typing import Final

# --- YAML cards

CARD_BYTES: Final = 200_000
"""A card, or an override: the shipped ones have up to 3 kB; PyYAML reads some 50 kB a second."""
CARD_VALUES: Final = 20_000
"""Keys and values of a card with aliases and merges written out, which multiply: 535 bytes once were 1.8 GB."""
VIEWS: Final = 200
"""Views of a generation card; each is a group of every file, and shipped cards have up to 7."""

# --- compressed files

INFLATION: Final = 50
"""Size of a compressed file when it is unpacked, in units of its size on the disk; LHE text shrinks by 3 to 5, pair
files by 2 to 5, and gzip packs zeros by 1,030."""
INFLATION_FREE: Final = 100_000_000
"""Bytes that any compressed file may have when it is unpacked."""

# --- HDF5 files

HDF5_CHUNK: Final = 100_000_000
"""Bytes of a chunk of a dataset when it is unpacked, the least that one read asks for; those of h5py's choice have up
to 1 MB, those of pair files 0.5 MB. HDF5 takes up to 2.4 times as much."""
HDF5_CHUNK_OF_FILE: Final = 10
"""Likewise in units of the size of the file, where that is more: some datasets are one chunk."""
HDF5_HEAPS_WITHIN: Final = 100_000_000
"""Bytes of a file whose heaps are looked through before HDF5 reads them, which takes 0.1 s."""

# --- Les Houches events

LHE_LINE: Final = 25_000_000
"""Bytes of a line: a file may have no line ends. A small compressed one may hold a line larger than the memory."""
LHE_HEADER: Final = 5_000_000
"""Bytes before `<init>`; MadGraph's, with all its cards, are some 100,000."""
LHE_ROOT_WITHIN: Final = 1_000_000
"""Characters in which the root tag must appear; more would mean reading a foreign file of any size."""
LHE_BLOCK: Final = 2_000_000
"""Characters of an event or of the init block without the content of their elements, of which each counts as
`LHE_PER_ELEMENT`, and each of their lines as one; real events have up to 20,000."""
LHE_PER_ELEMENT: Final = 20
"""Characters that an element of a block counts for; they are read one by one."""
LHE_TAG: Final = 100
"""Characters of a tag's name; the longest of the standard is `LesHouchesEvents` (arXiv:hep-ph/0609017)."""
LHE_PARTICLES: Final = 500
"""Particles of an event: MAXNUP of the accord (arXiv:hep-ph/0109068)."""
# --- Delphes cards

TCL_CARD: Final = 500_000
"""Bytes of a card together with the files that it sources; the largest official one has 100 kB."""
TCL_SOURCES: Final = 100
"""Files that a card may source."""
TCL_STEPS: Final = 1_000_000
"""Commands that a card may run, with a step for every character of an expression and every 100 characters or elements
that are copied; the shipped cards take up to 51,000. A million take 5 s."""
TCL_TEXT: Final = 10_000_000
"""Characters of a value."""
TCL_DEPTH: Final = 50
"""How deep scripts, brackets, parentheses, conditions and lists may stand inside one another."""
TCL_BITS: Final = 256
"""Size of an integer; Tcl has no limit, and a power of two numbers of six digits fills any memory."""
FORMULA_CHARACTERS: Final = 20_000
"""Characters of a formula; those of the shipped cards have up to 1,600."""
FORMULA_DEPTH: Final = 50
"""How deep its parentheses and conditions may be nested."""
DELPHES_MODULES: Final = 500
"""Modules of a card; the shipped ones have up to 15, as only what jets need is in them."""

# --- training cards

WIDTH: Final = 16_384
"""Size of any layer; the largest published jet encoders have 1,024."""
LAYERS: Final = 200
"""Layers of an encoder or a perceptron; the largest published jet encoders have 24."""
EXPANSION: Final = 64
"""Hidden size of a feed-forward part in units of the width; published encoders have up to 4."""
CONSTITUENTS: Final = 10_000
"""Constituents or neighbours that a card counts; a jet has up to some 300."""
BINS: Final = 1_000
"""Quantile bins of a property of jets; more are as narrow as its resolution."""
BATCH_ROWS: Final = 1_000_000
"""Rows in a batch; published trainings have up to 8,192."""
ROWS: Final = 2**31 - 1
"""Rows that a card counts, as of the buffer."""
EPOCHS: Final = 1_000_000
"""Epochs; each writes a line of a log."""
SEED: Final = 2**63 - 1
"""Largest seed: what fits into 64 bits with a sign."""
THREADS: Final = 4_096
"""Threads of a process; the largest machines have some 1,000 cores."""
