#!/bin/sh
# Runs one `warroom` subcommand. Numba uses no cache in a place that it cannot write to, so what was compiled when the
# image was made is first copied to where it can: a megabyte.
set -eu
if [ ! -d "$NUMBA_CACHE_DIR" ] && ! cp -r /opt/warroom/numba "$NUMBA_CACHE_DIR"; then
  echo "entrypoint: $NUMBA_CACHE_DIR cannot be written; ingest will compile for half a minute. Mount a tmpfs there." >&2
fi
exec warroom "$@"
