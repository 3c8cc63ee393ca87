"""`rca`, and `python -m rca`."""


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it as quietly as later on."""
    try:
        from rca.cli.main import run  # noqa: PLC0415 - what the import is interrupted by is caught, too

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
