/**
 * What a shell reads to complete `murder`. Each asks `murder complete` with the words up to the cursor, one candidate a line, and
 * offers files when there is none. Sources: Programmable Completion in bash's manual, zshcompsys(1), fish's complete(1).
 */
export const COMPLETION_SCRIPTS: Record<string, string> = {
  bash: `_murder() {
  local IFS=$'\\n'
  COMPREPLY=($(murder complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _murder murder`,
  zsh: `#compdef murder
_murder() {
  local -a candidates
  candidates=("\${(@f)$(murder complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[*]}" ]]; then compadd -- "\${candidates[@]}"; else _files; fi
}
if [[ "$funcstack[1]" == _murder ]]; then _murder "$@"; else compdef _murder murder; fi`,
  fish: `function __murder_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (murder complete -- $words[2..-1] 2>/dev/null)
  if test -n "$candidates"
    string join \\n -- $candidates
  else
    __fish_complete_path (string unescape -- (commandline -ct))
  end
end
complete -c murder -f -a '(__murder_complete)'`,
}
