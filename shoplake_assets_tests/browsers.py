"""The browser that tests and the pictures of the documentation drive: the system's own.

Belongs here: finding it, and what it is started with. Does not belong here: what is looked at.
"""

import shutil

from shoplake_assets.errors import ShoplakeError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A container's root has no sandbox to use; the rest keeps the browser from calling home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_browser() -> str:
    """The system's browser.

    Raises:
        ShoplakeError: There is none.
    """
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise ShoplakeError(f"none of {', '.join(BROWSERS)} is installed; the package 'chromium' of the system is enough.")
