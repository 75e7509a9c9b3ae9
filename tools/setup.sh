#!/usr/bin/env bash
# Installs all that attune needs, once: Debian packages, and a Python environment that holds the libtorch and Arrow
# wheels (nothing of attune runs in Python). Safe to call again; goes on where a failed download stopped.
#   tools/setup.sh          what `make build` needs
#   tools/setup.sh parity   also the peers' packages, in an environment of their own
#   tools/setup.sh bench    also what `make bench` measures against
# ATTUNE_LIBTORCH=cuda or cpu in the environment chooses the libtorch; unless set, cuda where the driver lists a GPU. The
# wheel for cuda is the one without a "+cpu" behind its version, some gigabytes with what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "attune: $*"; }

again() { # three tries, for downloads
  local try
  for try in 1 2 3; do
    "$@" && return 0
    [ "$try" -lt 3 ] && { say "that failed; trying again"; sleep $((try * 5)); }
  done
  say "setup failed at: $*"
  say "run it again when the network is back: it goes on from here"
  return 1
}

packages=(g++ cmake ninja-build ccache mold pkg-config git python3 python3-venv
  libgtest-dev libgmock-dev libsimdjson-dev libyaml-cpp-dev libzstd-dev zlib1g-dev libxxhash-dev libutf8proc-dev libhwy-dev)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  say "installing Debian packages: ${missing[*]}"
  again "${as_root[@]}" apt-get update -qq
  again "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

# environment FOLDER REQUIREMENTS: made once per content of the requirements file.
environment() {
  local folder=$1 requirements=$2 stamp
  stamp="$folder/.complete-$(sha256sum "$requirements" | cut -c1-16)"
  [ -e "$stamp" ] && return 0
  say "filling $folder from $requirements"
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  again "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
  touch "$stamp"
}

device=${ATTUNE_LIBTORCH:-}
if [ -z "$device" ]; then
  device=cpu
  nvidia-smi --list-gpus 2> /dev/null | grep -q GPU && device=cuda
fi
case "$device" in
  cpu) environment .venv tools/requirements.txt ;;
  cuda) environment .venv tools/requirements-cuda.txt ;;
  *)
    say "ATTUNE_LIBTORCH is '$device'; it can be cpu or cuda"
    exit 1
    ;;
esac
case "${1:-}" in
  parity) environment .venv-parity tools/requirements-parity.txt ;;
  bench) environment .venv-bench tools/requirements-bench.txt ;;
esac
