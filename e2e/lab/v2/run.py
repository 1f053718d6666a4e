"""Runs the lab's own tests, or another command, on a machine that has control groups v2 alone: a guest with Debian's kernel.

    python e2e/lab/v2/run.py [--memory GIB] [--minutes N] [-- COMMAND...]

The guest's root folder is the host's, read-only, below a tmpfs: it runs what is built here already and changes nothing. It has no
network. Needs root and a Debian-like system; what is missing is installed or downloaded into `target/cgroup2`. Without a KVM that
runs any kernel the guest is emulated, which takes some fifteen times as long.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OWN = Path(__file__).resolve().parent
sys.path[:0] = [str(OWN.parents[1])]

from lab import packages, paths  # noqa: E402  (the path above comes first)
from lab.progress import Progress  # noqa: E402

KVM = Path("/dev/kvm")
FOLDER = paths.REPOSITORY / "target" / "cgroup2"
PACKAGES = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "modprobe": "kmod"}
KERNEL = "linux-image-amd64"
# What must be there before the host's root folder is; the rest is loaded from there on demand.
EARLY = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
# By whether the hardware helps. Without it the guest is some fifteen times slower, and the lab has to be told.
SPEEDS = {True: ("-accel", "kvm", "-cpu", "host"), False: ("-accel", "tcg,thread=multi", "-cpu", "max")}
PATIENCE = {True: 1, False: 15}
ENDED = re.compile(r"^guest: ended with (\d+)\r?$", re.MULTILINE)


class NoGuest(RuntimeError):
    """A guest cannot be had here, or did not come to its end."""


def hardware() -> bool:
    """Whether KVM runs any kernel here. Some hypervisors offer /dev/kvm without the hardware's help, for kernels of their kind only."""
    words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    return os.access(KVM, os.R_OK | os.W_OK) and not words.isdisjoint({"vmx", "svm"})


def kernel(progress: Progress) -> tuple[Path, str]:
    """The folder of an unpacked kernel package, and the kernel's release; downloaded once."""
    folder = FOLDER / "kernel"
    if not folder.exists():
        progress.step(f"downloading {KERNEL}")
        named = _output("apt-cache", "depends", "--important", KERNEL).split()
        package = next(word for word in named if re.match(r"linux-image-\d", word))
        subprocess.run(["apt-get", "-qq", "download", package], cwd=FOLDER, check=True)
        unfinished = folder.with_suffix(".unfinished")
        archive = next(FOLDER.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", archive, unfinished], check=True)
        archive.unlink()
        release = next((unfinished / "lib/modules").iterdir()).name
        subprocess.run(["depmod", "-b", unfinished, release], check=True)
        unfinished.rename(folder)
    return folder, next((folder / "lib/modules").iterdir()).name


def early_modules(folder: Path, release: str) -> list[Path]:
    """Files of the modules that the first root folder needs, each after those it builds upon."""
    files: dict[Path, None] = {}
    for module in EARLY:
        shown = _output("modprobe", "--dirname", folder, "--set-version", release, "--show-depends", module)
        files |= {Path(line.split()[1]): None for line in shown.splitlines() if line.startswith("insmod")}
    return list(files)


def first_root(folder: Path, release: str, words: Sequence[str]) -> Path:
    """The archive that the kernel unpacks as its first root folder."""
    root = FOLDER / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "modules", "dev", "proc"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin")
    modules = early_modules(folder, release)
    for module in modules:
        shutil.copy(module, root / "modules")
    (root / "modules" / "order").write_text("".join(f"{module.name}\n" for module in modules), encoding="ascii")
    for name in ("init", "start"):
        shutil.copy(OWN / name, root / name)
    (root / "init").chmod(0o755)
    known = {"REPOSITORY": paths.REPOSITORY, "MODULES": folder / "lib/modules" / release, "RELEASE": release, "PATH": os.environ["PATH"],
             "FAIRWAY_LAB_PATIENCE": PATIENCE[hardware()]}
    lines = [f"export {name}={shlex.quote(str(value))}\n" for name, value in known.items()]
    (root / "wish").write_text("".join(lines) + f"set -- {shlex.join(words)}\n", encoding="utf-8")
    archive = FOLDER / "first-root.cpio"
    with open(archive, "wb") as output:
        subprocess.run(["sh", "-c", "find . | busybox cpio -o -H newc"], cwd=root, stdout=output, stderr=subprocess.DEVNULL, check=True)
    return archive


def boot(image: Path, archive: Path, memory: int, minutes: float) -> int:
    """Runs the guest, shows what it prints and gives the status of its command."""
    log = FOLDER / "console.log"
    words = [
        "setpriv", "--pdeathsig", "KILL",  # whatever ends this process, the guest goes, too
        "qemu-system-x86_64", "-machine", "q35", *SPEEDS[hardware()], "-smp", str(os.cpu_count()), "-m", f"{memory}G",
        "-nodefaults", "-display", "none", "-no-reboot", "-kernel", str(image), "-initrd", str(archive),
        "-append", "console=ttyS0 quiet panic=-1", "-chardev", f"stdio,id=console,logfile={log}", "-serial", "chardev:console",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
    ]
    try:
        subprocess.run(words, stdin=subprocess.DEVNULL, timeout=minutes * 60, check=False)
    except subprocess.TimeoutExpired:
        raise NoGuest(f"the guest did not end within {minutes:g} minutes; its console is in {log}") from None
    ended = ENDED.search(log.read_text(encoding="utf-8", errors="replace"))
    if ended is None:
        raise NoGuest(f"the guest ended before its command did; its console is in {log}")
    return int(ended[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=6, metavar="GIB", help="of the guest (6); what it writes is in there, too")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long it may take")
    parser.add_argument("command", nargs="*", help="in place of the lab's tests; runs in the repository's folder")
    wish = parser.parse_args()
    progress = Progress()
    packages.install(packages.NODES | PACKAGES, progress)
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder, release = kernel(progress)
    words = wish.command or [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "e2e/lab/tests"]
    archive = first_root(folder, release, words)
    progress.step(f"booting Linux {release}" + ("" if hardware() else ", emulated: slow"))
    return boot(folder / "boot" / f"vmlinuz-{release}", archive, wish.memory, wish.minutes)


def _output(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (NoGuest, packages.NotInstalled) as refusal:
        sys.exit(f"{refusal}")
