"""Registers to try things on: an SQLite file, and a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import FaultList
from cleanhub.register.sheets import Sheet, read_sheet
from cleanhub.register.store import Register
from cleanhub.register.table_export import read_json

SEARCHED = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")
PROJECT = {
    "hub": "california",
    "project_id": "T-1",
    "name": "Trial kiln",
    "sector": "cement",
    "stage": "announced",
    "role": "abates",
    "capex_usd": 1e6,
    "private": False,
}


def programs() -> Path | None:
    """The folder of PostgreSQL's initdb and pg_ctl, if it is installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    found_in = sorted(path for folder in SEARCHED for path in Path(folder).glob("**/bin/initdb"))
    return found_in[-1].parent if found_in else None


class Server:
    """A PostgreSQL server on a socket in a temporary folder, run by a user who is not root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.data = folder / "data"
        # PostgreSQL refuses to run as root; "nobody" owns nothing that it could harm
        self.become = (
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        )
        if self.become:
            shutil.chown(folder, "nobody", "nogroup")
            folder.chmod(0o700)
        self.port = free_port()
        self._run(
            "initdb", "-D", self.data, "-U", "cleanhub", "--auth=trust", "-E", "UTF8", "--no-sync", "-N"
        )
        options = f"-c listen_addresses='' -k {folder} -p {self.port} -c max_connections=60"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", folder / "log", "-w", "-t", "60", "start")

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self.become, str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def url(self, database: str) -> str:
        return f"postgresql://cleanhub@/{database}?host={self.folder}&port={self.port}"

    def make_database(self, name: str, template: str = "template1") -> str:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: what needs it is not tested")
    # a socket's path must be short, so the folder is not pytest's own
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Server(found, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


_numbers = itertools.count()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty register as a file, to be copied: that is quicker than making each anew."""
    path = tmp_path_factory.mktemp("register") / "empty.db"
    Register.open(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def empty_database(server: Server) -> str:
    """The name of a database of the server that holds an empty register."""
    server.make_database("empty")
    Register.open(server.url("empty"), create=True).close()
    return "empty"


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Gives the address of a place where there is no register yet, on the database asked for."""

    def make(database: str) -> str:
        if database == "sqlite":
            return str(tmp_path / f"register-{next(_numbers)}.db")
        server: Server = request.getfixturevalue("server")
        return server.url(server.make_database(f"register_{next(_numbers)}"))

    return make


@pytest.fixture
def ready_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Gives the address of an empty register on the database asked for."""

    def make(database: str) -> str:
        if database == "sqlite":
            source = request.getfixturevalue("empty_file")
            return str(shutil.copy(source, tmp_path / f"register-{next(_numbers)}.db"))
        server: Server = request.getfixturevalue("server")
        template = request.getfixturevalue("empty_database")
        return server.url(server.make_database(f"register_{next(_numbers)}", template))

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, ready_url: Callable[[str], str]) -> str:
    """An empty register; every test that asks for it runs on both databases."""
    return ready_url(request.param)


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    with Register.open(url) as made:
        yield made


@pytest.fixture
def project() -> dict[str, Any]:
    return dict(PROJECT)


@pytest.fixture
def own(ready_url: Callable[[str], str]) -> Iterator[Register]:
    """An empty register in a file, for what does not depend on the database."""
    with Register.open(ready_url("sqlite")) as made:
        yield made


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Sheet]:
    """Writes text or bytes to a file and reads it as a sheet; faults go to ``faults``."""

    def make(
        data: str | bytes, name: str = "list.csv", faults: FaultList | None = None, **more: Any
    ) -> Sheet:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        gathered = FaultList() if faults is None else faults
        return read_json(path, gathered) if name.endswith(".json") else read_sheet(path, gathered, **more)

    return make
