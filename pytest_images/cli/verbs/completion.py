"""`completion`: the script by which a shell asks what could be typed next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command, UsageError

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command("completion", "SHELL", least=1, most=1)

BASH = r"""# bash completion for pytest-images: source <(pytest-images completion bash)
_pytest_images() {
    local line="${COMP_LINE:0:COMP_POINT}" words candidate rest cur prefix=""
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur="${words[${#words[@]}-1]}"
    # Readline ends a word at a colon or an equals sign: it wants what follows the last one.
    [[ $cur == *[:=]* ]] && prefix="${cur%"${cur##*[:=]}"}"
    COMPREPLY=()
    while IFS=$'\t' read -r candidate rest; do
        if [[ $candidate == :files ]]; then
            compopt -o filenames 2> /dev/null
            while IFS= read -r candidate; do
                COMPREPLY+=("$candidate")
            done < <(compgen -f -- "${cur#"$prefix"}")
        elif [[ $candidate == "$cur"* ]]; then
            [[ $candidate == *= ]] && compopt -o nospace 2> /dev/null
            COMPREPLY+=("${candidate#"$prefix"}")
        fi
    done < <("${words[0]}" __complete "${words[@]:1}" 2> /dev/null)
}
complete -F _pytest_images pytest-images
"""
ZSH = r"""#compdef pytest-images
# zsh completion for pytest-images: source <(pytest-images completion zsh)
_pytest_images() {
    local -a candidates
    local line
    for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
        if [[ $line == :files ]]; then
            _files
            return
        elif [[ $line == *$'\t'* ]]; then
            candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        elif [[ -n $line ]]; then
            candidates+=("${line//:/\\:}")
        fi
    done
    _describe 'pytest-images' candidates
}
compdef _pytest_images pytest-images
"""
FISH = r"""# fish completion for pytest-images: pytest-images completion fish | source
function __pytest_images_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in ($words[1] __complete $words[2..-1] "$current" 2> /dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command pytest-images --no-files --arguments '(__pytest_images_complete)'
"""
SCRIPTS = {"bash": BASH, "fish": FISH, "zsh": ZSH}


def run(parsed: Parsed, settings: Settings) -> int:
    """Print the script. Raises UsageError."""
    shell = parsed.arguments[0]
    if shell not in SCRIPTS:
        raise UsageError(f"unknown shell: {shell}: one of {', '.join(SCRIPTS)}", COMMAND, 1)
    print(SCRIPTS[shell], end="")
    return 0
