"""Payloads as they are shown to people: shortened, and never able to do anything to a terminal or a page.

Belongs here: the text of a payload. Does not belong here: where it is shown.
"""

MOST_CHARACTERS = 200
# Bytes that are enough for so many characters in any encoding, so that of a megabyte only the beginning is moved.
MOST_BYTES = 4 * MOST_CHARACTERS + 4


def shortened(payload: bytes | str | None, *, most: int = MOST_CHARACTERS) -> str:
    """The beginning of a payload in one line.

    What is not printable is shown as its code: a control character could move the cursor, and one that changes the
    direction of writing could make a text look like another.

    Args:
        payload: What a record carries, or a text.
        most: Characters that are shown at the most.
    """
    if payload is None:
        return "(none)"
    text = payload.decode("utf-8", errors="backslashreplace") if isinstance(payload, bytes) else payload
    shown = "".join(sign if sign.isprintable() else _code(sign) for sign in text[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def _code(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
