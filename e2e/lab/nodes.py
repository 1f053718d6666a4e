from pathlib import Path
def enter(folder: Path, name: str) -> list[str]: raise NotImplementedError
def load(folder: Path, name: str, archive: Path) -> None: raise NotImplementedError
def kill(folder: Path, lab: str, name: str) -> None: raise NotImplementedError
