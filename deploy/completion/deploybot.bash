# deploybot's completion for bash; made by: deploybot completion bash
_deploybot() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
	if [[ " --env-file --against --tsa-ca --database --log " == *" $before "* || ($COMP_CWORD == 2 && $before == @(backup|restore)) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [[ $word == -* ]]; then
		case ${COMP_WORDS[1]} in
		audit) words=' --against --tsa-ca --database --log --bot --from --to --app --environment --deployment --person --severity --code --format --anyway -n' ;;
		serve) words=' --no-copy --restored' ;;
		doctor) words=' --json --production' ;;
		check-config) words=' --json --production' ;;
		healthcheck) words=' --instance' ;;
		logs) words=' --json --wait --no-wait --as' ;;
		log) words=' --json --wait --no-wait --as' ;;
		answer) words=' --json --wait --no-wait --as' ;;
		2fa) words=' --json --wait --no-wait --as' ;;
		token) words=' --json --wait --no-wait --as --role --expires' ;;
		secrets) words=' --json' ;;
		deploy) words=' --json --wait --no-wait --as --reason --emergency' ;;
		rollback) words=' --json --wait --no-wait --as' ;;
		status) words=' --json --as' ;;
		history) words=' --json --as' ;;
		show) words=' --json --wait --no-wait --as' ;;
		cancel) words=' --json --wait --no-wait --as' ;;
		queue) words=' --json --as' ;;
		lock) words=' --json --wait --no-wait --as' ;;
		unlock) words=' --json --wait --no-wait --as' ;;
		freeze) words=' --json --wait --no-wait --as' ;;
		unfreeze) words=' --json --wait --no-wait --as' ;;
		do) words=' --json --wait --no-wait --as' ;;
		request) words=' --json --wait --no-wait --as' ;;
		pending) words=' --json --wait --no-wait --as' ;;
		approve) words=' --json --wait --no-wait --as' ;;
		reject) words=' --json --wait --no-wait --as' ;;
		review) words=' --json --wait --no-wait --as' ;;
		esac
		words+=' --env-file'
	elif ((COMP_CWORD == 1)); then
		words='serve doctor check-config application config-example healthcheck webhook first-admin audit policy logs log answer 2fa token secrets completion backup restore version help deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review'
	elif ((COMP_CWORD == 2)); then
		case ${COMP_WORDS[1]} in
		doctor|logs|log|answer|deploy|rollback|status|history|cancel|queue|lock|unlock|freeze|unfreeze|pending) words=$(deploybot completion environments 2>/dev/null) ;;
		application) words='list check adopt' ;;
		webhook) words='set info delete' ;;
		audit) words='verify tail search show export' ;;
		policy) words='explain report' ;;
		2fa) words='add confirm codes recover reset' ;;
		token) words='add list revoke' ;;
		secrets) words='check fetch' ;;
		completion) words='bash zsh fish' ;;
		help) words='serve doctor check-config application config-example healthcheck webhook first-admin audit policy logs log answer 2fa token secrets completion backup restore version help deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review' ;;
		esac
		[[ ${COMP_WORDS[1]} != *freeze ]] || words+=' all'
	elif ((COMP_CWORD == 3)) && [[ ${COMP_WORDS[1]} == answer ]]; then
		words='yes no'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _deploybot deploybot
