"""Tables that benchmarks write into a page of documentation."""

from pathlib import Path


def write_between(page: Path, marker: str, text: str) -> None:
    """Replace what stands between the two ``marker`` lines of ``page``."""
    before, _, after = page.read_text(encoding="utf-8").split(marker)
    page.write_text(f"{before}{marker}\n\n{text.strip()}\n\n{marker}{after}", encoding="utf-8")
