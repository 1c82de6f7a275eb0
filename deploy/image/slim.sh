#!/bin/sh
# Takes out of an environment what no service imports. tests/deployment/images starts the services from what is left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
packages=$(echo "$1"/lib/python3*/site-packages)
find "$packages" -type d \( -name tests -o -name test -o -name include \) -prune -exec rm -rf {} +
find "$packages" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.a' \) -delete

# Arrow: other protocols, other file systems (S3 alone is 17 MB), a second and third copy of one library.
cd "$packages"/pyarrow
rm -rf ./*arrow_flight* _flight* libarrow_python_flight* _pyarrow_cpp_tests* src
rm -f libarrow_s3.so* _s3fs* _gcsfs* _azurefs* _hdfs* _orc* _dataset_orc* _substrait*
find . -name 'libarrow_python*.so' -delete
find . -name 'libarrow_python*.so.*.*' -delete

# SciPy: `scipy.special`, which imports `linalg`. tests/architecture holds us to it.
cd "$packages"/scipy
rm -rf cluster constants datasets differentiate fft fftpack integrate interpolate io misc ndimage odr optimize signal \
  sparse spatial stats

# Pillow: pictures are PNG.
cd "$packages"
rm -f PIL/_avif* PIL/_webp* pillow.libs/libavif*

"$1"/bin/python "$here"/strip.py "$packages"
