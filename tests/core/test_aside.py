"""Work beside other work gives what it would give here, whatever becomes of the other process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cleanhub.core.aside import Partner, aside, given
from cleanhub.core.memory import remembered, remembering

BESIDE = pytest.mark.skipif(
    not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2, reason="no second process here"
)


@pytest.fixture
def second_thread():
    """Another thread of this process, in which none may be begun beside then."""
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    yield
    done.set()
    other.join()


def alone(script: str, check: bool = True, **environment: str) -> str:
    """What ``script`` prints in a process with one thread (those of the tests have more)."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=check,
    )
    return done.stdout


@BESIDE
def test_the_value_is_made_in_another_process_once():
    found = alone(
        "import os\nfrom cleanhub.core.aside import aside\n"
        "begun = aside(lambda: (os.getpid(), list(range(100_000))))\n"
        "pid, numbers = begun()\n"
        "print(pid != os.getpid(), numbers == list(range(100_000)), begun()[0] == pid)"
    )
    assert found.split() == ["True", "True", "True"]


@BESIDE
@pytest.mark.parametrize("end", ["raise ValueError('no such plant')", "os.kill(os.getpid(), 9)"])
def test_what_fails_beside_is_made_here_and_fails_here(end):
    found = alone(
        "import os\nfrom cleanhub.core.aside import aside\nhere = os.getpid()\n"
        f"def make():\n    if os.getpid() != here:\n        {end}\n    raise ValueError('met here')\n"
        "try:\n    aside(make)()\nexcept ValueError as error:\n    print(error)"
    )
    assert found.strip() == "met here"


@BESIDE
def test_nothing_is_begun_inside_a_process_beside():
    found = alone(
        "import os\nfrom cleanhub.core.aside import aside\n"
        "outer, inner = aside(lambda: (os.getpid(), aside(os.getpid)()))()\n"
        "print(outer == inner, outer != os.getpid())"
    )
    assert found.split() == ["True", "True"]


@BESIDE
def test_a_value_that_nobody_asks_for_leaves_no_process():
    found = alone(
        "import os, time\nfrom cleanhub.core.aside import aside\n"
        "begun = aside(lambda: time.sleep(60))\ndel begun\n"  # would last; nobody waits for it
        "try:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('none')"
    )
    assert found.strip() == "none"


@BESIDE
def test_a_copy_of_a_process_ends_nothing_that_the_first_one_began():
    found = alone(
        "import os\nfrom cleanhub.core.aside import aside\n"
        "read, write = os.pipe()\n"
        "begun = aside(lambda: (os.read(read, 1), os.getpid())[1])\n"
        "copy = os.fork()\n"
        "if copy == 0:\n    del begun\n    os._exit(0)\n"
        "os.waitpid(copy, 0)\nos.write(write, b'1')\nprint(begun() != os.getpid())"
    )
    assert found.strip() == "True"


@BESIDE
def test_steps_remembered_beside_count_here(tmp_path):
    script = (
        "from cleanhub.core.aside import aside\nfrom cleanhub.core.memory import remembered, remembering\n"
        "with remembering() as memory:\n"
        "    print(aside(lambda: remembered('sum', (1, 2), lambda: 3))(), memory.recalled, memory.made)"
    )
    folder = tmp_path / "memory"
    folder.mkdir(mode=0o700)
    assert alone(script, CLEANHUB_CACHE=str(folder)).strip() == "3 [] ['sum']"
    assert alone(script, CLEANHUB_CACHE=str(folder)).strip() == "3 ['sum'] []"


def test_with_several_threads_the_value_is_made_here_when_it_is_asked_for(second_thread):
    asked: list[int] = []
    begun = aside(lambda: (asked.append(1), os.getpid())[1])
    assert not asked
    assert begun() == begun() == os.getpid()
    assert asked == [1]


