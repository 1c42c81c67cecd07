"""The settings that belong to a lake: `settings.json` in its home.

Belongs here: changing some of them, in one step. Does not belong here: reading them, which `settings` does.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

Sections = Mapping[str, Mapping[str, Any]]


def kept_settings(settings: "Settings") -> dict[str, dict[str, Any]]:
    """What the file says; empty if there is none.

    Raises:
        ShoplakeError: It is not a JSON object.
    """
    file = settings.settings_file
    document: Any = json.loads(file.read_text()) if file.is_file() else {}
    if not isinstance(document, dict):
        raise ShoplakeError(f"{file} is not a JSON object. Mend or delete it.")
    return document


def keep_settings(settings: "Settings", sections: Sections) -> None:
    """Set these in the file; the others in it stay.

    Raises:
        ShoplakeError: It is not a JSON object.
    """
    document = kept_settings(settings)
    for section, values in sections.items():
        document[section] = {**document.get(section, {}), **values}
    temporary = settings.settings_file.with_suffix(".json.new")
    temporary.write_text(json.dumps(document, indent=2) + "\n")
    temporary.replace(settings.settings_file)
