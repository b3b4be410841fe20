# deploybot-setup's completion for fish.
# SPDX-License-Identifier: ISC
complete -c deploybot-setup -f
complete -c deploybot-setup -n __fish_use_subcommand -a app -d 'One more application'
complete -c deploybot-setup -n __fish_use_subcommand -a host -d 'One more host of an environment'
complete -c deploybot-setup -n __fish_use_subcommand -a webhooks -d 'From polling to webhooks, behind nginx'
complete -c deploybot-setup -n __fish_use_subcommand -a alerts -d 'Who is notified of what goes wrong'
complete -c deploybot-setup -n __fish_use_subcommand -a rotate -d 'New deploy keys, here and on the hosts'
complete -c deploybot-setup -n __fish_use_subcommand -a check -d 'Is all there?  Changes nothing'
complete -c deploybot-setup -n '__fish_seen_subcommand_from host rotate' -a '(deploybot completion environments 2>/dev/null)'
complete -c deploybot-setup -l folder -x -a '(__fish_complete_directories)'
complete -c deploybot-setup -l answers -r -F
complete -c deploybot-setup -l anew
complete -c deploybot-setup -l no-start
complete -c deploybot-setup -l stamp
complete -c deploybot-setup -l help
