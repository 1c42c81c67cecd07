"""Every setting as it is shown: by `shoplake settings`, and in the documentation.

Belongs here: settings to rows of text. Does not belong here: what may be set, and where it is read from (`settings`).
"""

from typing import NamedTuple

from pydantic.fields import FieldInfo

from shoplake_assets.sections import Section
from shoplake_assets.settings import PREFIX, Settings


class SettingRow(NamedTuple):
    """One setting as it is shown.

    Attributes:
        variable: The environment variable.
        value: Its value now; asterisks in the place of a secret.
        default: Its default.
        description: What it is for.
    """

    variable: str
    value: str
    default: str
    description: str


def describe_settings(settings: Settings) -> list[SettingRow]:
    """Every setting with its variable, value, default and description, in the order of their sections."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, Section):
            for inner, described in type(value).model_fields.items():
                variable = f"{PREFIX}{name}__{inner}".upper()
                rows.append(_row(variable, getattr(value, inner), described))
        else:
            rows.append(_row(f"{PREFIX}{name}".upper(), value, field))
    return rows


def _row(variable: str, value: object, field: FieldInfo) -> SettingRow:
    def text(given: object) -> str:
        return "" if given is None else str(given)

    return SettingRow(variable, text(value), text(field.default), field.description or "")
