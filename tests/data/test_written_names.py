"""Two files never get one path in a table, whatever bytes their names are made of."""

from __future__ import annotations

import os
import re

from hypothesis import example, given
from hypothesis import strategies as st

from gandetect.data.found import written

# Bytes that come near each other when they are escaped, and any others.
NAMES = st.one_of(
    st.lists(st.sampled_from([b"\\", b"x", b"f", b"\xff", b"\xfe", b"a", "é".encode()])).map(
        b"".join
    ),
    st.binary().filter(lambda name: b"\0" not in name),
)


def original(text: str) -> bytes:
    """The bytes of a name, from how it was written."""
    if not re.search(r"\\x[0-9a-f]{2}", text):
        return text.encode()
    parts = re.split(rb"(\\\\|\\x[0-9a-f]{2})", text.encode())
    return b"".join(
        b"\\" if part == b"\\\\" else bytes([int(part[2:], 16)]) if part[:2] == b"\\x" else part
        for part in parts
    )


@given(NAMES)
@example(b"\\xff")
@example(b"\\\\xff")
@example(b"\xff")
def test_the_name_can_be_told_from_what_is_written(name: bytes) -> None:
    text = written(os.fsdecode(name))
    text.encode("utf-8")
    assert original(text) == name


def test_an_ordinary_name_stays_as_it_is() -> None:
    for name in ("a/b c.png", "été.png", r"C:\new\x.png", "10%.png", "a'b\".png"):
        assert written(name) == name
