#!/bin/sh
# Make the virtual environment $1 with the first Python that really runs and is 3.10 or newer; keep a good one that is there.
# PYTHON names the interpreter to use instead.
set -eu
venv=$1
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }
has_venv()   { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }
version()    { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# a venv whose making was interrupted has no pip yet
if new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  if [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON" 2>/dev/null)" = "$(version "$venv/bin/python")" ]; then exit 0; fi
fi

if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.11 python3.12 python3.13 python3.10 python3; fi
old=
for p in "$@"; do  # run each one: a name on the path may be a shim for a version that is not active
  new_enough "$p" || continue
  if has_venv "$p"; then
    echo "Making $venv with $p ($("$p" -V))"
    exec "$p" -m venv --clear "$venv"
  fi
  old=$p
done

if [ -n "$old" ]; then
  echo "$old cannot make virtual environments: its venv or ensurepip module is missing (on Debian or Ubuntu: apt install python$(version "$old")-venv)." >&2
else
  echo "recnb needs Python 3.10 or newer, and none of these is one: $*. Name yours with make PYTHON=/path/to/python." >&2
fi
exit 1
