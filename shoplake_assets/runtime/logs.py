"""How the Java processes log: to their standard output, one line per message, only what matters.

Belongs here: the log4j2 configuration that the broker and Spark share. Does not belong here: where the output goes
(`supervision`).
"""

from collections.abc import Mapping
from pathlib import Path

PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %-5p %c{1}: %m%n"


def write_log4j2(path: Path, *, levels: Mapping[str, str]) -> None:
    """Write a log4j2 configuration.

    Args:
        path: The file.
        levels: Levels of single loggers; all others log warnings and errors.
    """
    lines = [
        "status = error",
        "rootLogger.level = warn",
        "rootLogger.appenderRef.console.ref = console",
        "appender.console.type = Console",
        "appender.console.name = console",
        "appender.console.target = SYSTEM_OUT",
        "appender.console.layout.type = PatternLayout",
        f"appender.console.layout.pattern = {PATTERN}",
    ]
    for number, (name, level) in enumerate(levels.items()):
        lines += [f"logger.l{number}.name = {name}", f"logger.l{number}.level = {level}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
