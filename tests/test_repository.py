"""What the repository promises about itself: small, at home anywhere, and documented as it is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from core.commands.tree import app

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("resources/**/*.md")])
MACHINE = re.compile(r"(?<![\w.])/(work|root|opt|home|mnt)/\w")
INDEX = re.compile(r"https?://[^\s\"')]*(pypi|pythonhosted|/simple\b|whl/)", re.IGNORECASE)
LARGE = 1_000_000


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the repository, or of the folder where it is no repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def text_of(path: Path) -> str:
    """The file's text, "" for what is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_path_of_somebodys_machine_or_a_package_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE.search(line) or INDEX.search(line)
    ]
    assert found == []


def test_only_the_starter_model_is_large() -> None:
    starter = ROOT / "resources" / "starter"
    large = [path for path in tracked() if path.stat().st_size > LARGE and starter not in path.parents]
    assert large == []
    assert sum(path.stat().st_size for path in tracked() if starter in path.parents) <= 25_000_000


def test_no_source_file_is_longer_than_500_lines() -> None:
    sources = [path for path in tracked() if path.suffix == ".py"]
    assert [str(path) for path in sources if len(text_of(path).splitlines()) > 500] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text_of(document))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_make_target_that_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    told = {(d.name, t) for d in DOCUMENTS for t in re.findall(r"`make ([a-z-]+)", text_of(d))}
    told |= {(d.name, t) for d in DOCUMENTS for t in re.findall(r"^make ([a-z-]+)", text_of(d), re.MULTILINE)}
    assert {pair for pair in told if pair[1] not in targets} == set()


def test_every_command_and_option_that_is_told_exists() -> None:
    problems = []
    for document in DOCUMENTS:
        for line in re.findall(r"(?:^|`|\s)consonance ([a-z][^`\n#|]*)", text_of(document)):
            problems += [f"{document.name}: {line}: {word}" for word in _unknown(line)]
    assert problems == []


def _unknown(line: str) -> list[str]:
    """The subcommand or the options of a command line that the program does not have."""
    command, words = get_command(app), line.split()
    while getattr(command, "commands", None) and words:
        name = words.pop(0)
        if name not in command.commands:
            return [name] if "|" not in name else []
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    if command.name == "app":
        known |= {"--screenshots", "--size", "--page", "--live"}
    return [word for word in words if word.startswith("--") and word.split("=")[0] not in known]


def test_the_licence_is_the_whole_apache_licence_that_the_package_states() -> None:
    licence = text_of(ROOT / "LICENSE")
    stated = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["license"]
    assert stated == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert [number for number in range(1, 10) if f"\n   {number}. " not in licence] == []
    assert "END OF TERMS AND CONDITIONS" in licence
