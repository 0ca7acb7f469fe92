"""Runs the application on a port of this machine."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.web.view import PlanView

DEFAULT_FOLDER = Path("plans") / "california"


def check_host(host: str) -> None:
    """Refuse to listen where others could reach: there are no accounts yet.

    Raises :class:`~cleanhub.core.errors.InputError` for anything but a loopback address.
    """
    try:
        inside = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        inside = False
    if not inside:
        faults = FaultList()
        faults.add(
            "--host",
            what="these pages have no accounts yet, so they are for this machine only",
            found=host,
            allowed="127.0.0.1, ::1 or localhost",
        )
        raise InputError("serve", faults.faults)


def check_folder(folder: Path) -> None:
    """Raise one clear :class:`~cleanhub.core.errors.InputError` where ``folder`` holds no plan."""
    if (folder / "plan.json").is_file():
        return
    faults = FaultList()
    beside = ", ".join(sorted(str(path.parent) for path in Path("plans").glob("*/plan.json"))[:8])
    faults.add(
        str(folder),
        what="holds no plan",
        allowed=f"a plan folder{f' ({beside})' if beside else ''}; "
        f"make one with: cleanhub plan california --out {folder}",
    )
    raise InputError("serve", faults.faults)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` and ``port`` (0: any free one).

    Raises :class:`~cleanhub.core.errors.RunError` when the port is taken.
    """
    check_host(host)
    address = host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise RunError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
        ) from error
    return made


def address_of(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def run_server(view: PlanView, listening: socket.socket) -> None:
    """Serve ``view`` until interrupted."""
    import uvicorn

    from cleanhub.web.app import create_app

    config = uvicorn.Config(create_app(view), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
