# settings.awk - makes deploybot.conf(5) of the settings' tables and of .env.example.
# SPDX-License-Identifier: ISC
# awk -f settings.awk -v version=V -v date=D runner/settings.def server/types/settings.def .env.example
# The tables say the type, the default, and who reads it; .env.example the order, the help, and what needs a restart (a
# unit test holds it against the tables).  What stands in one and not in the other, or has a type that is not described
# here, ends this with status 1.

BEGIN {
	split("TEXT|any text|TOKEN|a secret of at least 16 bytes|BOT_TOKEN|a bot's token|WEBHOOK_SECRET|" \
	    "at least 16 of A-Z a-z 0-9 _ -|BOOL|true or false|COUNT|a number, 1 to 1000|SECONDS|seconds, 1 to 86400|" \
	    "SECONDS_OR_0|seconds, 0 to 86400|SIZE|bytes, or with K, M, G behind|PORT|a port, 1 to 65535|ID|a Telegram id|" \
	    "IDS|Telegram ids, separated by commas|URL|http:// or https://|URLS|URLs, separated by commas|" \
	    "PATH|an absolute path|ADDRESS|an IP address, or the absolute path of a unix socket|" \
	    "NAMES|names, separated by commas|BRANCH|a branch|REPOSITORY|owner/name|REMOTE|what git can fetch|" \
	    "PROXY|http:// or socks5h://|LEVEL|ERROR, WARNING, INFO or DEBUG|FORMAT|human or logfmt|" \
	    "MODE|webhook or polling|HOSTS|HOST[:PORT], separated by commas|PORT_PAIR|two ports|USER|a user's name|" \
	    "HOST_PATH|an absolute path on that machine|COMMAND|words that need no quoting|SMOKE|a URL with {port}|" \
	    "IMAGE|an image's name|REGISTRY|HOST[:PORT][/path]|ACCOUNT|a name to log in with|PASSWORD|a password or token|" \
	    "ENGINE|a container engine's address|INSIDE|a path inside the repository|WORD|letters a-z, 0-9 and -|" \
	    "SERVICE|a service's name|LABEL|a name in Kubernetes|LABELS|a name in Kubernetes|SOURCE|build or registry|" \
	    "STRATEGY|recreate or bluegreen|SOCKET|the absolute path of a unix socket, at most 107 bytes", pairs, "|")
	for (i = 1; i in pairs; i += 2)
		words[pairs[i]] = pairs[i + 1]
	readers["SERVER"] = "the server"
	readers["RUNNER"] = "the runner"
	readers["BOTH"] = "server and runner"
	head()
}

function die(what) {
	print "settings.awk: " what | "cat 1>&2"
	failed = 1
	exit 1
}

# Text as mdoc takes it: no line begins with a control character, \ and - are themselves.
function text(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/,?…/, ", ...", s)
	gsub(/\.  /, ".\n", s)
	gsub(/\n\./, "\n\\\\\\&.", s)
	return s ~ /^[.']/ ? "\\&" s : s
}

function head() {
	printf ".\\\" Made by settings.awk of the settings' tables: change those.\n"
	printf ".\\\" SPDX-License-Identifier: ISC\n"
	printf ".Dd %s\n.Dt DEPLOYBOT.CONF 5\n.Os deploybot %s\n", date, version
	print ".Sh NAME\n.Nm deploybot.conf\n.Nd settings of deploybot"
	print ".Sh SYNOPSIS\n.Nm /etc/deploybot/deploybot.conf"
	print ".Sh DESCRIPTION"
	print "One setting a line,\n.Ar NAME Ns = Ns Ar VALUE .\nA line that begins with # is a comment."
	print "The same names in the environment win over the file."
	print "Server and runner read the same file, each what is its own; it holds no secret."
	print ".Pp"
	print "A setting that is a secret is better given as\n.Ar NAME Ns _FILE Ns = Ns Ar PATH :"
	print "the file holds the value and nothing else, belongs to the user that reads it\n.Pq deploybot or deploybot\\-runner ,"
	print "and nobody else may read it."
	print ".Pp"
	print "A change of the file, or of one that a\n.Ar NAME Ns _FILE"
	print "names, is noticed within seconds: all is valid, or the old settings stay and the log names every wrong line."
	print "What is marked so is read when the server starts.\n.Dq deploybot check\\-config\nchecks a file that is not in use yet."
	print ".Ss Settings\n.Bl -tag -width Ds"
}

