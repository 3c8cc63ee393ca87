"""Numbers in sentences."""


def counted(count: int, what: str) -> str:
    """`1 alert`, `3 alerts`."""
    return f"{count} {what}{'' if count == 1 else 's'}"
