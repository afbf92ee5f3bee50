# Reads what `abidiff --leaf-changes-only --no-added-syms` reports. Ends with 0 if structs that say their
# size have grown at their end, and enums by further values, and nothing else has changed; with 1 if
# anything has that a program or plugin which is built already would notice.
# structs: the names of those that say their size, with a space before and after each
function breaks() { broken = 1; exit 1 }

/^Leaf changes summary: / || /^Changed leaf types summary: / || /^$/ { next }
/^Removed\/Changed\/Added (functions|variables) summary: 0 Removed, 0 Changed, / { next }
/^'struct [a-z_]+' changed:$/ {
  split($0, words, "[ ']+")
  if (!index(structs, " " words[3] " ")) breaks()
  size = -1
  next
}
/^'enum .*' changed:$/ { size = 0; next }
/^  type size changed from [0-9]+ to [0-9]+ \(in bits\)$/ { size = $5; next }
/^  type size hasn't changed$/ { next }
/^  [0-9]+ data member insertions?:$/ { next }
/^    '.*', at offset [0-9]+ \(in bits\)$/ {
  match($0, /at offset [0-9]+/)
  if (size < 0 || substr($0, RSTART + 10, RLENGTH - 10) + 0 < size) breaks()
  next
}
/^  [0-9]+ enumerator insertions?:$/ { next }
/^    '[A-Za-z_:]+' value '-?[0-9]+'$/ { next }
{ breaks() }

END { exit broken }
