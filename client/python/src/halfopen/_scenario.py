"""What a user may give as a scenario."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: A path, a text in YAML or JSON, a document, or the name of a bundled scenario.
Scenario = str | os.PathLike[str] | Mapping[str, Any]


def source(scenario: Scenario) -> dict[str, str]:
    """As the protocol has it."""
    if isinstance(scenario, Mapping):
        return {"yaml": json.dumps(scenario)}
    if not isinstance(scenario, str):
        return {"yaml": Path(scenario).read_text(encoding="utf-8")}
    if scenario.endswith((".yaml", ".yml", ".json")) and "\n" not in scenario:
        return {"yaml": Path(scenario).read_text(encoding="utf-8")}
    is_name = not set(scenario) & set("\n:{")
    return {"name" if is_name else "yaml": scenario}
