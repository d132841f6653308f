"""Mutate saved models and load them; run as a program, so that a crash is seen and survived.

``python fuzzing.py FOLDER FIRST COUNT`` loads COUNT mutations of the files in FOLDER, the seeds
counted from FIRST, and prints a JSON object of how they ended. The seed at work stands in the file
``FOLDER/seed``, for whoever wants to know what crashed.
"""

from __future__ import annotations

import collections
import copy
import faulthandler
import io
import json
import os
import random
import resource
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

MEMORY = 2 << 30
SECONDS = 10.0
_VALUES = (
    None,
    True,
    -1,
    0,
    1,
    7,
    65535,
    2**31 - 1,
    2**31,
    2**63,
    10**30,
    0.5,
    1e9,
    1e308,
    -1e-9,
    "",
    "0",
    "same",
    "relu",
    "float16",
    "../x",
    "Lambda",
    "\x1b[31m",
    [],
    [0],
    [-1, 0],
    [None, 4],
    [1, 2, 3, 4, 5, 6, 7],
    {},
    {"class_name": "Dense", "config": {}},
    {"class_name": "Zeros"},
)


def mutate(originals: list[bytes], generator: random.Random) -> bytes:
    """Return one of ``originals``, damaged in one of several ways."""
    data = generator.choice(originals)
    kind = generator.choice(
        ("flip", "flip", "flip", "truncate", "splice", "fill", "cut", "insert", "value", "value")
    )
    if kind == "value":
        return _with_other_value(data, generator)
    place = generator.randrange(len(data))
    length = generator.choice((1, 2, 4, 8, 64, 512, 4096))
    if kind == "flip":
        changed = bytearray(data)
        # Often near the start, where the structures are.
        reach = generator.choice((len(data), min(len(data), 1024)))
        for _ in range(generator.choice((1, 1, 2, 8, 64))):
            changed[generator.randrange(reach)] ^= 1 << generator.randrange(8)
        return bytes(changed)
    if kind == "truncate":
        return data[:place]
    if kind == "splice":
        other = generator.choice(originals)
        return data[:place] + other[min(place, len(other)) :]
    if kind == "fill":
        filling = generator.choice((b"\0", b"\xff", b"\x7f", b"A")) * length
        return data[:place] + filling + data[place + length :]
    if kind == "cut":
        return data[:place] + data[place + length :]
    start = generator.randrange(len(data))
    return data[:place] + data[start : start + length] + data[place:]


def _with_other_value(data: bytes, generator: random.Random) -> bytes:
    """Change values of the configuration; the file around it stays whole."""
    if data[:2] == b"PK":
        source = zipfile.ZipFile(io.BytesIO(data))
        members = {name: source.read(name) for name in source.namelist()}
        config = json.loads(members["config.json"])
        members["config.json"] = json.dumps(_changed(config, generator)).encode()
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return target.getvalue()
    import h5py

    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(_changed(config, generator))
    return buffer.getvalue()


def _changed(config: Any, generator: random.Random) -> Any:
    for _ in range(generator.choice((1, 1, 1, 2, 3))):
        places = list(_places(config))
        holder, key = generator.choice(places)
        if isinstance(holder, dict) and generator.random() < 0.15:
            del holder[key]
        elif generator.random() < 0.2:
            other, name = generator.choice(places)
            holder[key] = json.loads(json.dumps(other[name]))
        else:
            holder[key] = copy.deepcopy(generator.choice(_VALUES))
    return config


def _places(value: Any) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(entries):
        yield value, key
        if isinstance(item, (dict, list)) and item:
            yield from _places(item)


def limit_memory() -> None:
    """Let this process allocate no more than ``MEMORY`` beyond what it has."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    size = int(status.split("VmSize:")[1].split()[0]) << 10
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))


def main(folder: Path, first: int, count: int) -> None:
    warnings.simplefilter("ignore")
    faulthandler.enable()
    from kerascnn.errors import KerascnnError
    from kerascnn.loading.loader import load_model

    paths = sorted(path for path in folder.iterdir() if path.suffix in (".h5", ".keras"))
    originals = [path.read_bytes() for path in paths]
    for path in paths:  # everything that is imported late, before the memory is limited
        load_model(path)
    limit_memory()
    ends: collections.Counter[str] = collections.Counter()
    slowest = (0.0, -1)
    failures = []
    for seed in range(first, first + count):
        (folder / "seed").write_text(str(seed), encoding="ascii")
        path = folder / "mutated"
        path.write_bytes(mutate(originals, random.Random(seed)))
        faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
        started = time.monotonic()
        try:
            load_model(path)
            ends["model"] += 1
        except KerascnnError as error:
            ends[type(error).__name__] += 1
            line = str(error)
            if "\n" in line or not line.isprintable() or len(line) > 500:
                failures.append([seed, f"not one printable line: {line[:300]!r}"])
        except Exception as error:
            failures.append([seed, f"{type(error).__name__}: {str(error)[:300]}"])
        slowest = max(slowest, (time.monotonic() - started, seed))
    faulthandler.cancel_dump_traceback_later()
    report = {"ends": ends, "failures": failures, "slowest": slowest}
    print(json.dumps(report), flush=True)
    os._exit(0)  # TensorFlow's threads don't like a small memory when they are taken down


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
