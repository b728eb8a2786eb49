/**
 * What a shell reads to complete `murder`. Each asks `murder complete` with the words up to the cursor, one candidate a line, and
 * offers files when there is none. Sources: Programmable Completion in bash's manual, zshcompsys(1), fish's complete(1).
 */
export const COMPLETION_SCRIPTS: Record<string, string> = {
  // Readline takes what is before and after a "=" for words of their own. They become one here, and the answer loses what is before.
  bash: `_murder() {
  local IFS=$'\\n' word last= words=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $last == --* && ( $word == = || $last == *= ) ]]; then words[\${#words[@]}-1]+=$word; else words+=("$word"); fi
    last=\${words[\${#words[@]}-1]}
  done
  word=\${word#=}
  COMPREPLY=($(murder complete -- "\${words[@]}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"\${last%"$word"}"}")
}
complete -o default -F _murder murder`,
  zsh: `#compdef murder
_murder() {
  local -a candidates
  candidates=("\${(@f)$(murder complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[*]}" ]]; then compadd -- "\${candidates[@]}"; else compset -P '--*='; _files; fi
}
if [[ "$funcstack[1]" == _murder ]]; then _murder "$@"; else compdef _murder murder; fi`,
  fish: `function __murder_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (murder complete -- $words[2..-1] 2>/dev/null)
  if test -n "$candidates"
    string join \\n -- $candidates
  else
    set -l path (string match -r -- '^(--.*?=|)(.*)' (commandline -ct))
    __fish_complete_path (string unescape -- $path[3]) | string replace -r -- '^' $path[2]
  end
end
complete -c murder -f -a '(__murder_complete)'`,
}
