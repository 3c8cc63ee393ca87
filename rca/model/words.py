"""Numbers in sentences."""


def counted(count: int, what: str) -> str:
    """A number with its noun: `1 alert`, `3 alerts`, `1,200 alerts`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
