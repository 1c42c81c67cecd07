"""Dagster's daemon, which looks for what is due every 2 s.

    python -m shoplake_assets.daemon run --workspace ...        takes what `python -m dagster._daemon` takes

Belongs here: how often the daemon looks. Does not belong here: how often a sensor may tick, which its definition says.

Dagster looks for sensors that are due every 5 s, whatever their own interval is, and likewise for automation: between
a commit to Bronze and the refresh of Silver that would be up to 10 s of waiting.
"""

from dagster._daemon import asset_daemon, sensor
from dagster._daemon.cli import main

LOOK_SECONDS = 2

if __name__ == "__main__":
    sensor.MIN_INTERVAL_LOOP_TIME = LOOK_SECONDS
    asset_daemon.MIN_INTERVAL_LOOP_SECONDS = LOOK_SECONDS
    main()
