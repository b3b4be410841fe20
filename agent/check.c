/* check.c - looks at each capability as an order would.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/check.h"

#include <stdio.h>

#include "agent/agent_settings.h"
#include "agent/manifest.h"
#include "lib/err.h"

/* A unit that gives up before the order's deadline says "timeout" where the server would have
 * waited.  Seconds, as server/types/action.def has them. */
static const unsigned deadlines[MANIFEST_CAPABILITIES] = { 300, 60, 60, 300, 60 };

static bool
check_one(struct systemd *systemd, size_t i)
{
	const uint64_t deadline_us = (uint64_t)deadlines[i] * 1000000;
	char digest[UNIT_FILE_DIGEST], name[MANIFEST_UNIT];
	struct systemd_unit unit;
	struct err err = { .text = "" };
	bool good = manifest_look(systemd, manifest_names[i], digest, &unit, &err);

	(void)manifest_unit(manifest_names[i], name);
	if (!good && err.code == ERR_MISSING) {
		(void)printf("%-15s none: %s\n", manifest_names[i], err.text);
		good = true;
	} else if (!good) {
		(void)printf("%-15s WRONG: %s: %s\n", manifest_names[i], name, err.text);
	} else if (unit.start_timeout_us < deadline_us) {
		(void)printf("%-15s WRONG: %s: TimeoutStartSec=%llus is shorter than the action's "
			     "deadline of %u s\n",
		    manifest_names[i], name, (unsigned long long)(unit.start_timeout_us / 1000000),
		    deadlines[i]);
		good = false;
	} else {
		(void)printf("%-15s %s %s\n", manifest_names[i], digest, name);
	}
	systemd_unit_done(&unit);
	return good;
}

static int
fail(const struct err *err)
{
	(void)printf("WRONG: %s\n", err->text);
	return 1;
}

int
check_host(const char *config)
{
	CLEANUP(systemd_freep) struct systemd *systemd = NULL;
	struct agent_settings settings;
	struct manifest manifest;
	struct err err = { .text = "" };
	int wrong = 0;

	if (!crypto_start(&err) || !agent_settings_read(&settings, config, &err))
		wrong = fail(&err);
	systemd = systemd_open(&err);
	if (systemd == NULL || !manifest_make(systemd, &manifest, &err))
		return fail(&err);
	for (size_t i = 0; i < MANIFEST_CAPABILITIES; i++)
		wrong |= !check_one(systemd, i);
	(void)printf("%-15s %s\n", "manifest", manifest.whole);
	return wrong;
}
