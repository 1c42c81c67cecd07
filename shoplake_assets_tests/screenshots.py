"""Takes the pictures of the documentation from a running lake, so that they can be made again.

    shoplake up -d
    python -m shoplake_assets_tests.screenshots
    python -m shoplake_assets_tests.screenshots --failed-check   # first sends events of which a fifth is broken

Belongs here: driving a headless browser over the pages that people look at. Does not belong here: what they show. The
lake is the one of the settings (`SHOPLAKE_HOME`), the pictures go to `docs/images/`.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Error, Page, sync_playwright

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.browsers import ARGUMENTS, find_browser

IMAGES = Path(__file__).parent.parent / "docs" / "images"

PAGES = {"live": "/", "insights": "/insights?window=all", "health": "/health"}
# What is there last on each of them.
FILLED = "#live-newest tbody tr, #sales .bars path, #health-tables tbody tr"

PATIENCE_MS = 60_000
# What is drawn step by step, such as a graph that moves into place, has come to rest by then.
REST_MS = 2_500


def main() -> None:
    """Take all pictures, or that of a failed check."""
    parser = argparse.ArgumentParser(description="Takes the pictures of the documentation from the lake that is up.")
    parser.add_argument(
        "--failed-check", action="store_true", help="break the producer, and take the failed check only"
    )
    pictures = failed_check if parser.parse_args().failed_check else everyday
    try:
        take(load_settings(), pictures)
    except ShoplakeError as error:
        sys.exit(f"shoplake: {error}")


def take(settings: Settings, pictures: Callable[[Browser, Settings], None]) -> None:
    """Take the pictures of the lake that the settings name.

    Raises:
        ShoplakeError: There is no browser, or a page does not show what is to be seen on it.
    """
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        try:
            pictures(browser, settings)
        except Error as error:
            raise ShoplakeError(
                f"{error.message.splitlines()[0].rstrip('.')}. Does the lake run, and is there data in Gold? "
                "'shoplake status' shows it."
            ) from error
        finally:
            browser.close()


def everyday(browser: Browser, settings: Settings) -> None:
    """The asset graph and the pages of the dashboard."""
    dashboard = settings.dashboard_url
    asset_graph(browser, url=f"{settings.dagster_url}/asset-groups")
    for picture, path in PAGES.items():
        dashboard_page(browser, f"{picture}.png", url=f"{dashboard}{path}")
    dashboard_page(browser, "live-dark.png", url=dashboard, scheme="dark")
    dashboard_page(browser, "live-phone.png", url=dashboard, width=390)


def failed_check(browser: Browser, settings: Settings) -> None:
    """The report of the check that keeps a broken producer out of Silver."""
    shoplake = [sys.executable, "-m", "shoplake_assets.cli.main"]
    broken = ("--rate", "0", "--count", "5000", "--bad-rate", "0.2")
    subprocess.run([*shoplake, "generate", *broken], check=True)  # noqa: S603  our own command
    url = f"{settings.dagster_url}/assets/silver/events?view=checks&checkDetail=quarantine_share"
    page = _open(browser, url=url, scheme="light", size=(1700, 1420), sharpness=1)
    # The events have to come through Bronze, and a refresh that was under way is finished first.
    page.wait_for_selector("text=branch to inspect", timeout=3 * PATIENCE_MS)
    page.wait_for_selector("text=In Progress", state="hidden", timeout=PATIENCE_MS)
    _shoot(page, "failed-check.png")


def asset_graph(browser: Browser, *, url: str) -> None:
    """The lineage of all assets in the Dagster UI."""
    # On a smaller screen the graph is zoomed out until its nodes show nothing but names.
    page = _open(browser, url=url, scheme="light", size=(2800, 1700), sharpness=1)
    # Nodes are drawn for assets and, while they are collapsed, for groups.
    page.wait_for_selector("svg foreignObject", timeout=PATIENCE_MS)
    page.wait_for_timeout(REST_MS)
    page.keyboard.press("Alt+KeyE")  # Expands all groups.
    page.wait_for_selector("[class*=ExpandedGroupNode]", timeout=PATIENCE_MS)
    _shoot(page, "asset-graph.png")


def dashboard_page(
    browser: Browser, picture: str, *, url: str, scheme: Literal["light", "dark"] = "light", width: int = 1280
) -> None:
    """A page of the dashboard, as long as it is, once it is filled."""
    page = _open(browser, url=url, scheme=scheme, size=(width, 900), sharpness=2)
    # An hour without revenue has a bar without height, which would not count as visible.
    page.wait_for_selector(FILLED, state="attached", timeout=PATIENCE_MS)
    _shoot(page, picture, full_page=True)


def _open(
    browser: Browser, *, url: str, scheme: Literal["light", "dark"], size: tuple[int, int], sharpness: int
) -> Page:
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        device_scale_factor=sharpness,
    )
    page.goto(url, timeout=PATIENCE_MS)
    return page


def _shoot(page: Page, name: str, *, full_page: bool = False) -> None:
    page.wait_for_timeout(REST_MS)
    page.screenshot(path=IMAGES / name, full_page=full_page)
    page.close()
    sys.stdout.write(f"{IMAGES / name}\n")


if __name__ == "__main__":
    main()
