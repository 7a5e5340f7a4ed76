from PIL import Image

from gandetect.report.grid_files import write_grids


def test_every_sample_and_every_mistake_becomes_a_picture(stored_run, tmp_path):
    written = write_grids(stored_run, tmp_path / "grids")
    names = {path.name for path in written}
    assert names == {path.name for path in (tmp_path / "grids").iterdir()}
    assert "samples-dcgan-bn-seed-0-epoch-0006.png" in names
    assert "samples-dcgan-plain-seed-0.gif" in names
    assert "mistakes-dcgan-bn-seed-0-real-held-out.png" in names
    for path in written:
        with Image.open(path) as picture:
            picture.verify()
