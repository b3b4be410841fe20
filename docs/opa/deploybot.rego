# deploybot.rego - what deploybot may do, as a policy to begin with; OPA_URL names its rule allow.
# SPDX-License-Identifier: ISC
package deploybot

import rego.v1

# Whatever no line below allows, as the question of deploybot doctor.
default allow := false

allow := true if {
	is_known
	count(denied) == 0
}

# People read this reason where they asked.
allow := {"allow": false, "reason": concat("; ", sort(denied))} if {
	is_known
	count(denied) > 0
}

# Another version may ask what these rules do not look at.
is_known if {
	input.version == 1
	is_action
}

is_action if input.action in {"deploy", "rollback", "upload", "gate"}

is_action if startswith(input.action, "do.")

is_action if startswith(input.action, "secret.")

is_release if input.action in {"deploy", "upload"}

is_production if input.target == "production"

is_production if endswith(input.target, "/production")

# Rollbacks and emergencies end trouble: nothing below is about them.
denied contains "no deployments on Fridays" if {
	is_release
	is_production
	not input.emergency
	time.weekday([time.parse_rfc3339_ns(input.at), "Europe/Berlin"]) == "Friday"
}

denied contains "production takes commits of its branch alone" if {
	is_release
	is_production
	not input.emergency
	not input.in_branch
}

denied contains "a freeze is for secrets, too" if {
	startswith(input.action, "secret.")
	is_production
	input.freeze
}
