#compdef deploybot
# deploybot's completion for zsh; made by: deploybot completion zsh
_deploybot() {
	local -a commands=(
		'serve:Run the server (the default); restored\: on a copy.'
		'doctor:Check everything, over the network; ENV\: its target.'
		'check-config:Check the settings; asks no network.'
		'application:Applications\: which there are, what is wrong.'
		'config-example:Print a file with every setting and its default.'
		'healthcheck:Ask the running server whether it is alive.'
		'webhook:Register, show or remove the webhook at Telegram.'
		'audit:Check the audit log\: chain, database, chat.'
		'policy:Who may what, and which line says so.'
		'logs:What a deployment has printed; --wait\: follow it.'
		'answer:Answer a deployment'\''s question.'
		'completion:Print what makes a shell complete these words.'
		'backup:Copy the database, while the server runs.'
		'version:Print the version.'
		'help:Print this text.'
		'deploy:build and ship the newest commit'
		'rollback:roll back to an earlier release'
		'status:what runs where, and its health'
		'history:the latest deployments'
		'cancel:cancel the deployment in progress'
		'queue:who waits; leave, or give your place away'
		'lock:nobody else deploys there'
		'unlock:end a lock'
		'freeze:nobody deploys there'
		'unfreeze:end a freeze'
	)
	if ((CURRENT == 2)); then
		_describe 'command' commands
	elif [[ $PREFIX == -* ]]; then
		compadd -- --json --wait --no-wait --as --reason
	elif ((CURRENT == 3)); then
		case $words[2] in
		logs|answer|deploy|rollback|status|history|cancel|queue|lock|unlock|freeze|unfreeze) compadd -- ${(f)"$(deploybot completion environments 2>/dev/null)"} ;;
		esac
	fi
}
_deploybot "$@"
