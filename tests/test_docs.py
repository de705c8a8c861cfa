"""The documentation: the site is built without a warning and opens in a browser; the tutorial does what it says."""

import doctest
import functools
import http.server
import os
import re
import shlex
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.helpers.forked import MAIN, run_program

REPOSITORY = Path(__file__).parents[1]
BLOCK = re.compile(r'^```(console|python|text|yaml)(?: title="(.+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.,])(?:0?\.\d{3}|\d{1,3},\d{3})(?!\w|,\d)")
PICTURE_BYTES = 110_000


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # an advertisement, not about the site
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Page(HTMLParser):
    """What a page refers to, and what it can be referred to by."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and tag in ("a", "img", "script", "link"):
                self.links.append(value or "")
            elif name in ("id", "name"):
                self.names.add(value or "")


@pytest.mark.slow
def test_every_link_leads_somewhere_and_no_page_loads_from_elsewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 30
    for path, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(link)
            if re.match(r"(https?|mailto|data):", target):
                continue
            there = (path.parent / unquote(target)).resolve() if target else path
            assert there.is_file(), (path.name, link)
            assert not anchor or there not in pages or unquote(anchor) in pages[there].names, (path.name, link)
        assert not re.search(
            r"<(script|img)[^>]+src=.?https?:|<link[^>]+rel=.?stylesheet[^>]+https?:", path.read_text()
        )


@pytest.mark.slow
def test_every_room_and_command_has_its_page(site):
    assert "resim.jets.clustering" in Page(site / "reference/resim/jets.html").names
    assert "jetssl.losses" in (site / "reference/jetssl/losses.html").read_text()
    commands = (site / "reference/resim-command.html").read_text()
    assert all(f"resim {name}" in commands for name in ("generate", "reproduce", "cards"))
    assert "hbb_j.lhe.gz" in (site / "reference/cards.html").read_text()


@pytest.mark.slow
@pytest.mark.browser
def test_pages_open_in_a_browser_with_pictures(site, browser):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for page in ("index", "physics", "tutorial", "reference/resim/jets"):
            browser.get(f"{address}/{page}.html")
            assert "resim and jetssl" in browser.title
            assert browser.execute_script("return [...document.images].every(image => image.naturalWidth > 0)")
            assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert not [message for message in severe if "favicon" not in message]
        server.shutdown()


def test_pictures_are_small():
    for path in (REPOSITORY / "docs/images").iterdir():
        assert path.stat().st_size <= PICTURE_BYTES, path.name


def test_every_number_of_the_readme_is_explained():
    explained = set(NUMBER.findall((REPOSITORY / "docs/numbers.md").read_text()))
    readme = re.sub(r"```.*?```", "", (REPOSITORY / "README.md").read_text(), flags=re.DOTALL)
    numbers = set(NUMBER.findall(readme))
    assert len(numbers) > 15
    assert numbers <= explained, f"explain in docs/numbers.md: {numbers - explained}"


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path):
    """Its commands one after the other in an empty folder; `...` in an output stands for anything."""
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": scripts}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_line(line: str) -> str:
        """In a shell; `jetssl` as a process that need not import torch anew."""
        program, *words = shlex.split(line)
        if program != "jetssl":
            return run("bash", "-c", line)
        done = run_program(f"import os; os.chdir({str(tmp_path)!r}); {MAIN}", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    printed = ""
    for language, title, body in BLOCK.findall((REPOSITORY / "docs/tutorial.md").read_text()):
        if language == "yaml":
            (tmp_path / title).write_text(body)
        elif language == "python":
            printed = run(sys.executable, "-c", body)
        elif language == "text":
            assert_as_said(body, printed)
        else:
            for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
                assert_as_said(said, run_line(command))
    assert (tmp_path / "report.html").stat().st_size > 100_000


def assert_as_said(said: str, printed: str) -> None:
    options = doctest.ELLIPSIS
    assert doctest.OutputChecker().check_output(said, printed, options), (said, printed)