# ---- the tables: of the rows, what stands before the help ----

FILENAME ~ /\.def$/ && /^(ENVIRONMENT_)?SETTING\(/ {
	row = $0
	sub(/^[A-Z_]*\(/, "", row)
	if (/^ENVIRONMENT_/) {
		split(row, part, /, */)
		gsub(/"/, "", part[2])
		gsub(/"/, "", part[3])
		name = part[2] "*" part[3]
		sub(/^[^"]*"[^"]*", "[^"]*", /, "", row)
	} else {
		name = row
		sub(/,.*/, "", name)
		sub(/^[^,]*, */, "", row)
	}
	type[name] = row
	sub(/,.*/, "", type[name])
	whose[name] = row
	sub(/, *$/, "", whose[name])
	sub(/.*, */, "", whose[name])
	fallback[name] = match(row, /"[^"]*"/) ? substr(row, RSTART + 1, RLENGTH - 2) : ""
	if (!(type[name] in words))
		die(FILENAME ": no words for the type " type[name] " of " name)
	if (!(whose[name] in readers))
		die(FILENAME ": who reads " name "?")
	rows++
	next
}
FILENAME ~ /\.def$/ { next }

# ---- .env.example ----

/^# For each environment/ {
	print ".El\n.Ss Settings of each environment"
	print ".Ar ENV\nis its name in\n.Va ENVIRONMENTS ,\nin capitals and with \\- as _."
	print ".Bl -tag -width Ds"
	per_environment = 1
	help = ""
	next
}
/^# A secret; / { secret = 1; next }
/^# Read at start\.$/ { restart = 1; next }
/^# / && begun { help = help (help == "" ? "" : " ") substr($0, 3); next }
/^$/ { begun = 1; help = ""; secret = restart = 0; next }
/^#?[A-Z][A-Z0-9_]*=/ {
	name = $0
	sub(/^#/, "", name)
	sub(/=.*/, "", name)
	if (per_environment) {
		if (name !~ /STAGING/)
			next
		sub(/STAGING/, "*", name)
	}
	if (!(name in type))
		die(".env.example: " name " is in no table")
	entry(name)
	delete type[name]
	rows--
}

function entry(name,    shown, by) {
	by = fallback[name]
	shown = name
	sub(/\*/, " Ns Ar ENV Ns Va ", shown)
	sub(/^ Ns Ar/, "Ar", shown)
	sub(/ Ns Va $/, "", shown)
	printf ".It %s%s\n", shown ~ /^Ar/ ? "" : "Va ", shown
	print text(help)
	if (secret)
		printf "A secret;\n.Va %s_FILE\nmay name a file that holds it.\n", name
	printf "Value: %s.\n", text(words[type[name]])
	if (by != "")
		printf "Default:\n.Ql %s .\n", text(by)
	printf "Read by %s%s.\n", readers[whose[name]], restart ? ", at start" : ""
}

END {
	if (failed)
		exit 1
	if (rows != 0) {
		for (name in type)
			print "settings.awk: .env.example lacks " name | "cat 1>&2"
		exit 1
	}
	print ".El"
	print ".Sh FILES\n.Bl -tag -width Ds"
	print ".It Pa /etc/deploybot/deploybot.conf\nread when there is no\n.Pa .env\nin the working directory and no\n.Fl \\-env\\-file ."
	print ".It Pa /etc/deploybot/secrets/server/\nthe server's secrets, one file each; mode 0700, of the user deploybot."
	print ".It Pa /etc/deploybot/secrets/runner/\nthe runner's; mode 0700, of the user deploybot\\-runner."
	print ".El"
	print ".Sh SEE ALSO\n.Xr deploybot 8 ,\n.Xr deploybot\\-runner 8"
}
