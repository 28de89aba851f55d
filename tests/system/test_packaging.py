"""The wheel: built, installed beside nothing else, and complete."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=280)
    return next(folder.glob("codeai-*.whl"))


def test_it_holds_everything_that_the_program_reads(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "codeai").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected <= names
    assert "codeai/py.typed" in names and {"codeai/http/pages/static/docs.html", "codeai/http/pages/static/llms.md"} <= set(names)
    assert {f"codeai/manual/{page.name}" for page in (ROOT / "docs/language").glob("*.md")} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "examples/"))]


def test_it_works_from_an_environment_of_its_own(wheel, tmp_path):
    """The dependencies are those of this environment; the package itself comes from the wheel alone."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False)
    packages = next((environment / "lib").glob("python3*/site-packages"))
    own = next((Path(sys.prefix) / "lib").glob("python3*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "dependencies.pth").write_text(f"{own}\n")
    python = str(environment / "bin" / "python")
    where = subprocess.run(
        [python, "-c", "import codeai; print(codeai.__file__)"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert str(packages) in where.stdout
    for arguments in (["version"], ["new", "shop"], ["validate", "shop"], ["test", "shop"]):
        done = subprocess.run([python, "-m", "codeai", *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=280)
        assert done.returncode == 0, done.stderr
    assert "1 passed, 0 failed" in done.stdout
