"""One way to write a value, so that equal values have equal bytes and equal digests."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Serialise to JSON with sorted keys and no spaces: equal values, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
