"""What a scan has found."""

from __future__ import annotations

from dataclasses import dataclass, field

from kerascnn.errors import one_line

#: More findings than this say nothing new.
_MOST = 20


@dataclass
class Report:
    """What a scan has found.

    Attributes:
        findings: reasons to refuse the file, each as ``what, at where``.
        values: how many numbers the file stores as weights.
        aliases: names under which the file asks for a class that the caller supplies → that class'
            name as given by the caller.
    """

    findings: list[str] = field(default_factory=list)
    values: int = 0
    aliases: dict[str, str] = field(default_factory=dict)

    def find(self, what: str, where: str) -> None:
        """Add a reason to refuse the file."""
        finding = f"{what}, at {one_line(where, 120)}"
        if len(self.findings) < _MOST and finding not in self.findings:
            self.findings.append(finding)


def bytes_text(count: int) -> str:
    """Return a number of bytes in words, such as ``"12 MiB"``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{min(count, 10**9)} TiB"