def test_a_step_made_where_nothing_is_kept_is_told_once(monkeypatch):
    monkeypatch.setenv("CLEANHUB_CACHE", "off")
    with remembering() as memory:
        begun = aside(lambda: remembered("sum", (), lambda: 3))
        assert begun() == begun() == 3
        assert memory.made == ["sum"]


@BESIDE
def test_a_partner_prepares_once_and_answers_in_turn():
    found = alone(
        "import os\nfrom cleanhub.core.aside import Partner\n"
        "def prepare():\n    print('prepared', flush=True)\n"
        "    return lambda n: (os.getpid(), n * n, bytes(n))\n"
        "partner = Partner(prepare)\n"
        "begun = [partner.ask(n) for n in (3, 300_000, 5)]\n"  # more than a pipe holds
        "told = [one() for one in begun]\n"
        "print(len({pid for pid, _, _ in told}), told[0][0] != os.getpid(), [n for _, n, _ in told])"
    )
    assert found.splitlines() == ["prepared", "1 True [9, 90000000000, 25]"]


@BESIDE
def test_what_a_partner_fails_at_is_made_here_and_so_is_all_after_it():
    found = alone(
        "import os\nfrom cleanhub.core.aside import Partner\nhere = os.getpid()\n"
        "def answer(n):\n    if n == 2 and os.getpid() != here:\n        os.kill(os.getpid(), 9)\n"
        "    return os.getpid() == here, n\n"
        "partner = Partner(lambda: answer)\n"
        "print([partner.ask(n)() for n in (1, 2, 3)])"
    )
    assert found.strip() == "[(False, 1), (True, 2), (True, 3)]"


@BESIDE
@pytest.mark.parametrize("end", ["partner.end()", "del partner"])
def test_a_partner_that_is_not_asked_leaves_no_process(end):
    found = alone(
        "import os, time\nfrom cleanhub.core.aside import Partner\n"
        f"partner = Partner(lambda: time.sleep(60))\n{end}\n"
        "try:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('none')"
    )
    assert found.strip() == "none"


@BESIDE
def test_a_partner_ends_with_the_process_that_began_it():
    found = alone(
        "import os\nfrom cleanhub.core.aside import Partner\n"
        "partner = Partner(lambda: lambda _: os.getpid())\n"
        "print(partner.ask(None)(), flush=True)\nos.kill(os.getpid(), 9)",
        check=False,
    )
    process = Path("/proc", found.strip())
    deadline = time.monotonic() + 20
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.exists()


def test_a_partner_without_a_process_answers_here(second_thread):
    prepared: list[int] = []
    partner = Partner(lambda: (prepared.append(1), lambda n: (os.getpid(), n))[1])
    assert not prepared
    assert [partner.ask(n)() for n in (1, 2)] == [(os.getpid(), 1), (os.getpid(), 2)]
    assert prepared == [1]


def test_what_is_begun_tells_its_time():
    begun = given(3)
    assert begun() == 3
    assert (begun.wall_s, begun.cpu_s) == (0.0, 0.0)
    slow = aside(lambda: sum(range(1_000_000)))
    assert slow() == 499_999_500_000
    assert slow.wall_s > 0
    assert slow.cpu_s > 0


@BESIDE
def test_a_process_that_need_not_stay_alone_begins_others():
    found = alone(
        "import os\nfrom cleanhub.core.aside import aside\n"
        "outer, inner = aside(lambda: (os.getpid(), aside(os.getpid)()), alone=False)()\n"
        "print(len({outer, inner, os.getpid()}))"
    )
    assert found.strip() == "3"


@BESIDE
def test_what_is_wanted_last_lets_the_others_go_first():
    found = alone(
        "import os\nfrom cleanhub.core.aside import LATER, aside\n"
        "print(aside(lambda: os.nice(0), last=True)() - os.nice(0) == LATER, aside(lambda: os.nice(0))())"
    )
    assert found.split() == ["True", str(os.nice(0))]
