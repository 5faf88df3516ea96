"""Commands that want one folder at one instant; one gets it, and the others leave it alone.

    python tests/cli/races.py 250

`test_keep.py` does it with fewer rounds.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sagan_lib.cli import keep

#: Told a folder, an instant and how to end, it tries to hold the folder from that instant on.
RIVAL = """
import os, sys, time
from pathlib import Path
from sagan_lib.cli import keep

keep.PATIENCE = 0
print("ready", flush=True)
for line in sys.stdin:
    folder, instant, end = line.split()
    recipe, inside = Path(folder, "recipe.json"), Path(folder, "inside")
    found = "in"
    while time.time() < float(instant):
        pass
    try:
        with keep.alone(folder, "a rival"):
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # FileExistsError: not alone
            recipe.write_text(str(os.getpid()))
            time.sleep(0.03)
            held = Path(folder, ".lock").exists() and recipe.read_text() == str(os.getpid())
            found = "in" if held else "robbed"
            inside.unlink()
            if end == "fails":
                raise KeyError
            Path(folder, keep.RUN).touch()
    except KeyError:
        pass
    except RuntimeError as error:
        found = "refused" if "another process trains there" in str(error) else repr(error)
    except Exception as error:
        found = repr(error)
    print(found, flush=True)
"""


def race(place, rounds, rivals=3):
    """Let rivals start at one instant, so often; in every second round, who holds the folder fails
    before its first save. AssertionError if two were inside, none was, or somebody lost a file.
    """
    started = [
        subprocess.Popen([sys.executable, "-c", RIVAL], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for _ in range(rivals)
    ]  # fmt: skip
    try:
        assert [each.stdout.readline() for each in started] == ["ready\n"] * rivals
        for number in range(rounds):
            folder, end = Path(place) / f"{number}", ("saves", "fails")[number % 2]
            for each in started:
                print(folder, time.time() + 0.01, end, file=each.stdin, flush=True)
            found = sorted(each.stdout.readline().strip() for each in started)
            if end == "saves":
                assert found == ["in"] + ["refused"] * (rivals - 1), (number, found)
                held = {each.name for each in folder.iterdir()}
                assert held == {keep.LOCK, "recipe.json", keep.RUN}, (number, held)
            else:  # after it, others may have found the folder free
                assert "in" in found, (number, found)
                assert set(found) <= {"in", "refused"}, (number, found)
    finally:
        for each in started:
            each.kill()
            each.communicate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        race(place, int(sys.argv[1]))
    print(f"{sys.argv[1]} rounds of three: one inside each time, and nobody's files touched")
