"""Dagster's daemon, which looks for what is due as often as the settings let a sensor tick.

    python -m shoplake_assets.daemon run --workspace ...        takes what `python -m dagster._daemon` takes

Belongs here: how often the daemon looks. Does not belong here: what is due, which Dagster decides.

Dagster looks for sensors that are due every 5 s, whatever their own interval is, and likewise for automation: between
a commit to Bronze and the refresh of Silver that would be up to 10 s of waiting.
"""

from dagster._daemon import asset_daemon, sensor
from dagster._daemon.cli import main

from shoplake_assets.settings import load_settings

if __name__ == "__main__":
    dagster = load_settings().dagster
    sensor.MIN_INTERVAL_LOOP_TIME = dagster.sensor_seconds
    asset_daemon.MIN_INTERVAL_LOOP_SECONDS = dagster.automation_seconds
    main()
