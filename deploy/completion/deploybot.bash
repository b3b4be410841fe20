# deploybot's completion for bash; made by: deploybot completion bash
_deploybot() {
	local word=${COMP_WORDS[COMP_CWORD]} words=
	if ((COMP_CWORD == 1)); then
		words='serve doctor check-config application config-example healthcheck webhook first-admin audit policy logs answer 2fa token secrets completion backup version help deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review'
	elif [[ $word == -* ]]; then
		words='--json --wait --no-wait --as --reason --emergency'
		[[ ${COMP_WORDS[1]} != token ]] || words+=' --role --expires'
		[[ ${COMP_WORDS[1]} != audit ]] || words='--against --tsa-ca --database --log --bot --from --to --app --environment --deployment --person --severity --code --format --anyway'
	elif ((COMP_CWORD == 2)); then
		case ${COMP_WORDS[1]} in
		logs|answer|deploy|rollback|status|history|cancel|queue|lock|unlock|freeze|unfreeze|pending) words=$(deploybot completion environments 2>/dev/null) ;;
		token) words='add list revoke' ;;
		secrets) words='check fetch' ;;
		audit) words='verify tail search show export' ;;
		esac
		[[ ${COMP_WORDS[1]} != *freeze ]] || words+=' all'
	elif ((COMP_CWORD == 3)) && [[ ${COMP_WORDS[1]} == answer ]]; then
		words='yes no'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _deploybot deploybot
