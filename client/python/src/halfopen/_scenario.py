"""What can be used as a scenario."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
