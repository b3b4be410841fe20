/* sim_settings_codes.c - what needs a code, in which variant of the settings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

/* What needs a code, in staging and in production, as the lines of REQUIRE_OTP have it. */
struct codes {
	bool of_deploy[2];
	bool of_rollback[2];
	bool of_approve[2];
	bool of_solo; /* reload-nginx and restart-web there */
};
#define OF_SOLO "do.reload-nginx:client/solo,do.restart-web:client/solo"
static const struct codes codes_of[SIM_VARIANTS] = {
	[1] = { .of_deploy = { false, true }, .of_solo = true },
	[4] = { .of_deploy = { true, false }, .of_solo = true },
	[5] = { .of_deploy = { true, false } },
	[6] = { .of_deploy = { false, true }, .of_approve = { true, false } },
	[7] = { .of_rollback = { true, false }, .of_approve = { true, true }, .of_solo = true },
	[10] = { .of_deploy = { true, false } },
	[14] = { .of_approve = { true, false } },
	[16] = { .of_rollback = { false, true }, .of_approve = { true, true } },
};
static const char *const codes_words[SIM_VARIANTS] = {
	[1] = ("deploy:production," OF_SOLO),
	[4] = ("deploy:staging," OF_SOLO),
	[5] = "deploy:staging",
	[6] = "deploy:production,approve:staging",
	[7] = ("rollback:staging,approve:staging,approve:production," OF_SOLO),
	[10] = "deploy:*/staging",
	[14] = "approve:*/staging",
	[16] = "rollback:*/production,approve:*/staging,approve:*/production",
};

const char *
sim_settings_codes(int variant)
{
	return codes_words[variant];
}

bool
sim_settings_needs_code(
    const struct settings *settings, const char *program, const char *action, int environment)
{
	const struct codes *codes = &codes_of[sim_settings_variant(settings)];
	int kind = environment % 2;

	if (strcmp(program, "action") == 0)
		return environment == SIM_CLIENT && codes->of_solo &&
		    (strcmp(action, "reload-nginx") == 0 || strcmp(action, "restart-web") == 0);
	if (environment == SIM_CLIENT)
		return false;
	return strcmp(program, "approve") == 0 ? codes->of_approve[kind] :
	    strcmp(program, "rollback") == 0   ? codes->of_rollback[kind] :
						 codes->of_deploy[kind];
}
