/* Goal: a setting of a family that is no good is said, whatever stands beside it, and ends no program.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_table.h"
#include "settings_aid.h"

#define NAME_MAX_ 64

/* Members that are complete, which others name. */
static const char *const whole[] = { "VAULT_ADDR=https://vault.example.org",
	"VAULT_TOKEN=hvs.0123456789abcdef0123", "PUBLIC_URL=https://bot.example.org",
	"GITHUB_REPOSITORY=octo/shop", "ENABLE_API_SERVER=true",
	"WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef", "SECRET_A_PATH=kv2 secret a",
	"SECRET_A_FOR=production", "WORKFLOW_A_IS=github 456789 deploy.yml@refs/heads/main",
	"WORKFLOW_A_MAY=secret.a:production", "ROLE_A_IDS=42", "ROLE_A_MAY=secret.a:production",
	"HOOK_A_STARTS=deploy:staging", "PERSON_42_GITHUB=mona", "PIPELINE_A=release.yml ref=main",
	"JOB_A=./a.sh", "CLIENTS=a", "CLIENT_A_NAME=Acme", "REQUIRE_OTP=secret.a:production" };
static const char *const bad[] = { "~", "-1", "99999999999", "yes", "x y", "1x", "\t", "*" };

/* SECRET_<NAME>_TTL: SECRET_A_TTL. */
static const char *
name_of(enum family_setting setting, char ret[NAME_MAX_])
{
	const char *name = settings_table_families[setting].name, *open = strchr(name, '<');
	const char *which = strncmp(name, "PERSON_", 7) == 0 ? "42" : "A";

	if (open != NULL)
		(void)snprintf(ret, NAME_MAX_, "%.*s%s%s", (int)(open - name), name, which,
		    strchr(open, '>') + 1);
	else
		(void)snprintf(ret, NAME_MAX_, "%s", name);
	return ret;
}

/* Under the sanitizers: what stands beside it is looked at with what is left of it. */
TEST(each_setting_of_a_family_may_be_no_good)
{
	for (enum family_setting i = 0; i < FAMILY_SETTING_COUNT; i++)
		for (size_t b = 0; b < COUNT(bad); b++) {
			const char *lines[COUNT(whole) + 8] = { COMPLETE };
			char name[NAME_MAX_], line[NAME_MAX_ + 24];
			size_t n = 0, size;

			size = strlen(name_of(i, name));
			(void)snprintf(line, sizeof(line), "%s=%s", name, bad[b]);
			while (lines[n] != NULL)
				n++;
			for (size_t w = 0; w < COUNT(whole); w++)
				if (strncmp(whole[w], name, size) != 0 || whole[w][size] != '=')
					lines[n++] = whole[w];
			lines[n++] = line;
			lines[n] = NULL;
			settings_unref(settings_aid_load(NULL, lines));
		}
}
