# deploybot_test.rego - each rule of deploybot.rego says yes and no: opa test docs/opa/*.rego
# SPDX-License-Identifier: ISC
package deploybot_test

import data.deploybot.allow
import rego.v1

# A Thursday and a Friday, at noon in Berlin.
thursday := "2026-12-03T11:00:00.000Z"

friday := "2026-12-04T11:00:00.000Z"

asked := {
	"version": 1, "stage": "start", "action": "deploy", "target": "shop/production",
	"principal": {"kind": "telegram", "id": "42", "name": "@ada"}, "grant": "deploy:shop/*",
	"source": "git", "commit": "45f7076", "ref": "main", "in_branch": true, "image": "", "live": "1a2b3c4",
	"approvals": [{"person": "telegram:43", "role": "lead", "factor": true, "at": thursday}],
	"emergency": false, "freeze": false, "requested_at": thursday, "at": thursday,
}

with_members(members) := object.union(asked, members)

test_a_deployment_on_thursday if allow == true with input as asked

test_none_on_friday if {
	allow.reason == "no deployments on Fridays" with input as with_members({"at": friday})
	allow.allow == false with input as with_members({"at": friday})
}

test_staging_on_friday if allow == true with input as with_members({"at": friday, "target": "shop/staging"})

test_a_rollback_on_friday if allow == true with input as with_members({"at": friday, "action": "rollback"})

test_an_emergency_on_friday if allow == true with input as with_members({"at": friday, "emergency": true})

test_a_commit_of_no_branch if {
	allow.reason == "production takes commits of its branch alone" with input as with_members({"in_branch": false})
}

test_both_reasons if {
	said := allow with input as with_members({"at": friday, "in_branch": false})
	said.reason == "no deployments on Fridays; production takes commits of its branch alone"
}

test_an_action if allow == true with input as with_members({"at": friday, "action": "do.restart-web", "target": "client/acme"})

test_a_gate if allow == true with input as with_members({"at": friday, "action": "gate"})

test_a_secret if allow == true with input as with_members({"action": "secret.db-migrate"})

test_no_secret_in_a_freeze if {
	allow.allow == false with input as with_members({"action": "secret.db-migrate", "freeze": true})
}

test_doctor_hears_no if allow == false with input as {"version": 1, "action": "doctor"}

test_another_version_hears_no if allow == false with input as with_members({"version": 2})

test_nothing_hears_no if allow == false with input as {}
