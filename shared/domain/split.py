"""A split of an endpoint's traffic: live shares, and the mirrored one. Compared, and written as one line of text.

The line is the mark that Upkeep leaves on the endpoint with every change of its traffic. What the endpoint's shares
say and the mark does not was set by another hand; what a late write of a stalled pass set carries its own mark.
"""

from shared.domain.base import Kept

MARK = "upkeep_traffic"
"""The endpoint's tag that holds the mark."""


class Split(Kept, frozen=True, kw_only=True):
    """Percent by deployment. Shares of nought are the same as none."""

    traffic: dict[str, int] = {}
    mirror: dict[str, int] = {}

    @property
    def text(self) -> str:
        """`r0001=90 r0002=10`, and ` mirror r0002=20` behind it where there is one."""
        mirror = _shares(self.mirror)
        return _shares(self.traffic) + (f" mirror {mirror}" if mirror else "")

    def same_as(self, other: "Split") -> bool:
        """Whether both share the traffic alike."""
        return self.text == other.text


def _shares(shares: dict[str, int]) -> str:
    return " ".join(f"{name}={pct}" for name, pct in sorted(shares.items()) if pct)
