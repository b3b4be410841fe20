#!/bin/bash
# timestamp.sh [--check] FILE - has an authority (RFC 3161) stamp the last entry of each UTC day of the audit log.
# SPDX-License-Identifier: ISC
# deploybot-timestamp.timer runs it as the server's user; docs/audit.md says what stands in FILE.  What an authority has
# stamped is audit.log.2026-11-20.tsr beside the log.  The oldest day comes first, as far as the last forty files go; one
# that fails ends the run, and the next run asks again.  With --check it asks nobody, and names the days without one.
# Exit status: 0 each day has one, 1 a day has none, 64 usage, 78 FILE is wrong.
set -euo pipefail
here=$(cd -P -- "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"
export LC_ALL=C
readonly ANSWER_KB=64 ANSWER_SECONDS=30 FILES_MAX=40 LINE_MAX=16384
URL='' CA='' LOG=/var/log/deploybot/audit.log
declare -A hash_of=()

read_settings() { # FILE
	local line
	[[ -f $1 && -r $1 ]] || fail "$EXIT_CONFIG" "$1: no file that $(me) can read: docs/audit.md says what stands in it"
	while IFS= read -r line || [[ -n $line ]]; do
		case $line in
		'' | '#'*) ;;
		URL=* | CA=* | LOG=*) printf -v "${line%%=*}" %s "${line#*=}" ;;
		*) fail "$EXIT_CONFIG" "$1: expected lines of URL=, CA= and LOG=, found ${line@Q}" ;;
		esac
	done <"$1"
	[[ $URL =~ ^https?://[^/@[:space:]]+(/[^[:space:]]*)?$ ]] ||
		fail "$EXIT_CONFIG" "$1: URL: ${URL@Q} is no authority's address: expected https://HOST/PATH, without a login"
	openssl x509 -noout -in "$CA" 2>/dev/null ||
		fail "$EXIT_CONFIG" "$1: CA: ${CA@Q} is no file of root certificates (PEM) that $(me) can read"
	[[ $LOG == /* ]] || fail "$EXIT_CONFIG" "$1: LOG: ${LOG@Q} is no path of an audit log"
	[[ -d ${LOG%/*}/ ]] || fail "$EXIT_CONFIG" "$1: LOG: there is no folder ${LOG%/*}"
}

# Fills day and own, its hash, from the last line of a file.
read_end() { # FILE
	local line sum time='[{,]"timestamp":"([0-9]{4}-[0-9]{2}-[0-9]{2})T' hash='[{,]"hash":"([0-9a-f]{64})"[,}]'
	line=$(tail -c $((LINE_MAX + 1)) -- "$1" | tail -n 1)
	day='' own=''
	[[ ! $line =~ ^\{.*\}$ || ! $line =~ $time ]] || day=${BASH_REMATCH[1]}
	[[ ! $line =~ $hash ]] || own=${BASH_REMATCH[1]}
	[[ -n $day && -n $own ]] || fail 1 "$1 ends with no entry: deploybot audit verify says more"
	# With an escape in it, or of the first version, its hash is the sum of other bytes than these.
	[[ $line =~ ,\"version\":2[,\}] && $line != *\\u* ]] || return 0
	sum=$(printf '%s\n' "${line/"\"hash\":\"$own\","/}" | sha256sum)
	[[ ${sum%% *} == "$own" ]] || fail 1 "the last entry of $1 has another hash than it says: deploybot audit verify says more"
}

# Fills days, the oldest first, with those before TODAY that have no timestamp.  The newest file that ends with a day has
# that day's last entry.
find_days() { # TODAY
	local name file day own closed=()
	for name in "$LOG".*; do
		[[ ! ${name#"$LOG."} =~ ^[1-9][0-9]*$ ]] || closed+=("${name#"$LOG."}")
	done
	mapfile -t -n $((FILES_MAX - 1)) closed < <(((${#closed[@]} == 0)) || printf '%s\n' "${closed[@]}" | sort -rn)
	for file in "$LOG" "${closed[@]/#/$LOG.}"; do
		[[ -s $file ]] || continue
		read_end "$file"
		[[ ! $day < $1 || -n ${hash_of[$day]:-} || -e $LOG.$day.tsr ]] || hash_of[$day]=$own
	done
	mapfile -t days < <(((${#hash_of[@]} == 0)) || printf '%s\n' "${!hash_of[@]}" | sort)
}

# What a program has said on its last lines, of openssl the reason alone.
reason() {
	sed -nE 's/^[^:]*:error:[^:]*:[^:]*:[^:]*:([^:]*):[^:]*:[0-9]+:(.*)$/\1 \2/p; s/^curl: \([0-9]+\) //p' "$work/said" |
		head -n 1 | head -c 300
}

# The answer counts when it is of this query, so of this hash and nonce, and signed under CA.
stamp() { # DAY
	local code status=0 to=$LOG.$1.tsr none="no timestamp of $1"
	openssl ts -query -sha256 -digest "${hash_of[$1]}" -cert -out "$work/query" 2>"$work/said" || fail 1 "$none: $(reason)"
	code=$(
		trap '' XFSZ # a write beyond the limit fails then
		ulimit -f "$ANSWER_KB"
		exec curl -q --silent --show-error --proto '=http,https' --max-time "$ANSWER_SECONDS" --data-binary "@$work/query" \
			--header 'Content-Type: application/timestamp-query' --header 'Accept: application/timestamp-reply' \
			--output "$work/reply" --write-out '%{http_code}' --url "$URL" 2>"$work/said"
	) || status=$?
	[[ $status != 23 ]] || fail 1 "$none: the answer of $URL has more than $ANSWER_KB KB"
	[[ $status == 0 ]] || fail 1 "$none: $URL: $(reason)"
	[[ $code == 200 ]] || fail 1 "$none: $URL answered $code"
	openssl ts -verify -queryfile "$work/query" -in "$work/reply" -CAfile "$CA" >/dev/null 2>"$work/said" ||
		fail 1 "$none: what $URL answered does not count: $(reason)"
	if ! { install -m 0640 -- "$work/reply" "$to.new" && sync -- "$to.new" && mv -fT -- "$to.new" "$to"; }; then
		fail 1 "$none: $to cannot be written"
	fi
	sync -- "${to%/*}"
	say 'the last entry of %s is stamped by %s' "$1" "$URL"
}

[[ $# == 1 || $# == 2 && $1 == --check ]] || fail "$EXIT_INPUT" "usage: timestamp.sh [--check] FILE"
read_settings "${!#}"
if [[ $1 == --check ]]; then
	find_days "$(date -u -d '-6 hours' +%F)"
	((${#days[@]} == 0)) || fail 1 "${#days[@]} of the audit log's days have no timestamp, ${days[0]} the first: \
journalctl -u deploybot-timestamp says why; systemctl enable --now deploybot-timestamp.timer asks for them each hour"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
find_days "$(date -u -d '-5 minutes' +%F)"
for day in "${days[@]}"; do
	stamp "$day"
done
