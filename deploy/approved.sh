# shellcheck shell=bash disable=SC2034,SC2154 # variables go from file to file
# approved.sh - of a release that is no commit: its tree in the place of the checkout, if it is the one that was shown.
# SPDX-License-Identifier: ISC
# Sourced, never run; common.sh and git.sh come first.
#
# Of SOURCE=upload the commit is the SHA-256 of an archive, which was unpacked into APPROVED_DIRECTORY/COMMIT.  TREE is the
# digest of what lies there: the SHA-256 of one line for each file, MODE SHA256 PATH, with one blank between and a newline
# behind.  MODE is 0755 where its owner may execute the file, else 0644; SHA256 that of its bytes, 64 small hex digits; PATH
# counts from the tree, as a/b.  The lines are sorted by their bytes.  Folders have no line.  deploybot-unpack says the same
# of what it has written.

: "${APPROVED_SECONDS:=300}" # to copy a tree, and to read all of it

# Fills source: that of a run, else by hand what was noted when it was shipped here.
find_source() { # COMMIT
	source=${SOURCE:-git}
	[[ -n ${SOURCE:-} ]] || ! is_noted_upload "$1" || source=upload
	[[ $source == @(git|upload) ]] || fail "$EXIT_INPUT" "SOURCE is neither git nor upload: ${source@Q}"
	[[ $source == git || $1 =~ ^[0-9a-f]{64}$ ]] || fail "$EXIT_INPUT" "no SHA-256 of an archive: ${1@Q}"
	export SOURCE=$source
	approved=${APPROVED_DIRECTORY:-$STATE_DIRECTORY/approved}/$1
}

is_upload() {
	[[ $source == upload ]]
}

# Git is not asked about it, now or later.
is_noted_upload() { # COMMIT
	[[ -e $app/uploads ]] && grep -Fxq -- "$1" "$app/uploads"
}

# Where nothing of it is built, or others build it, an upload would be another thing than what was shown.
check_upload() {
	is_upload && [[ $act == deploy ]] || return 0
	: "${TREE:=}"
	[[ $TREE =~ ^[0-9a-f]{64}$ ]] || fail "$EXIT_INPUT" "TREE is to be the digest of the upload's tree, as its \
question showed it: ${TREE@Q}"
	[[ $transport_needs == source || $IMAGE_SOURCE == build ]] || fail "$EXIT_CONFIG" "IMAGE_SOURCE is $IMAGE_SOURCE, and \
an upload is built here: CI has no image of it"
	[[ $transport_needs == source || ${COMPOSE_SOURCE:-host} != repo ]] || fail "$EXIT_CONFIG" "COMPOSE_SOURCE is repo, and \
an upload is in no repository"
	is_noted_upload "$commit" || printf '%s\n' "$commit" >>"$app/uploads"
}

# What is laid out next is there: the commit in the mirror, or the upload's tree.
fetch_source() { # COMMIT
	step checkout
	if ! is_upload; then
		git_setup "$here"
		fetch_commit "$1"
	elif [[ ! -d $approved || -L $approved ]]; then
		fail "$EXIT_INPUT" "${approved%/*} has no tree of upload ${1:0:12}: send the archive again"
	fi
}

# Leaves exactly the tree in FOLDER, which is there and empty.  What was copied is what is compared and built: nobody
# changes it between the two.
lay_out_approved() { # FOLDER COMMIT
	local tree lines=$app/answer.$act.tree
	umask "${lay_out_umask:-077}"
	limited "$APPROVED_SECONDS" "the copy of upload ${2:0:12}" cp -R -P -- "$approved/." "$1/" ||
		fail "$EXIT_BUILD" "the tree of upload ${2:0:12} cannot be copied to $app: see the log; is there room on that disk?"
	umask 077
	[[ -z $(find "$1" -not -type f -not -type d -print -quit) ]] || is_another_tree "$2"
	list_tree "$1" >"$lines" || fail "$EXIT_BUILD" "the tree of upload ${2:0:12} cannot be read: see the log"
	tree=$(sha256sum <"$lines")
	rm -f -- "$lines"
	[[ ${tree%% *} == "$TREE" ]] || is_another_tree "$2"
}

is_another_tree() { # COMMIT
	rm -f -- "$approved.answer" # or it would not be unpacked anew
	fail "$EXIT_BUILD" "the tree of upload ${1:0:12} is not the one that was shown (${TREE:0:12}), so nothing was changed: \
somebody has written to ${approved%/*}; send the archive again"
}

list_tree() { # FOLDER
	{
		list_files "$1" 0755 -perm -u=x &&
			list_files "$1" 0644 ! -perm -u=x
	} | LC_ALL=C sort
}

list_files() { # FOLDER MODE CONDITION...
	(cd -- "$1" && find . -type f "${@:3}" -printf '%P\0' | xargs -0 -r sha256sum -z --) |
		LC_ALL=C sed -z "s/  / /; s/^/$2 /" | tr '\0' '\n'
}

# What stands in texts for where its files are from.
its_files() {
	is_upload && printf 'the archive' || printf 'the repository'
}
