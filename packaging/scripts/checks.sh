# shellcheck shell=bash
#
# The steps of ./packaging/test: a function step_NAME each, which prints what it does and fails if
# something is wrong. To be sourced after common.sh, from the top of the repository.

# What the labels of the tests mean to the steps.
readonly label_sanitized='^(unit|contract|sanitizer)$' label_no_sanitizer='^no_sanitizer$'

sources() { find core plugins host tests packaging -name '*.cpp' -o -name '*.hpp' -o -name '*.[ch]'; }

# The scripts: by their first line, or sourced.
scripts() {
  {
    find .ci core plugins host tests packaging -type f \( -name '*.sh' -o -name '*.bash' \)
    grep -rlIE --exclude-dir=build '^#!/(usr/bin/env bash|bin/(ba)?sh)' .ci core plugins host tests packaging
  } | sort -u
}

step_packages() { ensure_packages build test; }

# The listing tells the architecture, and each folder says what lives in it.
step_layout() {
  local found bad=0 folder
  for found in *; do
    case $found in
      core | plugins | host | config | tests | packaging | build) ;;
      CMakeLists.txt | CMakePresets.json | README.md | LICENSE) ;;
      swapmq-data) ;; # where the default config keeps its queues
      *)
        echo "$found: does not belong at the top level"
        bad=1
        ;;
    esac
  done
  for folder in core plugins host config tests packaging plugins/*/; do
    if [[ ! -s $folder/README.md ]]; then
      echo "$folder: has no README.md that says what lives there and what may not"
      bad=1
    fi
  done
  sort packaging/packages/* | sed -e '/^#/d' -e '/^$/d' | uniq -d | while read -r package; do
    echo "packaging/packages: $package is named twice"
    exit 1
  done || bad=1
  return "$bad"
}

step_format() { sources | xargs clang-format --dry-run -Werror; }

step_scripts() {
  local found
  mapfile -t found < <(scripts)
  printf '%s\n' "${found[@]}"
  shellcheck -x "${found[@]}"
}

step_readme() { packaging/scripts/check-readme README.md; }

step_build() { SWAPMQ_BUILD_TESTS=ON build_preset release; }

# clang-tidy, and with it clang's own warnings and its thread-safety analysis: see .clang-tidy.
step_lint() {
  SWAPMQ_BUILD_TESTS=ON configure_preset release
  run-clang-tidy -quiet -j "$(nproc)" -p build/release "^$PWD/(core|plugins|host|packaging)/" 2>&1 |
    sed -e 's/\x1b\[[0-9;]*m//g' -e '/^[0-9]* warnings\? generated/d' -e '/^clang-tidy.* -quiet /d'
}

# A plugin sees the ABI headers and nothing else of the core: what its sources are compiled with does
# not find the core's headers.
step_borders() {
  SWAPMQ_BUILD_TESTS=ON configure_preset release
  local plugin compile header commands bad=0
  for plugin in plugins/*/; do
    plugin=$(basename "$plugin")
    commands=$(ninja -C build/release -t commands "backend_$plugin")
    compile=$(sed -nE "/ -c .*\/plugins\/$plugin\//{s/ -MD -MT .*//; s/^[^ ]*ccache //; p}" <<<"$commands")
    compile=${compile%%$'\n'*} # that of its first source
    if [[ -z $compile ]]; then
      echo "$plugin: no source of it is compiled for the target backend_$plugin"
      bad=1
      continue
    fi
    for header in swapmq/backend.h swapmq/backend.hpp; do
      if ! includes "$compile" "$header"; then
        echo "$plugin.so: cannot include <$header>"
        bad=1
      fi
    done
    for header in $(cd core/include && echo swapmq/swapmq.h*) \
      $(cd core/src && find . -name '*.h' -printf '%P\n'); do
      if includes "$compile" "$header"; then
        echo "$plugin.so: can include <$header>, which is the core's"
        bad=1
      fi
    done
  done
  return "$bad"
}

includes() { # compiler with its flags, header
  local finds
  printf -v finds '#if !__has_include(<%s>)\n#error not found\n#endif' "$2"
  (cd build/release && sh -c "$1 -E -x c++ -" <<<"$finds" >/dev/null 2>&1)
}

# --- running the tests ----------------------------------------------------------------------------

# One more than there are cores: most tests wait for servers.
run_ctest() { # preset, arguments
  local preset=$1
  shift
  ctest --preset "$preset" --parallel "$(($(nproc) + 1))" --no-tests=error "$@"
}

step_tests() {
  step_build
  run_ctest release
}

# What the usual run has a small part of.
step_switches() {
  step_build
  ctest --preset release --build-config long --no-tests=error --tests-regex '\.long$' --verbose
}

step_asan() {
  SWAPMQ_BUILD_TESTS=ON build_preset asan
  run_ctest asan --label-regex "$label_sanitized" --label-exclude "$label_no_sanitizer"
}

# The thread sanitizer of this compiler cannot start where the kernel randomizes more address bits
# than it knows; tests also start while they are built, to be listed.
step_tsan() {
  if setarch "$(uname -m)" -R true 2>/dev/null && [[ -z ${SWAPMQ_FIXED_ADDRESSES:-} ]]; then
    SWAPMQ_FIXED_ADDRESSES=1 setarch "$(uname -m)" -R packaging/test --run-step tsan
    return
  fi
  SWAPMQ_BUILD_TESTS=ON build_preset tsan
  run_ctest tsan --label-regex "$label_sanitized" --label-exclude "$label_no_sanitizer"
}
