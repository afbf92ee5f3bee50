# shellcheck shell=bash disable=SC2034 # what is unused here is used by those who source it
#
# What the scripts beside this folder share. To be sourced from the top of the repository.

readonly exit_failed=1 exit_usage=2 exit_packages=3

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  readonly bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' cyan=$'\e[36m' plain=$'\e[0m'
else
  readonly bold='' dim='' red='' green='' cyan='' plain=''
fi

complain() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; }

# The packages of the named lists (packaging/packages/NAME), one a line.
packages_of() {
  local list
  for list in "$@"; do
    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "packaging/packages/$list"
  done
}

# Those of the named lists that are not installed, one a line.
missing_packages() {
  local package
  for package in $(packages_of "$@"); do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      printf '%s\n' "$package"
    fi
  done
}

# Installs what is missing of the named lists. Asks nothing: where it may not install, it says what
# to run and ends the script.
ensure_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    complain "This is not a Debian system (no apt-get). Install what packaging/packages names by" \
      "other means and build with: cmake --preset release && cmake --build --preset release"
    exit "$exit_packages"
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    return
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      complain "These Debian packages are missing; install them and start again:"
      complain "  sudo apt-get install --no-install-recommends ${missing[*]}"
      exit "$exit_packages"
    fi
    as_root=(sudo -n)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  printf 'installing %s\n' "${missing[*]}"
  # Old lists may do; if not, the installation says so.
  "${as_root[@]}" apt-get update -qq </dev/null || complain "apt-get update failed; going on"
  if ! "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null; then
    complain "apt-get could not install: ${missing[*]}"
    exit "$exit_packages"
  fi
}

# Seconds since $1, a value of EPOCHREALTIME, with one decimal.
seconds_since() {
  local now=$EPOCHREALTIME
  local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# Builds the named targets (all if none) of a preset.
build_preset() {
  local preset=$1
  shift
  configure_preset "$preset"
  local jobs targets=()
  jobs=$(nproc)
  (($# == 0)) || targets=(--target "$@")
  cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}"
}

# Configures the tree of a preset if that was not done. The tests are left out of a new tree unless
# SWAPMQ_BUILD_TESTS is ON in the environment. Uses ccache where there is one.
configure_preset() {
  local preset=$1
  local tests=${SWAPMQ_BUILD_TESTS:-}
  if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  if [[ ! -f build/$preset/build.ninja ]]; then
    cmake --preset "$preset" -DSWAPMQ_BUILD_TESTS="${tests:-OFF}"
  elif [[ -n $tests ]] &&
    ! grep -qx "SWAPMQ_BUILD_TESTS:[A-Z]*=$tests" "build/$preset/CMakeCache.txt"; then
    cmake --preset "$preset" -DSWAPMQ_BUILD_TESTS="$tests"
  fi
}
