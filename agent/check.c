/* check.c - looks at each capability as an order would.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/check.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/order_keys.h"
#include "agent/manifest.h"
#include "lib/err.h"

static int
wrong(const struct err *err)
{
	(void)printf("WRONG: %s\n", err->text);
	return 1;
}

static int
check_one(struct systemd *systemd, const char *name, uint64_t deadline_s)
{
	struct systemd_unit unit;
	struct err err;
	char digest[65];

	(void)printf("%-15s ", name);
	if (!manifest_look(systemd, name, &unit, digest, &err)) {
		if (err.code != ERR_MISSING)
			return wrong(&err);
		(void)printf("-: %s\n", err.text);
		return 0;
	}
	if (unit.timeout_start_us >= deadline_s * 1000000) {
		(void)printf("%s %s\n", digest, unit.fragment_path);
		return 0;
	}
	(void)err_set(&err, ERR_INVALID, "%s: TimeoutStartSec= is below its order's %u s",
	    unit.fragment_path, (unsigned)deadline_s);
	return wrong(&err);
}

/* As whom the agent runs: what that user cannot read is nothing that it starts. */
static bool
become_agent(struct err *err)
{
	const struct passwd *user = NULL;

	if (geteuid() == 0)
		/* cppcheck-suppress getpwnamCalled ; there is one thread */
		user = getpwnam("deploybot-agent"); /* NOLINT(concurrency-mt-unsafe): one thread */
	return user == NULL || (setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0) ||
	    err_set(err, ERR_IO, "the user deploybot-agent cannot be taken");
}

int
check_host(const char *config)
{
	CLEANUP(systemd_freep) struct systemd *systemd = NULL;
	struct order_keys settings;
	struct protocol_manifest manifest;
	struct err err;
	int ret = 0;

	if (!become_agent(&err) || !crypto_start(&err) ||
	    !order_keys_read(&settings, "AGENT_NAME", config, &err))
		ret = wrong(&err);
	systemd = systemd_open(&err);
	if (systemd == NULL || !manifest_make(systemd, &manifest, &err))
		return wrong(&err);
	if (!systemd_check_polkit(systemd, &err))
		ret = wrong(&err);
#define C(name, deadline_s) ret |= check_one(systemd, name, deadline_s);
	MANIFEST_CAPABILITIES(C)
#undef C
	(void)printf("%-15s %s\n", "manifest", manifest.digest);
	return ret;
}
