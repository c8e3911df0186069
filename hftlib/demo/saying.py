"""How every step of the demo reports: a word, and what was seen."""

from rich.console import Console


def say(console: Console, what: str, text: str) -> None:
    console.print(f"[bold green]{what:>14}[/]  {text}")
