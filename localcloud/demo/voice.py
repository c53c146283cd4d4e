"""How the demo speaks: one line a happening, with the time since the start. Called by the rest of the demo."""

import time

from rich.console import Console
from rich.text import Text

WIDTH = 140


class Voice:
    """Prints. On a terminal in colours, with a line that changes while something is under way; else plainly."""

    def __init__(self) -> None:
        probe = Console(highlight=False)
        self.console = probe if probe.is_terminal else Console(highlight=False, width=WIDTH)
        self._began_s = time.monotonic()
        self._under_way = ""
        self._said_s = 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began_s

    def chapter(self, number: int, title: str) -> None:
        """A new part of the story."""
        self._clear()
        self.console.print()
        self.console.print(Text(f"{number}. {title}", style="bold"))

    def say(self, text: str, style: str = "", mark: str = " ") -> None:
        """One thing that happened."""
        self._clear()
        line = Text(f"  {self._clock()} {mark} ", style="dim")
        line.append(text, style=style or "default")
        self.console.print(line)

    def progress(self, text: str, every_s: float = 4.0) -> None:
        """Something under way: rewritten in place on a terminal, else told again only from time to time."""
        if text == self._under_way:
            return
        if self.console.is_terminal:
            self._clear()
            self._under_way = text
            self.console.print(Text(f"  {self._clock()} … {text}", style="dim"), end="\r")
        elif time.monotonic() - self._said_s >= every_s:
            self._said_s, self._under_way = time.monotonic(), text
            self.console.print(f"  {self._clock()} … {text}")

    def _clear(self) -> None:
        if self._under_way and self.console.is_terminal:
            self.console.print(" " * (len(self._under_way) + 14), end="\r")
        self._under_way = ""

    def _clock(self) -> str:
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        return f"{minutes}:{seconds:02}"
