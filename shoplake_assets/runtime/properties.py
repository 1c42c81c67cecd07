"""Values in Java's properties files, which the broker and Spark read.

Belongs here: the form. Does not belong here: what is written.
"""


def escape(value: str) -> str:
    """A value as `java.util.Properties` reads it: ASCII, with everything else and the backslash escaped."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if chr(code).isascii() else f"\\u{code:04x}" for code in codes)
