"""What can be used as a scenario."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import CallError, Mistake

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: A path, a text in YAML or JSON, a document, or the name of a bundled scenario.
Scenario = str | os.PathLike[str] | Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A scenario as the protocol has it."""

    #: The fields of a request.
    fields: dict[str, str]
    #: What the command line calls it: a path or the name of a bundled scenario; empty for a text or a document, which has no name.
    name: str = ""


def source(scenario: Scenario) -> Source:
    """Reads a scenario."""
    if isinstance(scenario, Mapping):
        return Source({"yaml": json.dumps(scenario)})
    if not isinstance(scenario, str) or (scenario.endswith((".yaml", ".yml", ".json")) and "\n" not in scenario):
        return Source({"yaml": Path(scenario).read_text(encoding="utf-8")}, os.fspath(scenario))
    if set(scenario) & set("\n:{"):
        return Source({"yaml": scenario})
    return Source({"name": scenario}, scenario)


@contextmanager
def mistakes_in(document: object) -> Iterator[None]:
    """Names the mistakes in a document of Python objects by their paths: nobody has seen the line of JSON that was sent."""
    try:
        yield
    except CallError as error:
        if isinstance(document, str | os.PathLike) or not error.mistakes:
            raise
        mistakes = [replace(mistake, description=_by_path(mistake)) for mistake in error.mistakes]
        message = str(error.args[0]).replace(error.mistakes[0].description, mistakes[0].description)
        raise CallError(message, code=error.code, reason=error.reason, mistakes=mistakes) from None


def _by_path(mistake: Mistake) -> str:
    place = f"`{mistake.path}`: " if mistake.path else ""
    return re.sub(r"^line 1, column \d+: ", lambda _: place, mistake.description)
