"""Fuzzes the code that reads bytes and texts of strangers: make fuzz SECONDS=60.

`python -m resformer.scripts.fuzz.run_fuzzers TARGET ...` tries some; with `--replay FILE` one input that was found.
"""

import argparse
import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from resformer.scripts.fuzz.bounds import bounded
from resformer.scripts.fuzz.target import TARGETS, Target, load_target

__all__ = ["main"]

FOLDER = Path("build/fuzz")
# A hang ends the process after so long; slow inputs are found by their processor time before.
HANG_SECONDS = 60
# Above it libFuzzer ends the process; bounds are checked after each input, and lower.
MEMORY_MIB = 4096
# Exit codes after SIGINT and SIGTERM, of libFuzzer, of Python and of a process that either ended.
INTERRUPTED = (72, 128 + signal.SIGINT, 128 + signal.SIGTERM, -signal.SIGINT, -signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a fault was found."""
    parser = argparse.ArgumentParser(
        prog="python -m resformer.scripts.fuzz.run_fuzzers", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; without any all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this input alone, which shows what is wrong")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if options.seconds < 1:
        parser.error(f"--seconds is {options.seconds}, must be at least 1")
    if options.replay:
        if len(options.targets) != 1:
            parser.error("name the one target that --replay is for")
        return _replay(load_target(options.targets[0]), options.replay)
    if not importlib.util.find_spec("atheris"):
        print("atheris is missing; install it: pip install -r requirements-fuzz.txt", file=sys.stderr)
        return 1
    faults = [name for name in options.targets or TARGETS if not _fuzz(name, options.seconds)]
    print(f"faults in {', '.join(faults)}" if faults else "no fault found")
    return int(bool(faults))


def _replay(target: Target, file: Path) -> int:
    data = file.read_bytes()
    for seed in target.seeds():
        target.check(seed)
        break
    with bounded():
        target.check(data)
    print(f"{file}: {len(data)} bytes, no fault")
    return 0


def _fuzz(name: str, seconds: int) -> bool:
    """Whether a target stood it for so long. It goes on from the inputs that earlier runs have learned."""
    target = load_target(name)
    folder = FOLDER / name
    corpus, faults = folder / "corpus", folder / "faults"
    for each in (corpus, faults):
        each.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if len(word) <= 64))
    command = [sys.executable, "-m", "resformer.scripts.fuzz.fuzz_one", name, ",".join(target.instrumented)]
    command += [str(corpus), f"-max_total_time={seconds}", f"-max_len={target.max_bytes}", f"-dict={words}"]
    command += [f"-artifact_prefix={faults}/", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}"]
    command += ["-print_final_stats=1", "-verbosity=1"]
    print(f"== {name}, {seconds} s", flush=True)
    log = folder / "log"
    before = set(faults.iterdir())
    with log.open("wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=dict(os.environ, OMP_NUM_THREADS="1"))
    lines = log.read_text(errors="replace").splitlines()
    if done.returncode in INTERRUPTED:
        raise KeyboardInterrupt
    if not done.returncode:
        print("\n".join(line for line in lines if line.startswith(("stat::number_of_executed", "stat::peak_rss"))))
        return True
    print("\n".join(lines[-60:]))
    for file in sorted(set(faults.iterdir()) - before):
        print(f"replay: {sys.executable} -m resformer.scripts.fuzz.run_fuzzers {name} --replay {file}")
    print(f"{name}: a fault (exit code {done.returncode}); the whole log is {log}", flush=True)
    return False


def _escaped(word: bytes) -> str:
    return "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02X}" for c in word)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted before its time was over")
