"""A progress bar on a terminal, plain lines elsewhere: what `regsosek night` shows while it works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def receiving(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """Yields a function that takes one line per finished province."""
    if not console.is_terminal:
        yield console.print
        return
    columns = (TextColumn("Provinces"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=total)

        def announce(line: str) -> None:
            progress.console.print(line)
            progress.advance(bar)

        yield announce
