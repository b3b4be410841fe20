# deploybot's completion for fish; printed by: deploybot completion fish
function __deploybot
	set -l typed (commandline -opc)
	set -e typed[1]
	set -l found (deploybot completion words -- $typed (commandline -ct) 2>/dev/null)
	if test "$found[1]" = FILES
		__fish_complete_path (commandline -ct)
	else
		printf '%s\n' $found
	end
end
complete -c deploybot -f -a '(__deploybot)'
