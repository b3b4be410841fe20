# deploybot's completion for bash; printed by: deploybot completion bash
_deploybot() {
	mapfile -t COMPREPLY < <(deploybot completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	COMPREPLY=("${COMPREPLY[@]%%$'\t'*}")
	if [[ ${COMPREPLY[0]-} == FILES ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}
complete -F _deploybot deploybot
