#compdef deploybot
# deploybot's completion for zsh; printed by: deploybot completion zsh
_deploybot() {
	local -a found=("${(@f)$(deploybot completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ $found[1] == FILES ]]; then
		_files
	else
		found=("${(@)found//:/\\:}")
		found=("${(@)found/$'\t'/:}")
		_describe deploybot found
	fi
}
_deploybot "$@"
