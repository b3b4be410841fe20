#!/usr/bin/env bash
# nightly.sh [FOLDER] - of deploybot in containers: a backup into FOLDER (backups), timestamps of the audit log, and a look
# at what a deployment needs.
# SPDX-License-Identifier: ISC
# As root in a checkout whose containers run; each night by cron (README.md).  Backups older than 14 days are removed.  It
# changes nothing else but what /metrics shows, and alerts look at: when a backup was made, when the look began and passed.
# Exit status: 0 both went well, 1 one of them did not (the log says why), 64 usage, 77 not root.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

say() { printf 'nightly.sh: %s\n' "$1"; }

if (($# > 1)); then
	echo "usage: nightly.sh [FOLDER]" >&2
	exit 64
elif ((EUID != 0)); then
	say "backups are for root alone: sudo $0"
	exit 77
fi
readonly STATE=/var/lib/deploybot CONF=/etc/deploybot/deploybot.conf folder=${1:-backups}
compose=(docker-compose)
type -P docker-compose >/dev/null || compose=(docker compose)

inside() { # [--user ID] SERVICE CMD...
	"${compose[@]}" exec -T "$@" </dev/null
}

# Made where server and runner both are, taken out, removed there: root is the owner of that folder.
back_up() {
	local name id status=0
	name=$(date -u +%Y-%m-%dT%H%M%S).db
	id=$("${compose[@]}" ps -q server) && [[ -n $id ]] || return 1
	install -d -m 0700 -- "$folder" || return 1
	inside server /usr/lib/deploybot/deploybot backup "$STATE/$name" &&
		docker cp "$id:$STATE/$name" "$folder/$name.new" && chmod 0600 -- "$folder/$name.new" &&
		sync -- "$folder/$name.new" && mv -fT -- "$folder/$name.new" "$folder/$name" || status=1
	inside --user 0 runner rm -f -- "$STATE/$name" || status=1
	rm -f -- "$folder/$name.new"
	((status == 0)) || return 1
	find "$folder" -maxdepth 1 -type f -name '*.db' -mtime +14 -delete
}

# As prepare.sh finds a setting; blanks and `export` may stand before it, as for the server.
value_of() { # NAME FILE
	sed -nE "s/^[[:blank:]]*(export[[:blank:]]+)?$1=//p" "$2" |
		tail -n 1 | sed 's/[[:blank:]]#.*//' | tr -d "\"'\r" | tr ',' ' '
}

# Where docker-compose.yml takes the settings from.
find_config() {
	config=${CONFIG_DIR:-}
	[[ -n $config || ! -r .env ]] || config=$(sed -n 's/^CONFIG_DIR=//p' .env | tail -n 1 | tr -d "\"'")
	config=${config:-config}
}

# All environments, those of named applications with their names.
environments() {
	local main file name list
	main=$(value_of ENVIRONMENTS "$config/deploybot.conf")
	main=${main:-staging production}
	if ! compgen -G "$config/apps/*.env" >/dev/null ||
		grep -Eq '^[[:blank:]]*(export[[:blank:]]+)?(GITHUB_REPOSITORY|REPOSITORY_URL)=.' "$config/deploybot.conf"; then
		for name in $main; do
			printf '%s\n' "$name"
		done
	fi
	for file in "$config"/apps/*.env; do
		[[ -f $file ]] || continue
		list=$(value_of ENVIRONMENTS "$file")
		for name in ${list:-$main}; do
			printf '%s/%s\n' "$(basename -- "$file" .env)" "$name"
		done
	done
}

# Days of the audit log, where an authority is named.  As the server's user, in a container of the runner's image: the
# server's has no shell, and the runner's own has no log.
stamp() {
	[[ -e $config/timestamp.conf ]] || return 0
	"${compose[@]}" -f docker-compose.yml -f deploy/compose/restored.yml run --rm --no-deps -T --user 10001:10001 \
		--entrypoint /usr/lib/deploybot/deploy/timestamp.sh runner /etc/deploybot/timestamp.conf </dev/null
}

look() {
	local bad=0 environment list
	inside runner touch "$STATE/check.begun" || return 1
	inside server /usr/lib/deploybot/deploybot doctor || bad=1
	mapfile -t list < <(environments)
	for environment in "${list[@]}"; do
		say "preflight of $environment"
		inside runner /usr/lib/deploybot/deploybot-runner --preflight "$environment" --env-file "$CONF" || bad=1
	done
	((bad == 0))
}

failed=''
find_config
back_up || failed="no backup was made"
stamp || failed+="${failed:+; }a day of the audit log has no timestamp"
look || failed+="${failed:+; }something that the next deployment needs is not there"
# deploybot knows of the backup inside its container, and not whether it came out: the alert on the check says that.
[[ -n $failed ]] || inside runner touch "$STATE/check.passed" || failed="the stamp of the check was not written"
if [[ -n $failed ]]; then
	say "$failed: see above"
	exit 1
fi
say "a backup is in $folder, and all is there"
