"""Container images made from programs of this machine, since no registry is reachable.

An image is a docker-archive: one layer, its configuration and a manifest. A dynamically linked program brings the libraries that
`ldd` names, at their own paths, and nothing else. Equal input gives an equal archive.
"""

import dataclasses
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

USER = "65532:65532"  # not root; what the usual minimal images take


class BadImage(RuntimeError):
    """An image cannot be made from what was given."""


@dataclasses.dataclass(frozen=True)
class Image:
    """An image's archive and the name under which nodes will know it. Pods use `imagePullPolicy: IfNotPresent`."""

    name: str
    archive: Path


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to put into an image. `files` maps paths in the image to files of this machine; the first one is the program."""

    name: str
    files: Mapping[str, Path]
    arguments: Sequence[str] = ()
    user: str = USER


def make(recipe: Recipe, archive: Path) -> Image:
    """Writes the archive of an image."""
    if not recipe.files:
        raise BadImage(f"{recipe.name}: no program given")
    layer = _layer(_with_libraries(recipe.files))
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": "amd64", "os": "linux",
        "config": {"Entrypoint": [next(iter(recipe.files)), *recipe.arguments], "User": recipe.user, "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    text = json.dumps(config).encode()
    config_name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [recipe.name], "Layers": [f"{digest}/layer.tar"]}]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as output:
        _add(output, config_name, text)
        _add(output, f"{digest}/layer.tar", layer)
        _add(output, "manifest.json", json.dumps(manifest).encode())
    return Image(recipe.name, archive)


def libraries(program: Path) -> list[Path]:
    """Shared libraries a program needs, the loader included; none for a static one."""
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    if "not a dynamic executable" in done.stderr or "statically linked" in done.stdout:
        return []
    if done.returncode or "not found" in done.stdout:
        raise BadImage(f"ldd {program}: {done.stderr.strip() or done.stdout.strip()}")
    words = (word for line in done.stdout.splitlines() for word in line.split())
    return sorted({Path(word) for word in words if word.startswith("/")})


def _with_libraries(files: Mapping[str, Path]) -> dict[str, Path]:
    found = dict(files)
    for file in files.values():
        if file.read_bytes()[:4] == b"\x7fELF":
            found.update({str(library): library for library in libraries(file)})
    return found


def _layer(files: Mapping[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        made: set[str] = set()
        for folder, mode in (("etc", 0o755), ("tmp", 0o1777)):
            _folder(layer, folder, mode, made)
        _add(layer, "etc/passwd", b"root:x:0:0:root:/:/none\nnonroot:x:65532:65532:nonroot:/tmp:/none\n")
        for path, file in files.items():
            inside = Path(path.lstrip("/"))
            for parent in reversed(inside.parents[:-1]):
                _folder(layer, str(parent), 0o755, made)
            _add(layer, str(inside), file.read_bytes(), 0o755)
    return buffer.getvalue()


def _folder(layer: tarfile.TarFile, path: str, mode: int, made: set[str]) -> None:
    if path in made:
        return
    made.add(path)
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    layer.addfile(entry)


def _add(output: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    output.addfile(entry, io.BytesIO(content))
