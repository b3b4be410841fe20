# deploybot's completion for fish; made by: deploybot completion fish
complete -c deploybot -f
complete -c deploybot -n __fish_use_subcommand -a serve -d 'Run the server (the default); restored: on a copy.'
complete -c deploybot -n __fish_use_subcommand -a doctor -d 'Check everything, over the network; ENV: its target.'
complete -c deploybot -n __fish_use_subcommand -a check-config -d 'Check the settings; asks no network.'
complete -c deploybot -n __fish_use_subcommand -a application -d 'Applications: which there are, what is wrong.'
complete -c deploybot -n __fish_use_subcommand -a config-example -d 'Print a file with every setting and its default.'
complete -c deploybot -n __fish_use_subcommand -a healthcheck -d 'Ask the running server whether it is alive.'
complete -c deploybot -n __fish_use_subcommand -a webhook -d 'Register, show or remove the webhook at Telegram.'
complete -c deploybot -n __fish_use_subcommand -a audit -d 'Check the audit log: chain, database, chat.'
complete -c deploybot -n __fish_use_subcommand -a policy -d 'Who may what, and which line says so.'
complete -c deploybot -n __fish_use_subcommand -a logs -d 'What a deployment has printed; --wait: follow it.'
complete -c deploybot -n __fish_use_subcommand -a answer -d 'Answer a deployment\'s question.'
complete -c deploybot -n __fish_use_subcommand -a completion -d 'Print what makes a shell complete these words.'
complete -c deploybot -n __fish_use_subcommand -a backup -d 'Copy the database, while the server runs.'
complete -c deploybot -n __fish_use_subcommand -a version -d 'Print the version.'
complete -c deploybot -n __fish_use_subcommand -a help -d 'Print this text.'
complete -c deploybot -n __fish_use_subcommand -a deploy -d 'build and ship the newest commit'
complete -c deploybot -n __fish_use_subcommand -a rollback -d 'roll back to an earlier release'
complete -c deploybot -n __fish_use_subcommand -a status -d 'what runs where, and its health'
complete -c deploybot -n __fish_use_subcommand -a history -d 'the latest deployments'
complete -c deploybot -n __fish_use_subcommand -a cancel -d 'cancel the deployment in progress'
complete -c deploybot -n __fish_use_subcommand -a queue -d 'who waits; leave, or give your place away'
complete -c deploybot -n __fish_use_subcommand -a lock -d 'nobody else deploys there'
complete -c deploybot -n __fish_use_subcommand -a unlock -d 'end a lock'
complete -c deploybot -n __fish_use_subcommand -a freeze -d 'nobody deploys there'
complete -c deploybot -n __fish_use_subcommand -a unfreeze -d 'end a freeze'
complete -c deploybot -n '__fish_seen_subcommand_from logs answer deploy rollback status history cancel queue lock unlock freeze unfreeze' -a '(deploybot completion environments 2>/dev/null)'
complete -c deploybot -l json
complete -c deploybot -l wait
complete -c deploybot -l no-wait
complete -c deploybot -l as -x
complete -c deploybot -l reason -x
