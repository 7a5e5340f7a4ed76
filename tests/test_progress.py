import pytest

from gandetect.progress import Silent


def test_the_api_passes_over_no_warning_in_silence() -> None:
    with pytest.warns(UserWarning, match="made afresh"):
        Silent().event({"event": "warning", "message": "it is made afresh"})
    Silent().event({"event": "step", "done": 1})
