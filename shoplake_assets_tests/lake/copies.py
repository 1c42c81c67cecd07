"""A lake that several tests begin with: filled once, and copied for each of them.

Belongs here: setting it aside and putting it back, files and catalog. Does not belong here: what is in it. For tests
that remove files or snapshots; `verifying.undone` is enough for those that only commit.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shoplake_assets.tables import ALL
from shoplake_assets_tests.building import Shop


@dataclass(frozen=True)
class Copy:
    """A shop as it was when it was set aside.

    Attributes:
        folder: The tables' folders.
        metadata: The metadata file of each table, where it was and will be again.
        next_offsets: The shop's.
    """

    folder: Path
    metadata: Mapping[str, str]
    next_offsets: Mapping[int, int]


def set_aside(shop: Shop, folder: Path) -> Copy:
    """Copy the shop's tables into the folder."""
    for name in ALL:
        shutil.copytree(_folder_of(shop, name), folder / name)
    metadata = {name: shop.lake.table(name).metadata_location for name in ALL}
    return Copy(folder, metadata, dict(shop.next_offsets))


def put_back(copy: Copy, shop: Shop) -> Shop:
    """Make the shop, in the place where the copy was taken, what it was then."""
    for name in ALL:
        folder = _folder_of(shop, name)
        shop.lake.catalog.drop_table(name)
        shutil.rmtree(folder)
        shutil.copytree(copy.folder / name, folder)
        shop.lake.catalog.register_table(name, copy.metadata[name])
    shop.next_offsets = dict(copy.next_offsets)
    return shop


def _folder_of(shop: Shop, name: str) -> Path:
    return Path(urlsplit(shop.lake.table(name).location()).path)
