"""`python -m shoplake_assets.ingest`: the ingest process, as the supervisor starts it."""

import logging
import sys
from typing import Annotated

import typer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings


def main(*, once: Annotated[bool, typer.Option("--once", help="Read what is in Kafka now, then end.")] = False) -> None:
    """Ingest Kafka into Bronze until SIGTERM, which lets the current batch finish."""
    from shoplake_assets.ingest.job import run_ingest

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        run_ingest(load_settings(), once=once)
    except ShoplakeError as error:
        sys.exit(f"shoplake: {error}")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
