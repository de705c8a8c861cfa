"""The browser of the smoke tests, the option that says whether it must be there, and what every test may rely on."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1250,1000",
)

# Read when numpy and torch load. Sums depend on the number of threads, which must not be that of the machine's cores; the
# tensors of the tests are small, and threads that spin take a core from the other workers of pytest.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

# Tables are as wide as the terminal, coloured if it can: not here.
os.environ["COLUMNS"] = "100"
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)

# Tests depend on nothing but the code: the same examples every time. `make fuzz` searches with fresh ones.
settings.register_profile("same examples", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", database=None, deadline=None, print_blob=True)
settings.load_profile("same examples")


def pytest_configure() -> None:
    # A shell starts background jobs with SIGINT ignored, and children inherit that; Ctrl-C is tested all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is known of files goes to a folder of the tests, not to that of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def rng() -> Any:
    import numpy as np  # not before the environment is set

    return np.random.default_rng(7)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--browser",
        choices=("auto", "require"),
        default="auto",
        help="auto: skip browser tests without Chromium on PATH; require: fail them",
    )


@pytest.fixture
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A headless Chromium with a fresh profile, driven by selenium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        reason = "needs chromium and chromedriver on PATH"
        if request.config.getoption("--browser") == "require":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = chromium
    for option in (*CHROMIUM_OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    window = Chrome(options=options, service=ChromeService(driver))
    yield window
    window.quit()
