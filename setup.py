"""Installs colornet; the only list of what it depends on."""
import glob
import os
import re

from setuptools import find_packages, setup


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def share(*patterns):
    """Files as (folder below sys.prefix, paths) pairs, folders kept."""
    folders = {}
    for pattern in patterns:
        for path in sorted(glob.glob(pattern, recursive=True)):
            if os.path.isfile(path):
                folder = os.path.join('share/colornet', os.path.dirname(path))
                folders.setdefault(folder, []).append(path)
    return sorted(folders.items())


def where(marker, requirements):
    """Requirements that are for some versions of Python only."""
    for requirement in requirements:
        name, semicolon, own = requirement.partition(';')
        yield '%s; %s' % (name, ' and '.join(
            [marker] + [own.strip()] * bool(semicolon)))


X86_64_LINUX = 'sys_platform == "linux" and platform_machine == "x86_64"'

#: Python 3.8 to 3.11: all of colornet. Theano 1.0.5 does not install on 3.12.
WITH_THEANO = [
    'Theano==1.0.5',             # the networks' expressions, compiled
    'Lasagne==0.1',              # their layers and Adam
    'numpy==1.23.5',             # 1.24 removed names that Theano uses
    'scipy==1.10.1',             # Theano needs it; the last for Python 3.8
    # A BLAS for Theano, so that none need be installed beside Python.
    'scipy-openblas32==0.3.34.481.3',
    # Convolutions: library and headers. The last that have Winograd's
    # algorithm for float32.
    'onednn-cpu-gomp==2023.0.0; ' + X86_64_LINUX,
    'onednn-devel-cpu-gomp==2023.0.0; ' + X86_64_LINUX,
    'scikit-image==0.21.0',      # CIELUV and HSV
    'h5py==3.11.0',              # checkpoints, cached photos
    # Photos in and out. No version for Python 3.8 and 3.9 is without known
    # faults in formats that are read (docs/reliability.rst).
    'pillow==10.4.0; python_version < "3.10"',
    'pillow==12.3.0; python_version >= "3.10"',
    # TIFF of all samples and compressions, colour profiles and PNG in 16 bits:
    # Pillow has 8 bits, wraps what is longer and reads no BigTIFF reliably.
    'tifffile==2023.7.10',
    'imagecodecs==2024.12.30; python_version >= "3.9"',
    # The last for Python 3.8, where only some processors have a wheel.
    'imagecodecs==2023.3.16; python_version < "3.9" and '
    '(platform_machine == "x86_64" or platform_machine == "AMD64")',
    'tqdm==4.70.1',              # progress bars
    'matplotlib==3.7.5',         # plots of studies and benchmarks
    'Jinja2==3.1.6',             # the report's page
    # The test runner; nose itself stops at Python 3.9.
    'nose==1.3.7; python_version < "3.10"',
    'pynose==1.5.5; python_version >= "3.10"',
    # What the above bring along, so that all installations are alike.
    'MarkupSafe==2.1.5', 'PyWavelets==1.4.1', 'contourpy==1.1.1',
    'cycler==0.12.1', 'fonttools==4.53.1', 'imageio==2.35.1',
    'importlib-resources==6.4.5; python_version < "3.10"',
    'kiwisolver==1.4.7', 'lazy_loader==0.4', 'networkx==3.1',
    'packaging==24.2', 'pyparsing==3.1.4', 'python-dateutil==2.9.0.post0',
    'six==1.17.0',
    'zipp==3.20.2; python_version < "3.10"',
]

#: Later ones: what colours photos and scores networks; no compiler.
WITH_ONNX_RUNTIME = [
    'onnx==1.23.2',              # the networks as graphs
    'onnxruntime==1.32.0',       # what computes them
    'numpy==2.5.5', 'scipy==1.18.1', 'scikit-image==0.26.0', 'h5py==3.16.0',
    'pillow==13.0.0', 'tifffile==2026.11.8', 'imagecodecs==2026.10.10',
    'tqdm==4.70.1', 'matplotlib==3.11.2', 'Jinja2==3.1.6',
    'pynose==1.5.5',
    'ImageIO==2.38.1', 'MarkupSafe==3.0.4', 'contourpy==1.4.0',
    'cycler==0.12.1', 'flatbuffers==25.12.19', 'fonttools==4.68.0',
    'kiwisolver==1.5.1', 'lazy-loader==0.6', 'ml_dtypes==0.6.0',
    'networkx==3.7', 'packaging==26.4', 'protobuf==7.36.2',
    'pyparsing==3.3.3', 'python-dateutil==4.0.0',
    'typing_extensions==4.16.0', 'tzdata==2026.6',
]

