# shellcheck shell=bash
# Completion of swapmq for bash. The program itself says what may stand next.

_swapmq() {
  local program=$1 rest=${COMP_LINE:0:COMP_POINT} word lines kind candidate kept
  local -a words=()

  # bash has cut the line at = and : as well; what no space parts is one word.
  for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ $rest == [[:space:]]* || ${#words[@]} -eq 0 ]]; then
      rest=${rest#"${rest%%[![:space:]]*}"}
      words+=("")
    fi
    [[ $rest == "$word"* ]] || word=$rest # the cursor is within it
    rest=${rest#"$word"}
    words[${#words[@]} - 1]+=$word
  done
  local current=${words[${#words[@]} - 1]}

  COMPREPLY=()
  mapfile -t lines < <("$program" __complete "${words[@]:1}" 2>/dev/null)
  kind=${lines[0]-}
  # Of a word with = or : in it bash replaces what follows those alone.
  kept=${current%"${current##*[=:]}"}
  case $kind in
    :files | :folders)
      compopt -o filenames
      local action=-f
      [[ $kind == :folders ]] && action=-d
      mapfile -t COMPREPLY < <(compgen "$action" -- "${current#"$kept"}")
      ;;
    :words)
      for candidate in "${lines[@]:1}"; do
        candidate=${candidate%%$'\t'*}
        candidate=${candidate#"$kept"}
        COMPREPLY+=("$(printf '%q' "$candidate")")
      done
      ;;
  esac
}

complete -F _swapmq swapmq
