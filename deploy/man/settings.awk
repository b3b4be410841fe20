# settings.awk - makes deploybot.conf(5) of the settings' tables and of .env.example.
# SPDX-License-Identifier: ISC
# awk -f settings.awk -v version=V -v date=D lib/setting.def runner/settings.def server/types/settings.def .env.example
# The tables say the type, what it may be, the default, and who reads it; .env.example the order, the help, and what
# needs a restart (a unit test holds it against the tables).  What stands in one and not in the other, or has a type that
# is not described, ends this with status 1.

BEGIN {
	readers["SERVER"] = "the server"
	readers["RUNNER"] = "the runner"
	readers["BOTH"] = "server and runner"
	scopes["SERVER"] = "Of the whole server: not in an application's file."
	scopes["SHARED"] = "An application's file may have its own."
	scopes["OWN"] = "Of one application: in its file, where applications have files."
	scopes["EACH"] = "Holds for the file that it stands in."
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
	gsub(/,…/, ", ...", s)
	gsub(/…/, "...", s)
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
	print "Several applications have a file each,\n.Pa apps/NAME.env\nbeside this one, with the same names; what such a file does not say stands here."
	print "Settings of one application alone do not stand here then:\n.Dq deploybot application adopt NAME\nmoves them."
	print "The environment never wins over an application's file."
	print "What is marked so is read when the server starts.\n.Dq deploybot check\\-config\nchecks a file that is not in use yet."
	print ".Ss Settings\n.Bl -tag -width Ds"
}

# ---- the tables: of the rows, what stands before the help ----

# A type's sentence: the last text of its row, which may go over several lines.
/^SETTING_TYPE\(/ { type_row = "" }
/^SETTING_TYPE\(/ || type_row != "" {
	type_row = type_row $0
	if (!/"\)$/)
		next
	of = type_row
	sub(/^SETTING_TYPE\(/, "", of)
	sub(/,.*/, "", of)
	gsub(/" +"/, "", type_row)
	sub(/.*, +"/, "", type_row)
	words[of] = substr(type_row, 1, length(type_row) - 2)
	type_row = ""
	next
}
FILENAME ~ /\.def$/ && /^(SETTING|SHIPPING|FAMILY_SETTING)\(/ {
	row = $0
	sub(/^[A-Z_]*\(/, "", row)
	sub(/ *"[^"]*"\)$/, "", row) # the help, where it stands on the same line
	if (/^FAMILY_/) {
		name = row
		sub(/^[^"]*"/, "", name)
		sub(/".*/, "", name)
		sub(/<[A-Z]*>/, "*", name)
		sub(/^[^"]*"[^"]*", */, "", row)
	} else {
		name = row
		sub(/,.*/, "", name)
		sub(/^[^,]*, */, "", row)
	}
	type[name] = row
	sub(/,.*/, "", type[name])
	scope[name] = row
	sub(/, *$/, "", scope[name])
	whose[name] = scope[name]
	sub(/.*, */, "", scope[name])
	sub(/, *[A-Z]*$/, "", whose[name])
	sub(/.*, */, "", whose[name])
	fallback[name] = match(row, /"[^"]*"/) ? substr(row, RSTART + 1, RLENGTH - 2) : ""
	if (!(type[name] in words))
		die(FILENAME ": no words for the type " type[name] " of " name)
	if (!(whose[name] in readers))
		die(FILENAME ": who reads " name "?")
	if (!(scope[name] in scopes))
		die(FILENAME ": what is the scope of " name "?")
	rows++
	next
}
FILENAME ~ /\.def$/ { next }

# ---- .env.example ----

/^# What is known of people/ {
	family("111", "ID", "Settings of each person",
		".Ar ID\nis their Telegram id.")
	next
}
/^# Roles of your own/ {
	family("CONTRACTOR", "NAME", "Settings of each role",
		".Ar NAME\nis one of your own, in capitals; IDS and MAY are needed.")
	next
}
/^# Users of this machine/ {
	family("ADA", "USER", "Users of this machine",
		".Ar USER\nis their name, in capitals and with \\- and . as _; root says\n.Fl \\-as\ninstead.")
	next
}
/^# What others may start with POST/ {
	family("BUILD_DONE", "NAME", "What others may start",
		".Ar NAME\nis the hook's name in\n.Ql POST /hooks/NAME ,\nin capitals and with \\- as _.")
	next
}
/^# For each environment/ {
	family("STAGING", "ENV", "Settings of each environment",
		".Ar ENV\nis its name in\n.Va ENVIRONMENTS ,\nin capitals and with \\- as _.")
	next
}
/^# For each client/ {
	family("ACME", "ID", "Settings of each client",
		".Ar ID\nis one of\n.Va CLIENTS ,\nin capitals and with \\- as _; HOST and ACTIONS are needed.")
	next
}
/^# Playbooks of ANSIBLE_FOLDER/ {
	family("RESTART", "NAME", "Playbooks of Ansible's",
		".Ar NAME\nis the playbook's name in\n.Ql /do run\\-playbook ,\nin capitals and with \\- as _.")
	next
}
/^# Jobs of the application/ {
	family("MIGRATE", "NAME", "Jobs of the application",
		".Ar NAME\nis the job's name in\n.Ql /do run\\-job ,\nin capitals and with \\- as _.")
	next
}
/^# Workflows of a forge/ {
	family("DEPLOY", "NAME", "Workflows of a forge",
		".Ar NAME\nis the workflow's name, in capitals and with \\- as _; of a file of apps/ it is APP/NAME.")
	next
}
/^# Workflows of its repository/ {
	family("RELEASE", "NAME", "Workflows that are begun here",
		".Ar NAME\nis the name in\n.Ql /do run\\-pipeline ,\nin capitals and with \\- as _.")
	next
}
/^# Secrets of Vault/ {
	family("DB_MIGRATE", "NAME", "Secrets of Vault that are lent",
		".Ar NAME\nis the secret's name in the grant\n.Ql secret.NAME ,\nin capitals and with \\- as _.")
	next
}
/^# Who else is notified/ {
	family("STATUS_PAGE", "NAME", "Who else is notified",
		".Ar NAME\nis the destination's name in\n.Ql deploybot notify test ,\nin capitals and with \\- as _.")
	next
}
/^# For each registry/ {
	family("BASE", "NAME", "Settings of each further registry",
		".Ar NAME\nis one of\n.Va REGISTRIES ,\nin capitals and with \\- as _.")
	next
}
/^# A secret; / { secret = 1; next }
/^# Also for one environment: / { special = 1; next }
/^# Read at start\.$/ { restart = 1; next }
/^# / && begun { help = help (help == "" ? "" : " ") substr($0, 3); next }
/^$/ { begun = 1; help = ""; secret = restart = special = 0; next }
/^#?[A-Z][A-Z0-9_]*=/ {
	name = $0
	sub(/^#/, "", name)
	sub(/=.*/, "", name)
	if (member != "") {
		if (name !~ member)
			next
		sub(member, "*", name)
	}
	if (!(name in type))
		die(".env.example: " name " is in no table")
	entry(name)
	delete type[name]
	rows--
}

