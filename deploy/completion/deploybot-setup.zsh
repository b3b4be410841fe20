#compdef deploybot-setup
# deploybot-setup's completion for zsh.
# SPDX-License-Identifier: ISC
_deploybot_setup() {
	case $words[CURRENT-1] in
	--folder) _files -/ ;;
	--answers) _files ;;
	host|rotate) compadd -- ${(f)"$(deploybot completion environments 2>/dev/null)"} ;;
	app|webhooks) ;;
	*) compadd -- app host webhooks alerts rotate check --folder --answers --anew --no-start --stamp --help ;;
	esac
}
_deploybot_setup "$@"
