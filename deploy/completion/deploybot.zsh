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
		'first-admin:Print the id of who opens a one-time link.'
		'audit:Check and read the audit log; a folder for auditors.'
		'policy:Who may what, and which line says so.'
		'logs:What the application logged last.'
		'log:What a deployment has printed; --wait\: follow it.'
		'answer:Read a deployment'\''s question, or answer it.'
		'2fa:Make or reset a second factor, by its person'\''s id.'
		'token:Make, list or revoke a token.'
		'secrets:Where secrets come from, their age; NAME_COMMAND.'
		'completion:Print what makes a shell complete these words.'
		'backup:Copy the database, while the server runs.'
		'restore:A backup becomes the database\: stop deploybot first.'
		'version:Print the version.'
		'help:This text, or help with COMMAND.'
		'deploy:deploy the newest commit'
		'rollback:roll back to an earlier release'
		'status:what runs where, and its health'
		'history:the latest deployments'
		'show:one deployment\: who, when, each step, how it ended'
		'cancel:stop what is in progress, roll back what it changed'
		'queue:who waits; leave, or give your place away'
		'lock:nobody else deploys there'
		'unlock:end a lock'
		'freeze:nobody deploys there'
		'unfreeze:end a freeze'
		'do:run an action\: restart, clear a cache, run a job'
		'request:have somebody else approve an action'
		'pending:what awaits approvals, and how to answer'
		'approve:approve what somebody else asked for'
		'reject:say no to it, with a reason'
		'review:sign off an emergency deployment'
	)
	if [[ " --env-file --against --tsa-ca --database --log " == *" $words[CURRENT-1] "* || "$CURRENT $words[2]" == '3 '(backup|restore) ]]; then
		_files
	elif [[ $PREFIX == -* ]]; then
		case $words[2] in
		audit) compadd -- --against --tsa-ca --database --log --bot --from --to --app --environment --deployment --person --severity --code --format --anyway -n ;;
		serve) compadd -- --no-copy --restored ;;
		doctor) compadd -- --json --production ;;
		check-config) compadd -- --json --production ;;
		healthcheck) compadd -- --instance ;;
		logs) compadd -- --json --wait --no-wait --as ;;
		log) compadd -- --json --wait --no-wait --as ;;
		answer) compadd -- --json --wait --no-wait --as ;;
		2fa) compadd -- --json --wait --no-wait --as ;;
		token) compadd -- --json --wait --no-wait --as --role --expires ;;
		secrets) compadd -- --json ;;
		deploy) compadd -- --json --wait --no-wait --as --reason --emergency ;;
		rollback) compadd -- --json --wait --no-wait --as ;;
		status) compadd -- --json --as ;;
		history) compadd -- --json --as ;;
		show) compadd -- --json --wait --no-wait --as ;;
		cancel) compadd -- --json --wait --no-wait --as ;;
		queue) compadd -- --json --as ;;
		lock) compadd -- --json --wait --no-wait --as ;;
		unlock) compadd -- --json --wait --no-wait --as ;;
		freeze) compadd -- --json --wait --no-wait --as ;;
		unfreeze) compadd -- --json --wait --no-wait --as ;;
		do) compadd -- --json --wait --no-wait --as ;;
		request) compadd -- --json --wait --no-wait --as ;;
		pending) compadd -- --json --wait --no-wait --as ;;
		approve) compadd -- --json --wait --no-wait --as ;;
		reject) compadd -- --json --wait --no-wait --as ;;
		review) compadd -- --json --wait --no-wait --as ;;
		esac
		compadd -- --env-file
	elif ((CURRENT == 2)); then
		_describe 'command' commands
	elif ((CURRENT == 3)); then
		case $words[2] in
		doctor|logs|log|answer|deploy|rollback|status|history|cancel|queue|lock|unlock|freeze|unfreeze|pending) compadd -- ${(f)"$(deploybot completion environments 2>/dev/null)"} ;;
		application) compadd -- list check adopt ;;
		webhook) compadd -- set info delete ;;
		audit) compadd -- verify tail search show export ;;
		policy) compadd -- explain report ;;
		2fa) compadd -- add confirm codes recover reset ;;
		token) compadd -- add list revoke ;;
		secrets) compadd -- check fetch ;;
		completion) compadd -- bash zsh fish ;;
		help) compadd -- serve doctor check-config application config-example healthcheck webhook first-admin audit policy logs log answer 2fa token secrets completion backup restore version help deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review ;;
		esac
	fi
}
_deploybot "$@"
