import subprocess
import sys

import resim


def test_the_names_of_a_notebook():
    assert dir(resim) == ["Detector", "PairFile", "Particles", "__version__", "generate"]
    assert resim.PairFile.__name__ == "PairFile"
    assert callable(resim.generate)


def test_the_package_itself_is_light():
    code = "import sys, resim; sys.exit(bool({'numpy', 'h5py', 'pythia8mc'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
