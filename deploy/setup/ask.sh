# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# ask.sh - what deploybot-setup asks: of --answers, of the draft of an earlier try, of whoever sits there; and the draft.
# SPDX-License-Identifier: ISC
# Sourced by setup.sh, never run.  Nothing that is answered changes the installation: it goes into the draft.

readonly ANSWERS_BYTES_MAX=65536 ANSWER_MAX=4000 TRIES_MAX=5

declare -A given=() drafted=() # by setting: of --answers, and of an earlier try
declare -A refused=()           # of an earlier try, where a later look failed

# ---- files of answers ------------------------------------------------------------------------------

# Fills `said` with what stands behind NAME=, as lib/env_file.h reads one line; a value that goes on below is refused.
read_value() { # TEXT WHERE
	said=$1
	said=${said#"${said%%[![:blank:]]*}"}
	case $said in
	\'*)
		[[ $said =~ ^\'([^\']*)\'[[:blank:]]*(#.*)?$ ]] ||
			fail "$EXIT_CONFIG" "$2: a quote has no end on its line, or words behind it"
		said=${BASH_REMATCH[1]}
		;;
	\"*)
		[[ $said =~ ^\"([^\"\\]*)\"[[:blank:]]*(#.*)?$ ]] ||
			fail "$EXIT_CONFIG" "$2: a quote has no end on its line, words behind it, or a \\ in it"
		said=${BASH_REMATCH[1]}
		;;
	*)
		[[ $said != \#* ]] || said=
		said=${said%%[[:blank:]]#*}
		said=${said%"${said##*[![:blank:]]}"}
		;;
	esac
}

# Each NAME=VALUE of a file of ours, or of --answers, into that array.
read_answers() { # ARRAY FILE
	local -n into=$1
	local line name number=0
	while IFS= read -r line || [[ -n $line ]]; do
		((number += 1))
		[[ ! $line =~ ^[[:blank:]]*(#.*)?$ ]] || continue
		[[ $line =~ ^[[:blank:]]*([A-Z][A-Z0-9_]*)=(.*)$ ]] || fail "$EXIT_CONFIG" "$2 line $number: it is not NAME=VALUE"
		name=${BASH_REMATCH[1]}
		[[ ! -v into[$name] ]] || fail "$EXIT_CONFIG" "$2 line $number: $name stands there twice"
		read_value "${BASH_REMATCH[2]}" "$2 line $number"
		[[ ! $said =~ [[:cntrl:]] ]] || fail "$EXIT_CONFIG" "$2 line $number: a character that cannot be seen"
		into["$name"]=$said
	done <"$2"
}

# It may have secrets in it.
open_answers() { # FILE
	local mode
	[[ -f $1 && -r $1 ]] || fail "$EXIT_CONFIG" "--answers: there is no file $1 that can be read"
	(($(stat -L -c %s -- "$1") <= ANSWERS_BYTES_MAX)) ||
		fail "$EXIT_CONFIG" "--answers: $1 has more than $ANSWERS_BYTES_MAX bytes"
	mode=$(stat -L -c %a -- "$1")
	(((8#$mode & 8#077) == 0)) || fail "$EXIT_CONFIG" "--answers: others may read $1 (mode $mode): chmod 600 $1"
	read_answers given "$1"
	check_names "$1"
}

# None is a slip: what nobody asks about is written as it stands, and would come to nothing.
check_names() { # FILE
	local name line
	for name in "${!given[@]}"; do
		[[ $name == SETUP_* || $name == ALERT_* ]] || printf '%s=1\n' "$name"
	done >"$draft/said"
	[[ ! -v given[ENVIRONMENTS] ]] || printf 'ENVIRONMENTS=%s\n' "${given[ENVIRONMENTS]}" >>"$draft/said"
	while IFS= read -r line; do
		[[ ! $line =~ ^warning\ +([A-Z0-9_]+):\ is\ no\ setting\;\ did\ you\ mean\ ([A-Z0-9_]+) ]] ||
			fail "$EXIT_CONFIG" "--answers: $1: ${BASH_REMATCH[1]} is no setting: did you mean ${BASH_REMATCH[2]}? \
$untouched"
	done < <(deploybot --env-file "$draft/said" check-config 2>&1)
}

# ---- the draft -------------------------------------------------------------------------------------

# What was accepted stays for the next try; a secret is a file of its own there.
keep_draft() { # NAME VALUE
	drafted[$1]=$2
	unset "refused[$1]"
	write_draft drafted answers
	write_draft refused refused
}

write_draft() { # ARRAY FILE
	local -n those=$1
	local name
	for name in "${!those[@]}"; do
		printf "%s='%s'\n" "$name" "${those[$name]}"
	done >"$draft/$2.new" # which nobody else may read: the umask
	mv -f -- "$draft/$2.new" "$draft/$2"
}

# A look that came later failed, and these may be why: the next try asks for them anew, and says what they were.
refuse() { # NAME...
	local name
	for name in "$@"; do
		[[ -v drafted[$name] ]] || continue
		refused[$name]=${drafted[$name]}
		unset "drafted[$name]"
		write_draft refused refused
		write_draft drafted answers
	done
}

# The same look has found them right after all.
accept() { # NAME...
	local name
	for name in "$@"; do
		[[ ! -v refused[$name] ]] || keep_draft "$name" "${refused[$name]}"
	done
}

# A look at NAME that shows whether the answers before it are right.
look_with() { # CHECK NAME ANSWER...
	if "$1" "$2"; then
		accept "${@:3}"
	else
		refuse "${@:3}"
		return 1
	fi
}

# Every answer that names this host.
refuse_host() { # HOST
	local name
	for name in "${!drafted[@]}"; do
		if [[ $name == @(*_HOST|SSH_JUMP) && ,${drafted[$name]}, == *[,@\[]"$1"[],:]* ]]; then
			refuse "$name"
		fi
	done
}

# ---- questions -------------------------------------------------------------------------------------

# Fills `said` with a line of stdin; its end ends us.  It looks up each second: a signal that comes just before bash begins
# to read is seen only then.  A terminal is left as it is, so that a key takes back what was typed.
hear() { # PROMPT [secret]
	local status=0 part words=()
	[[ ${2:-} != secret || ! -t 0 ]] || stty -echo # before the question: who pastes is faster than we are
	printf '%s' "$1"
	[[ -t 0 ]] || words=(-n "$ANSWER_MAX")
	said=
	while :; do
		status=0 part=
		IFS= read -r -t 1 "${words[@]}" part || status=$?
		said+=$part
		((status > 128 && ${#said} < ANSWER_MAX)) || break
	done
	[[ ${2:-} != secret || ! -t 0 ]] || stty echo
	[[ ${2:-} != secret && -t 0 ]] || printf '\n'
	((status == 0)) || fail "$EXIT_INPUT" "no more answers: $untouched"
	said=${said#"${said%%[![:blank:]]*}"}
	said=${said%"${said##*[![:blank:]]}"}
}

# Does CHECK take what is in `said`?  That stays there, whatever CHECK asks.
taken() { # CHECK NAME
	local typed=$said status=0
	"$1" "$2" || status=$?
	said=$typed
	return "$status"
}

# Fills `said` with what is answered to NAME, when CHECK (a function that says why not, and sees `said`, and in `heard` a `-`
# where somebody said "none") takes it.  An answer of the file that it does not take ends us; of the draft it is asked anew.
ask() { # NAME DEFAULT CHECK QUESTION REASON
	local name=$1 default=$2 check=$3 tries=0
	if [[ -v given[$name] ]]; then
		said=${given[$name]} heard=${given[$name]:--}
		taken "$check" "$name" || fail "$EXIT_CONFIG" "$answers: $name is not taken: see above"
		return 0
	fi
	if [[ -v drafted[$name] ]]; then
		said=${drafted[$name]} heard=${drafted[$name]:--}
		if taken "$check" "$name"; then
			say '%s: %s, as answered before' "$name" "$said"
			return 0
		fi
	elif [[ -n $answers ]]; then
		said=$default heard=$default
		taken "$check" "$name" || fail "$EXIT_CONFIG" "$answers has no $name: $4"
		return 0
	fi
	say '\n%s  %s' "$name" "$4"
	say '  %s' "$5"
	if [[ -n ${refused[$name]:-} ]]; then
		say '  %s was answered before, and did not work' "${refused[$name]}"
		default=${default:-${refused[$name]}}
	fi
	while ((tries++ < TRIES_MAX)); do
		hear "  [$default] > "
		[[ -n $said ]] || said=$default
		heard=$said
		[[ $said != - ]] || said=
		if [[ $said =~ [[:cntrl:]\'] ]]; then
			warn "$name: a quote, or a character that cannot be seen: type it again"
		elif taken "$check" "$name"; then
			keep_draft "$name" "$said"
			return 0
		fi
	done
	fail "$EXIT_INPUT" "$name: $TRIES_MAX answers were not taken: $untouched"
}

# The same of a secret: fills secret_file with the file that holds it, empty where there is none.  One that is there is
# kept.
ask_secret() { # NAME FILE-THAT-IS-THERE required|optional CHECK QUESTION REASON
	local name=$1 there=$2 need=$3 check=$4 tries=0 hint=none
	secret_file=$draft/secret.$name
	if [[ -v given[$name] ]]; then
		(umask 077 && printf '%s\n' "${given[$name]}" >"$secret_file")
		[[ -n ${given[$name]} ]] || secret_file=
		"$check" "$name" || fail "$EXIT_CONFIG" "$answers: $name is not taken: see above"
		return 0
	fi
	if [[ -s $secret_file ]] && "$check" "$name"; then
		say '%s: as answered before' "$name"
		return 0
	fi
	rm -f -- "$secret_file"
	secret_file=
	[[ -z $there || ! -s $there ]] || secret_file=$there hint="the one that is there"
	if [[ -n $answers ]]; then
		[[ $need == optional || -n $secret_file ]] || fail "$EXIT_CONFIG" "$answers has no $name: $5"
		"$check" "$name" || fail "$EXIT_CONFIG" "$answers has no $name, and the one that is there is not taken: see above"
		return 0
	fi
	[[ $need == optional || $hint != none ]] || hint=required
	say '\n%s  %s' "$name" "$5"
	say '  %s' "$6"
	while ((tries++ < TRIES_MAX)); do
		hear "  (not shown) [$hint] > " secret
		if [[ -n $said ]]; then
			secret_file=$draft/secret.$name
			(umask 077 && printf '%s\n' "$said" >"$secret_file")
		elif [[ $hint == required ]]; then
			warn "$name: one is needed"
			continue
		fi
		said=
		if "$check" "$name"; then
			return 0
		fi
		rm -f -- "$draft/secret.$name"
		secret_file=
		[[ $hint != "the one that is there" ]] || secret_file=$there
	done
	fail "$EXIT_INPUT" "$name: $TRIES_MAX answers were not taken: $untouched"
}

any() { # NAME: what needs no look
	true
}
