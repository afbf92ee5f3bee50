# Completion of swapmq for fish. The program itself says what may stand next.

function __swapmq_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    switch "$lines[1]"
        case :files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current")
        case :folders
            __fish_complete_directories (string replace -r '^--[^=]*=' '' -- "$current")
        case :words
            # Each is a candidate, a tab, and its description.
            printf '%s\n' $lines[2..-1]
    end
end

complete -c swapmq -f -a '(__swapmq_complete)'
