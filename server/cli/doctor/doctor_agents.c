/* doctor_agents.c - judges what the running server's list says of an agent or remote runner.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_agents.h"

#include "cli/doctor/doctor.h"
#include "lib/json.h"
#include "lib/text.h"

#define SOON_MS (7 * 24 * 3600 * INT64_C(1000))

static bool
may_release(const struct json *peer)
{
	const struct json *list = json_get(peer, "capabilities");

	for (size_t i = 0; i < json_count(list); i++)
		if (strcmp(json_text(json_at(list, i), "name"), "release") == 0)
			return true;
	return false;
}

void
doctor_judge_peer(
    struct doctor *doctor, const char *role, const struct json *peer, bool releases, int64_t at)
{
	const char *name = json_text(peer, "name"), *said = json_text(peer, "said"),
		   *ends = json_text(peer, "certificate_ends_at"); /* "": it is not known */
	char now[TEXT_TIME_SIZE], soon[TEXT_TIME_SIZE];
	bool is_known = ends[0] != '\0';

	if (is_known && strcmp(ends, text_time_ms(now, at)) <= 0)
		TELL(doctor, LINK, ERROR,
		    "%s: its certificate has ended: deploybot %s move %s (%s)", name, role, name,
		    said);
	else if (strcmp(json_text(peer, "state"), "connected") != 0)
		TELL(doctor, LINK, ERROR, "%s: %s", name, said);
	else if (releases && !may_release(peer))
		TELL(doctor, LINK, ERROR,
		    "%s: nothing can be released there: it has no deploybot-do-release@.service that counts (deploybot-agent check, there); %s",
		    name, said);
	else if (is_known && strcmp(ends, text_time_ms(soon, at + SOON_MS)) <= 0)
		TELL(doctor, LINK, WARNING,
		    "%s: its certificate ends within a week, and does not renew: deploybot %s move %s (%s)",
		    name, role, name, said);
	else
		TELL(doctor, LINK, OK, "%s: %s%s", name, said, releases ? ", may release" : "");
}