setup(
    name='colornet',
    version=re.search(r"^__version__ = '(.+)'$", read('colornet/__init__.py'),
                      re.MULTILINE).group(1),
    description='Image colorization with deep convolutional neural networks '
                '(Hwang and Zhou, 2016), in Theano and Lasagne',
    license='MIT',
    packages=find_packages(include=['colornet', 'colornet.*']),
    # The C++ is compiled where it runs.
    package_data={'colornet.engine': ['cpp/*.cpp'],
                  'colornet.studies': ['page.rst', 'report.html'],
                  'colornet.web': ['static/*.*', 'static/vendor/*',
                                   'templates/*']},
    python_requires='>=3.8',
    install_requires=list(
        where('python_version < "3.12"', WITH_THEANO)) + list(
            where('python_version >= "3.12"', WITH_ONNX_RUNTIME)),
    extras_require={
        # Photos and studies on several machines.
        'cluster': ['distributed==2023.5.0; python_version < "3.12"',
                    'distributed==2026.8.0; python_version >= "3.12"'],
        # "colornet --print-completion": writes completion for shells.
        'completion': ['shtab==1.7.2; python_version < "3.9"',
                       'shtab==1.13.0; python_version >= "3.9"'],
        # "colornet export" to ONNX, and prediction from such files: those
        # that take the numpy that Theano can use. On Python 3.12, both are
        # there anyway.
        'onnx': [
            'onnx==1.17.0; python_version < "3.10"',
            'onnx==1.23.2; python_version == "3.10" or '
            'python_version == "3.11"',
            'onnxruntime==1.19.2; python_version < "3.10"',
            'onnxruntime==1.23.2; python_version == "3.10"',
            'onnxruntime==1.32.0; python_version == "3.11"'],
        # Photos of phones; those of cameras as their sensors saw them.
        'heif': ['pillow-heif==0.18.0; python_version < "3.12"',
                 'pillow-heif==1.8.1; python_version >= "3.12"'],
        'raw': ['rawpy==0.21.0; python_version < "3.12"',
                'rawpy==0.28.0; python_version >= "3.12"'],
        # "colornet train --engine pytorch". PyTorch needs setuptools 77; the
        # last ones lack pkg_resources, which Lasagne needs.
        'pytorch': ['torch==2.13.0; python_version >= "3.10"',
                    'setuptools==80.9.0; python_version < "3.12"'],
        # "colornet video": films in and out, with FFmpeg inside (the last for
        # Python 3.8, and one for all later ones); optical flow (the last that
        # takes numpy 1; it takes numpy 2 as well).
        'video': ['av==12.3.0; python_version < "3.9"',
                  'av==15.1.0; python_version >= "3.9"',
                  'opencv-python-headless==4.11.0.86'],
        # "colornet serve": pages and files by HTTP; a server for them, in
        # Python alone. The last ones for Python 3.8, and for those after it.
        'web': ['Flask==3.0.3; python_version < "3.9"',
                'Flask==3.1.3; python_version >= "3.9"',
                'waitress==3.0.0; python_version < "3.9"',
                'waitress==3.0.2; python_version >= "3.9"'],
        # What drives Chromium in the tests of that page.
        'browser': ['selenium==4.27.1; python_version < "3.9"',
                    'selenium==4.36.0; python_version == "3.9"',
                    'selenium==4.51.0; python_version >= "3.10"'],
    },
    entry_points={'console_scripts': ['colornet = colornet.cli:main']},
    data_files=share('weights/*.h5', 'weights/*.pkl', 'weights/*.rst',
                     'experiments/*.ini', 'experiments/scales/*.ini',
                     'experiments/results/*', 'experiments/splits/**',
                     'demo/photos/*', 'docs/figure*.jpg'),
)
