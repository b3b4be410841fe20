/* sim_settings_loans.c - what the settings of a history lend to jobs, and to whom.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

/* How many approve that a job is lent what is for staging, and for production, and whether the
 * workflow is granted that.  Their environments are those of the application without a name, or of
 * shop; in the other variants the settings lend nothing. */
struct lends {
	bool is_any;
	int approvals[2];
	bool may[2];
	int minutes;	/* that it lives */
	bool is_value;	/* each is delivered as its value, which its token has read */
	bool is_narrow; /* the line of the workflow says more of whom it lets in */
};
static const struct lends lends[SIM_VARIANTS] = {
	[0] = { true, { 0, 1 }, { true, true }, 10, false, false },
	[1] = { true, { 0, 0 }, { true, true }, 10, false, true },
	[2] = { true, { 0, 1 }, { false, true }, 20, false, false },
	[3] = { true, { 0, 1 }, { true, true }, 20, true, false },
	[4] = { true, { 1, 1 }, { true, true }, 10, false, true },
	[6] = { true, { 1, 1 }, { true, true }, 10, true, false },
	[7] = { true, { 0, 1 }, { true, false }, 20, false, false },
	[10] = { true, { 0, 1 }, { true, true }, 10, false, false },
	[14] = { true, { 1, 2 }, { true, true }, 10, false, true },
	[16] = { true, { 0, 1 }, { true, true }, 20, true, false },
	[18] = { true, { 0, 1 }, { true, true }, 10, false, false },
};
const char *const sim_secrets[SIM_SECRETS] = { "db-migrate", "stripe" };

/* The lines of what is lent, and *may behind what the workflow may else. */
size_t
sim_settings_add_loans(int variant, char room[][SIM_LINE], char may[SIM_LINE])
{
	static const char *const settings[] = { "DB_MIGRATE", "STRIPE" };
	static const char *const paths[] = { "creds database migrate", "kv2 secret stripe" };
	const struct lends *of = &lends[variant];
	size_t n = 0;

	if (!of->is_any)
		return 0;
	(void)snprintf(room[n++], sizeof(room[0]), "VAULT_ADDR=https://vault.example.org");
	(void)snprintf(room[n++], sizeof(room[0]), "VAULT_TOKEN=hvs.0123456789abcdef0123");
	for (int i = 0; i < SIM_SECRETS; i++) {
		int to = sim_settings_lent_to(variant >= SIM_OF_ONE, i);
		const char *target = sim_environments[to];

		(void)snprintf(
		    room[n++], sizeof(room[0]), "SECRET_%s_PATH=%s", settings[i], paths[i]);
		(void)snprintf(room[n++], sizeof(room[0]), "SECRET_%s_FOR=%s", settings[i], target);
		(void)snprintf(
		    room[n++], sizeof(room[0]), "SECRET_%s_TTL=%dm", settings[i], of->minutes);
		(void)snprintf(room[n++], sizeof(room[0]), "SECRET_%s_APPROVALS=%d", settings[i],
		    of->approvals[i]);
		if (of->is_value)
			(void)snprintf(
			    room[n++], sizeof(room[0]), "SECRET_%s_DELIVERS=value", settings[i]);
		if (of->may[i])
			(void)snprintf(may + strlen(may), SIM_LINE - strlen(may), ", secret.%s:%s",
			    sim_secrets[i], target);
	}
	return n;
}

bool
sim_settings_is_narrow(int variant)
{
	return lends[variant].is_narrow;
}

int
sim_settings_lent_to(bool is_many, int secret)
{
	return (is_many ? 2 : 0) + secret;
}

bool
sim_settings_may_lend(const struct settings *settings, int environment)
{
	int variant = sim_settings_variant(settings), secret = environment % 2;

	return environment == sim_settings_lent_to(variant >= SIM_OF_ONE, secret) &&
	    lends[variant].is_any && lends[variant].may[secret];
}

bool
sim_settings_lends(const struct settings *settings, int environment)
{
	int variant = sim_settings_variant(settings);

	return lends[variant].is_any &&
	    environment == sim_settings_lent_to(variant >= SIM_OF_ONE, environment % 2);
}

int
sim_settings_approvals_of_loan(const struct settings *settings, int environment)
{
	return lends[sim_settings_variant(settings)].approvals[environment % 2];
}