# A section of its own: settings whose names have such a member in .env.example, which stands for each.
function family(example, stands_for, title, words) {
	print ".El\n.Ss " title "\n" words "\n.Bl -tag -width Ds"
	member = example
	shown_as = stands_for
	help = ""
}

function entry(name,    shown, by) {
	by = fallback[name]
	shown = name
	sub(/\*/, " Ns Ar " shown_as " Ns Va ", shown)
	sub(/^ Ns Ar/, "Ar", shown)
	sub(/ Ns Va $/, "", shown)
	printf ".It %s%s\n", shown ~ /^Ar/ ? "" : "Va ", shown
	print text(help)
	if (secret)
		printf "A secret;\n.Va %s_FILE\nmay name a file that holds it.\n", name
	if (special)
		printf "Also for one environment,\n.Ar ENV Ns Va _%s .\n", name
	printf "Value: %s.\n", text(words[type[name]])
	if (by != "")
		printf "Default:\n.Ql %s .\n", text(by)
	printf "Read by %s%s.\n", readers[whose[name]], restart ? ", at start" : ""
	print text(scopes[scope[name]])
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
	print ".It Pa /etc/deploybot/apps/NAME.env\nsettings of the application NAME, which root alone, or the owner of the settings file, may write."
	print ".It Pa /etc/deploybot/secrets/server/\nthe server's secrets, one file each; mode 0700, of the user deploybot."
	print ".It Pa /etc/deploybot/secrets/runner/\nthe runner's; mode 0700, of the user deploybot\\-runner."
	print ".El"
	print ".Sh SEE ALSO\n.Xr deploybot 8 ,\n.Xr deploybot\\-runner 8"
}
