#!/bin/sh
# Takes out of an environment what no service imports. tests/deployment/images starts the services from what is left.
set -eu
packages=$(echo "$1"/lib/python3*/site-packages)
find "$packages" -type d \( -name tests -o -name test -o -name include \) -prune -exec rm -rf {} +
find "$packages" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.a' \) -delete
rm -rf "$packages"/pyarrow/*arrow_flight* "$packages"/pyarrow/_flight*
