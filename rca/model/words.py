"""Numbers in sentences."""


def counted(count: int, what: str) -> str:
    """A number with its noun: `1 alert`, `3 alerts`, `1,200 alerts`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """A share of all, 0 to 1, in whole per cent: `98 %`."""
    return f"{share * 100:.0f} %"
