from pathlib import Path


def print_table(folder: Path, seed: int) -> None: ...
