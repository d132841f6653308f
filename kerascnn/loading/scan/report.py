"""What a scan has seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from kerascnn.errors import one_line

#: More findings than this say nothing new.
_MOST = 20


@dataclass
class Report:
    """What a scan has seen.

    Attributes:
        findings: what speaks against loading the file, each as ``what, at where``.
        values: how many numbers the file stores as weights.
        aliases: names under which the file asks for a class that the caller supplies → that class'
            name as given by the caller.
        warnings: what the user should know although it does not keep the file out.
    """

    findings: list[str] = field(default_factory=list)
    values: int = 0
    aliases: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def find(self, what: str, where: str) -> None:
        """Note something that speaks against loading the file."""
        finding = f"{what}, at {one_line(where, 120)}"
        if len(self.findings) < _MOST and finding not in self.findings:
            self.findings.append(finding)

    def warn(self, text: str) -> None:
        """Note something that the user should know."""
        if text not in self.warnings:
            self.warnings.append(text)
