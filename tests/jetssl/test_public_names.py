"""What `from jetssl import ...` promises."""

import subprocess
import sys

import jetssl

NAMES = {
    "Card",
    "ProbeCard",
    "ProbeRequest",
    "RunFolder",
    "__version__",
    "embed",
    "load_card",
    "load_encoder",
    "load_pairs",
    "pretrain",
    "probe_run",
}


def test_the_names_are_these():
    assert set(jetssl.__all__) == NAMES
    assert all(getattr(jetssl, name).__name__ == name for name in NAMES - {"__version__"})


def test_nothing_heavy_is_imported_before_it_is_used():
    code = "import jetssl, sys; assert not {'torch', 'lightning', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
