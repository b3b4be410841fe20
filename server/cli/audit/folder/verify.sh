#!/bin/bash
# verify.sh - verifies the entries of an auditor's folder, its own or one that is named; README.txt there says what that shows.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2094  # what stands in '...' is read by jq; the files are only read
set -euo pipefail
export LC_ALL=C
fail() { echo "error: $*" >&2; exit 1; }
note() { echo "note: $*"; }
heads=() witness='' authority='' folder=$(dirname "$0")
while (($# > 0)); do
	if [[ $1 =~ ^[0-9a-f]{8,64}$ ]]; then
		heads+=("$1")
	elif [[ $1 == --tsa-ca && -f ${2-} && -r $2 && -z $authority ]]; then
		authority=$(realpath -- "$2")
		shift
	elif [[ -f $1/asked.json ]]; then
		folder=$1
	elif [[ -d $1 && -z $witness ]]; then
		witness=$(realpath -- "$1")
	else
		fail "usage: verify.sh [DIGITS...] [WITNESS-FOLDER] [--tsa-ca FILE] [FOLDER]: 16 of 0-9 a-f behind \"audit\"" \
			"in the chat; a folder of FIRST-LAST-HEAD.jsonl; the certificate of the timestamps' authority (PEM); an" \
			"export, else the one beside verify.sh"
	fi
	shift
done
cd "$(realpath -- "$folder")"
# shellcheck disable=SC2001  # two letters at a time
bytes() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }

# What a file says is a number or a hash: a word in arithmetic could be a command.
is_number() { [[ $1 =~ ^[1-9][0-9]{0,15}$ ]]; }
is_hash() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
# Of a last line without its end jq reads what neither read nor wc -l sees.
check_text() {
	[[ $(tr -d ' -~\n' <"$1" | wc -c) == 0 ]] || fail "$2: deploybot writes printable ASCII alone"
	[[ -z $(tail -c 1 -- "$1") ]] || fail "$2: its last line has no end"
}
for file in SHA256SUMS asked.json entries.jsonl; do
	[[ -f $file ]] || fail "$file is not here"
	check_text "$file" "$file"
done
sha256sum --check --quiet SHA256SUMS

# What was asked for when this was exported.  An older deploybot did not say the number of the log's newest entry.
is_moment() { [[ $1 == - || $1 =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$ ]]; }
is_word() { [[ $1 =~ ^[[:graph:]]{1,200}$ ]]; }
IFS=$'\t' read -r application at deployment environment from newest source to verified of_version < <(jq -r \
	'[.application, .at, .deployment, .environment, .from, .newest, .source, .to, .verified, .version] |
		map(. // "-") | @tsv' asked.json) &&
	[[ $(<asked.json) == "$(jq -caS . asked.json)" && $(wc -l <asked.json) == 1 && $at != - ]] &&
	is_moment "$at" && is_moment "$from" && is_moment "$to" && is_word "$application" && is_word "$environment" &&
	is_word "$of_version" && [[ $verified =~ ^(yes|no)$ && $source =~ ^(both|database|log)$ ]] &&
	{ [[ $deployment == - ]] || is_number "$deployment"; } && { [[ $newest == - ]] || is_number "$newest"; } ||
	fail "asked.json is not as deploybot writes it"
filtered=0
[[ $application$environment$deployment == --- ]] || filtered=1
asked="from ${from/#-/the first entry} until ${to/#-/the newest}"
[[ $application == - ]] || asked+=", application $application"
[[ $environment == - ]] || asked+=", environment $environment"
[[ $deployment == - ]] || asked+=", deployment $deployment"
echo "asked for: $asked; exported at $at by deploybot $of_version"
echo "sha256 of SHA256SUMS: $(sha256sum <SHA256SUMS | cut -c 1-64): compare it with the one that you were sent"
fits='
	def text(key): if (.[key] | type) == "string" then .[key] else "" end;
	def is(word): . == word or . == "*";
	def in_period:
		$asked[0] as $a | text("timestamp") as $time |
		($a.from == null or $time >= $a.from) and ($a.to == null or $time < $a.to);
	def of_part:
		$asked[0] as $a | text("environment") as $e | ($e | split("/")) as $in |
		(if ($in | length) > 1 then $in[1:] | join("/") else $e end) as $name |
		(($a.environment // "") | split("/")) as $env |
		($a.deployment == null or .deployment == $a.deployment) and
		($a.application == null or (text("application") | is($a.application)) or
			(($in | length) > 1 and ($in[0] | is($a.application))) or
			(text("applications") | split(",") | map(ltrimstr(" ")) | any(. == $a.application))) and
		($a.environment == null or
			(($env | length) < 2 and ($name | is($a.environment))) or
			(($env | length) > 1 and ($in | length) > 1 and ($in[0] | is($env[0])) and
				($name | is($env[1:] | join("/")))));
	def fits: in_period and of_part;
'

# What was hashed is what jq reads, of two equal keys the last: a line must be what jq makes of it.
n=0 first=0 before='' last=0 head='' runs=()
while IFS= read -r line && IFS=$'\t' read -r version seq prev hash <&3 && IFS= read -r plain <&4 &&
	IFS= read -r sorted <&5 && IFS= read -r kept <&6; do
	n=$((n + 1))
	[[ $version == [12] ]] && is_number "$seq" && is_hash "$prev" && is_hash "$hash" || fail "line $n is no entry"
	if [[ $version == 2 ]]; then
		[[ $line == "$sorted" ]] || fail "line $n is not as deploybot writes it"
		sum=$(sha256sum <<<"$plain")
	else
		[[ $line == "$kept" && $line == *",\"prev\":\"$prev\",\"hash\":\"$hash\"}" ]] ||
			fail "line $n is not as deploybot writes it"
		plain="${line%,\"prev\":\"*}}"
		sum=$({ bytes "$prev"; bytes "$(printf '%016x' "${#plain}")"; printf '%s' "$plain"; } | sha256sum)
	fi
	[[ ${sum%% *} == "$hash" ]] || fail "line $n: entry $seq was changed"
	if ((n > 1 && seq == last + 1)); then
		[[ $prev == "$head" ]] || fail "line $n: entry $seq does not follow the one before it"
	elif ((last != 0 && (seq <= last || !filtered))); then
		fail "line $n: behind entry $last stands entry $seq"
	else
		runs+=("$seq")
	fi
	((n > 1)) || first=$seq before=$prev
	last=$seq head=$hash
done <entries.jsonl \
	3< <(jq -r '[(.version // 1, .seq | numbers), (.prev, .hash | strings)] | @tsv' entries.jsonl) \
	4< <(jq -cS 'del(.hash)' entries.jsonl) \
	5< <(jq -caS . entries.jsonl | sed 's/\x7f/\\u007f/g') \
	6< <(jq -ca . entries.jsonl | sed 's/\x7f/\\u007f/g')
((n == $(wc -l <entries.jsonl))) || fail "line $((n + 1)) cannot be read"
((n > 0)) || fail "there is no entry"
# A clock may have been set back: a period is one piece of the log, whose ends are of that time.
other=$(jq -rn --slurpfile asked asked.json --argjson inside "[$first, $last, $filtered]" "$fits"'
	first(inputs | select((of_part and
		(in_period or ($inside[2] == 0 and .seq > $inside[0] and .seq < $inside[1]))) | not) | .seq)' \
	entries.jsonl)
[[ -z $other ]] || fail "entry $other is none of what was asked for"

for file in *; do
	name=${file//[^ -~]/?}
	if [[ $file != SHA256SUMS ]] && ! grep -qxF -- "$name" <(cut -c 67- SHA256SUMS); then
		note "$name is not in SHA256SUMS: it is not of the export"
	elif [[ ! $file =~ ^(SHA256SUMS|README\.txt|asked\.json|entries\.jsonl|verify\.sh|.*\.tsr)$ ]]; then
		note "$name is not compared with the entries: it proves nothing"
	fi
done

# The ends are those of what was asked for, and of the log as asked.json has it.
((first > 1)) || [[ $before == "$(printf '%064d' 0)" ]] || fail "entry 1 names one before it"
((first == 1 || filtered)) || [[ $from != - ]] || fail "entries 1 to $((first - 1)) were asked for and are not here"
((first == 1)) || note "begins behind entry $((first - 1)), head ${before:0:16}"
if [[ $newest != - ]]; then
	((last <= newest)) || fail "asked.json: the log's newest entry was $newest, and $last is here"
	((last == newest || filtered)) || [[ $to != - ]] ||
		fail "entries $((last + 1)) to $newest were asked for and are not here"
fi

reached=() # by what is outside: the number of each entry that it shows
for digits in "${heads[@]}"; do
	seq=$(jq -r --arg digits "$digits" 'select(.hash | startswith($digits)) | .seq' entries.jsonl)
	if [[ -n $seq ]]; then
		is_number "$seq" ||
			fail "$digits is more than one entry: $(paste -sd ' ' <<<"$seq"); newer messages have 16 digits"
		if ((${#digits} < 16)); then
			note "$digits is entry $seq; ${#digits} digits can be made to fit, so they are not counted: newer" \
				"messages have 16"
		else
			echo "ok: $digits is entry $seq"
			reached+=("$seq")
		fi
	else
		fail "$digits is no entry of this folder: if a message of its time shows it, the log was cut off or written anew"
	fi
done

# Whether an authority signed one is openssl's word: anybody can write a file that has an entry's hash in it.
look_at_signature() {
	if [[ -z $authority ]]; then
		note "$file has the hash of entry $stamped in it; whether an authority signed that, --tsa-ca FILE shows"
		return
	fi
	command -v openssl >/dev/null || fail "openssl is not here: it looks at signatures, for --tsa-ca"
	signed=$(openssl ts -reply -in "$file" -text 2>/dev/null | sed -n 's/^Time stamp: \([A-Za-z0-9:. ]*\)$/\1/p') &&
		moment=$(date -u -d "${signed:-none}" +%s 2>/dev/null) &&
		openssl ts -verify -in "$file" -digest "$stamped_hash" -CAfile "$authority" -attime "$moment" >/dev/null 2>&1 ||
		fail "$file is not signed under $authority: it proves nothing"
	if ((moment > $(date -u -d "$day" +%s) + 3 * 86400)); then
		note "$file was signed under $authority at $signed, more than 2 days behind its day: until then entry" \
			"$stamped could be written anew, so it is not counted"
		return
	fi
	reached+=("$stamped")
	begin=$first rest="; of the others this shows nothing"
	for seq in "${runs[@]}"; do
		((seq > stamped)) || begin=$seq
	done
	((begin == stamped)) || rest=", and so were entries $begin to $((stamped - 1))"
	echo "ok: $file was signed under $authority at $signed: entry $stamped was as it is here then$rest"
}
for file in *.tsr; do
	if [[ ! -e $file ]]; then
		[[ -z $authority ]] || fail "no timestamp is here: --tsa-ca has nothing to look at"
		break
	fi
	[[ $file =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}\.tsr$ ]] || fail "a .tsr here is of no day: its name is not like 2026-11-20.tsr"
	day=${file%.tsr} stamp=$(od -An -v -tx1 "$file" | tr -d ' \n') stamped='' newest_of_day=''
	while IFS=$'\t' read -r seq hash; do
		newest_of_day=$seq
		[[ $stamp != *"$hash"* ]] || stamped=$seq stamped_hash=$hash
	done < <(jq -rn --arg day "$day" 'label $later | inputs | .timestamp[0:10] as $at |
		if $at > $day then break $later elif $at == $day then [.seq, .hash] | @tsv else empty end' entries.jsonl)
	if [[ -n $stamped && ($stamped == "$newest_of_day" || $filtered == 1) ]]; then
		look_at_signature
	elif ((filtered)); then
		note "$file is of an entry that is not here"
	elif [[ -z $stamped && $to == "$day"* ]]; then
		note "$file is of an entry that is not here: of that day only what was until $to was asked for"
	else
		fail "$file is of another entry than $newest_of_day, the last of that day: entries were left out, or the log" \
			"was written anew"
	fi
done

# Each line that the witness has, before it its number and whether it was asked for.
numbered() {
	find "$witness" -type f -name '*-*-????????????????.jsonl' -exec cat {} + >"$work/all"
	[[ -s $work/all ]] || fail "$witness holds no object of a witness (FIRST-LAST-HEAD.jsonl)"
	check_text "$work/all" "$witness"
	jq -Rr --slurpfile asked asked.json "$fits"'fromjson |
		[(.seq | if type == "number" then . else "?" end), (if fits then 1 else 0 end)] | @tsv' \
		"$work/all" >"$work/numbers" || fail "$witness: an object cannot be read"
	[[ $(grep -cxE $'[1-9][0-9]{0,15}\t[01]' "$work/numbers") == "$(wc -l <"$work/all")" ]] ||
		fail "$witness: a line is no entry"
	paste "$work/numbers" "$work/all"
}
if [[ -n $witness ]]; then
	work=$(mktemp -d)
	trap 'rm -r "$work"' EXIT
	numbered >"$work/there"
	jq -r .seq entries.jsonl | paste - entries.jsonl >"$work/here"
	awk -F'\t' -v first="$first" -v last="$last" -v head="$head" -v before="$before" -v filtered="$filtered" \
		-v stated="${newest#-}" -v at="$at" -v shown="$work/shown" '
		function time(line) {
			return match(line, /"timestamp":"[0-9TZ:.-]*"/) ? substr(line, RSTART + 13, RLENGTH - 14) : "?"
		}
		function wrong(text) { print "error: " text >"/dev/stderr"; bad = 1 }
		NR == FNR { here[$1] = $2; next }
		$1 in there && there[$1] != $3 {
			wrong("the witness has entry " $1 " twice, and not the same: are these objects of two servers, or of" \
				" before a restore?")
		}
		$1 in there { next }
		{ there[$1] = $3 }
		$1 + 0 > newest { newest = $1 + 0 }
		$1 + 0 < first && $1 + 0 > previous { previous = $1 + 0 }
		$1 + 0 > last && (!next_one || $1 + 0 < next_one) { next_one = $1 + 0 }
		stated && $1 + 0 > stated && (!beyond || $1 + 0 < beyond) { beyond = $1 + 0 }
		$1 in here && here[$1] == $3 { same++; print $1 "\tr" >shown }
		$1 in here && here[$1] != $3 { wrong("entry " $1 " is not as the witness has it") }
		$1 in here { next }
		$1 + 0 > (stated ? stated : last) && time($3) >= at { next }
		($2 == 1 || ($1 + 0 >= first && $1 + 0 <= last && !filtered)) && ++lacking <= 8 {
			wrong("the witness has entry " $1 ", of " time($3) ", which was asked for and is not here")
		}
		END {
			if (lacking > 8) wrong("... and " lacking - 8 " more that are not here")
			if ((first - 1) in there && !index(there[first - 1], "\"hash\":\"" before "\""))
				wrong("the entry before line 1 is not as the witness has it")
			if (previous)
				print "note: the witness has entry " previous ", before line 1, of " time(there[previous]) \
					(previous < first - 1 ? "; it lacks " previous + 1 " to " first - 1 : "")
			if ((last + 1) in there && !index(there[last + 1], "\"prev\":\"" head "\""))
				wrong("the entry behind the last line is not as the witness has it")
			if (next_one)
				print "note: the witness has entry " next_one ", behind the last line, of " time(there[next_one]) \
					(next_one > last + 1 ? "; it lacks " last + 1 " to " next_one - 1 \
					", and does not show whether they were asked for" : "")
			else
				print "note: the witness has nothing behind entry " newest
			if (beyond && next_one > last + 1 && time(there[beyond]) < at)
				wrong("the witness has entry " beyond ", of " time(there[beyond]) "; by this folder the newest" \
					" was " stated " at " at ": its end was cut off, or it is of an older copy")
			else if (beyond)
				print "note: the witness has entries up to " newest ", of " time(there[newest]) \
					"; by this folder the newest of the log was " stated ", at " at
			if (!same) wrong("the witness has none of these entries")
			if (!bad) print "ok: " same " entries are as the witness has them"
			exit bad
		}' "$work/here" "$work/there"
fi

[[ $newest == - ]] || note "by this folder's own word the log's newest entry was $newest then"
[[ $source != log ]] || note "made of the log's files alone: they were not compared with the database"
[[ $source != database ]] || note "made of the database alone: it was not compared with the log's files"
((!filtered)) || note "a part alone: it does not show what was left out of that part${witness:+, but for what the witness has}"
[[ -n $witness ]] ||
	note "what came behind entry $last this folder does not show; compare its head with the chat, a timestamp or the witness"
[[ $verified == yes ]] ||
	fail "exported with --anyway: the log did not verify then, and what is here is not proven to be all"
# What is outside shows an entry, and those that are chained to it before it.
alone=$({ printf '%s\tr\n' "${reached[@]}"; [[ -z $witness ]] || cat "$work/shown"; jq -r .seq entries.jsonl; } |
	awk -F'\t' -v filtered="$filtered" '
		$2 == "r" { reached[$1]; next }
		{ seq[++n] = $1 }
		END {
			for (i = n; i > 0; i--) {
				is_shown = seq[i] in reached || (is_shown && seq[i + 1] == seq[i] + 1)
				if (is_shown) continue
				if (!alone++) last = seq[i]
				first = seq[i]
			}
			if (alone == 1) print "; entry " first " is shown by this folder alone"
			else if (alone) print "; " (filtered ? alone " of them, between " first " and " last "," : \
				"entries " first " to " last) " are shown by this folder alone"
		}')
echo "ok: $n entries, the last is $last, head ${head:0:16}$alone"
