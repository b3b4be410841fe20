# deploybot-setup's completion for bash.
# SPDX-License-Identifier: ISC
_deploybot_setup() {
	local word=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--folder | --answers) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	host | rotate) mapfile -t COMPREPLY < <(compgen -W "$(deploybot completion environments 2>/dev/null)" -- "$word") ;;
	app | webhooks) COMPREPLY=() ;;
	*) mapfile -t COMPREPLY < <(compgen -W 'app host webhooks alerts rotate check --folder --answers --anew --no-start --stamp --help' -- "$word") ;;
	esac
}
complete -F _deploybot_setup deploybot-setup
