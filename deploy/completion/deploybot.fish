# deploybot's completion for fish; made by: deploybot completion fish
complete -c deploybot -f
complete -c deploybot -l env-file -r -F
complete -c deploybot -n __fish_use_subcommand -a serve -d 'Run the server (the default); restored: on a copy.'
complete -c deploybot -n __fish_use_subcommand -a doctor -d 'Check everything, over the network; ENV: its target.'
complete -c deploybot -n __fish_use_subcommand -a check-config -d 'Check the settings; asks no network.'
complete -c deploybot -n __fish_use_subcommand -a application -d 'Applications: which there are, what is wrong.'
complete -c deploybot -n __fish_use_subcommand -a config-example -d 'Print a file with every setting and its default.'
complete -c deploybot -n __fish_use_subcommand -a healthcheck -d 'Ask the running server whether it is alive.'
complete -c deploybot -n __fish_use_subcommand -a webhook -d 'Register, show or remove the webhook at Telegram.'
complete -c deploybot -n __fish_use_subcommand -a first-admin -d 'Print the id of who opens a one-time link.'
complete -c deploybot -n __fish_use_subcommand -a audit -d 'Check and read the audit log; a folder for auditors.'
complete -c deploybot -n __fish_use_subcommand -a policy -d 'Who may what, and which line says so.'
complete -c deploybot -n __fish_use_subcommand -a logs -d 'What the application logged last.'
complete -c deploybot -n __fish_use_subcommand -a log -d 'What a deployment has printed; --wait: follow it.'
complete -c deploybot -n __fish_use_subcommand -a answer -d 'Read a deployment\'s question, or answer it.'
complete -c deploybot -n __fish_use_subcommand -a 2fa -d 'Make or reset a second factor, by its person\'s id.'
complete -c deploybot -n __fish_use_subcommand -a token -d 'Make, list or revoke a token.'
complete -c deploybot -n __fish_use_subcommand -a secrets -d 'Where secrets come from, their age; NAME_COMMAND.'
complete -c deploybot -n __fish_use_subcommand -a completion -d 'Print what makes a shell complete these words.'
complete -c deploybot -n __fish_use_subcommand -a backup -d 'Copy the database, while the server runs.'
complete -c deploybot -n __fish_use_subcommand -a restore -d 'A backup becomes the database: stop deploybot first.'
complete -c deploybot -n __fish_use_subcommand -a version -d 'Print the version.'
complete -c deploybot -n __fish_use_subcommand -a help -d 'This text, or help with COMMAND.'
complete -c deploybot -n __fish_use_subcommand -a deploy -d 'deploy the newest commit'
complete -c deploybot -n __fish_use_subcommand -a rollback -d 'roll back to an earlier release'
complete -c deploybot -n __fish_use_subcommand -a status -d 'what runs where, and its health'
complete -c deploybot -n __fish_use_subcommand -a history -d 'the latest deployments'
complete -c deploybot -n __fish_use_subcommand -a show -d 'one deployment: who, when, each step, how it ended'
complete -c deploybot -n __fish_use_subcommand -a cancel -d 'stop what is in progress, roll back what it changed'
complete -c deploybot -n __fish_use_subcommand -a queue -d 'who waits; leave, or give your place away'
complete -c deploybot -n __fish_use_subcommand -a lock -d 'nobody else deploys there'
complete -c deploybot -n __fish_use_subcommand -a unlock -d 'end a lock'
complete -c deploybot -n __fish_use_subcommand -a freeze -d 'nobody deploys there'
complete -c deploybot -n __fish_use_subcommand -a unfreeze -d 'end a freeze'
complete -c deploybot -n __fish_use_subcommand -a do -d 'run an action: restart, clear a cache, run a job'
complete -c deploybot -n __fish_use_subcommand -a request -d 'have somebody else approve an action'
complete -c deploybot -n __fish_use_subcommand -a pending -d 'what awaits approvals, and how to answer'
complete -c deploybot -n __fish_use_subcommand -a approve -d 'approve what somebody else asked for'
complete -c deploybot -n __fish_use_subcommand -a reject -d 'say no to it, with a reason'
complete -c deploybot -n __fish_use_subcommand -a review -d 'sign off an emergency deployment'
complete -c deploybot -n '__fish_seen_subcommand_from doctor logs log answer deploy rollback status history cancel queue lock unlock freeze unfreeze pending' -a '(deploybot completion environments 2>/dev/null)'
complete -c deploybot -n '__fish_seen_subcommand_from backup restore' -F
complete -c deploybot -n '__fish_seen_subcommand_from help' -a 'serve doctor check-config application config-example healthcheck webhook first-admin audit policy logs log answer 2fa token secrets completion backup restore version help deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review'
complete -c deploybot -n '__fish_seen_subcommand_from serve' -l no-copy
complete -c deploybot -n '__fish_seen_subcommand_from serve' -l restored
complete -c deploybot -n '__fish_seen_subcommand_from doctor' -l json
complete -c deploybot -n '__fish_seen_subcommand_from doctor' -l production
complete -c deploybot -n '__fish_seen_subcommand_from check-config' -l json
complete -c deploybot -n '__fish_seen_subcommand_from check-config' -l production
complete -c deploybot -n '__fish_seen_subcommand_from application' -a 'list check adopt'
complete -c deploybot -n '__fish_seen_subcommand_from healthcheck' -l instance
complete -c deploybot -n '__fish_seen_subcommand_from webhook' -a 'set info delete'
complete -c deploybot -n '__fish_seen_subcommand_from audit' -a 'verify tail search show export'
complete -c deploybot -n '__fish_seen_subcommand_from policy' -a 'explain report'
complete -c deploybot -n '__fish_seen_subcommand_from 2fa' -a 'add confirm codes recover reset'
complete -c deploybot -n '__fish_seen_subcommand_from token' -l role -x
complete -c deploybot -n '__fish_seen_subcommand_from token' -l expires -x
complete -c deploybot -n '__fish_seen_subcommand_from token' -a 'add list revoke'
complete -c deploybot -n '__fish_seen_subcommand_from secrets' -l json
complete -c deploybot -n '__fish_seen_subcommand_from secrets' -a 'check fetch'
complete -c deploybot -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l against -r -F
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l tsa-ca -r -F
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l database -r -F
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l log -r -F
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l bot -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l from -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l to -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l app -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l environment -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l deployment -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l person -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l severity -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l code -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l format -x
complete -c deploybot -n '__fish_seen_subcommand_from audit' -l anyway
complete -c deploybot -n '__fish_seen_subcommand_from audit' -s n -x
complete -c deploybot -n '__fish_seen_subcommand_from logs log answer 2fa token deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review' -l json
complete -c deploybot -n '__fish_seen_subcommand_from logs log answer 2fa token deploy rollback show cancel lock unlock freeze unfreeze do request pending approve reject review' -l wait
complete -c deploybot -n '__fish_seen_subcommand_from logs log answer 2fa token deploy rollback show cancel lock unlock freeze unfreeze do request pending approve reject review' -l no-wait
complete -c deploybot -n '__fish_seen_subcommand_from logs log answer 2fa token deploy rollback status history show cancel queue lock unlock freeze unfreeze do request pending approve reject review' -l as -x
complete -c deploybot -n '__fish_seen_subcommand_from deploy' -l reason -x
complete -c deploybot -n '__fish_seen_subcommand_from deploy' -l emergency -x
