# SPDX-License-Identifier: Apache-2.0
"""A process that is killed in the middle of a copy-up leaves the old file or the new one, and the lower layer as it was."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import difftest  # noqa: E402

SIZE = 32 << 20
KILLS = 15


def content():
    block = bytes(range(256)) * 4096
    return b"".join(bytes([i]) + block[1:] for i in range(SIZE // len(block)))


def test_killed_in_copy_up():
    whole = content()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lower, upper = folder / "lower", folder / "upper"
        (lower / "etc").mkdir(parents=True)
        (lower / "big").write_bytes(whole)
        shutil.copy(difftest.binary("overlay/grow"), lower / "grow")
        command = [difftest.lichen(), "run", "--emulate=overlay", "--rootfs", str(lower), "--upper", str(upper), "--", "/grow", "/big"]
        started = time.monotonic()
        subprocess.run(command, check=True, timeout=60)
        took = time.monotonic() - started
        assert (upper / "big").read_bytes() == whole + b"+"
        old = new = 0
        for _ in range(KILLS):
            (upper / "big").unlink(missing_ok=True)
            with subprocess.Popen(command, start_new_session=True) as process:
                time.sleep(random.uniform(0, took))
                os.killpg(process.pid, signal.SIGKILL)
            if (upper / "big").exists():
                new += 1
                assert (upper / "big").read_bytes() in (whole, whole + b"+")
            else:
                old += 1
        print(f"old {old}, new {new}")
        assert (lower / "big").read_bytes() == whole
        (upper / "big").unlink(missing_ok=True)
        subprocess.run(command, check=True, timeout=60)
        assert (upper / "big").read_bytes() == whole + b"+"
        assert [p.name for p in (folder / "upper.work").iterdir()] == ["lock"]
