/* loan_say_aid.h - secrets that a job and a person are lent, and what is read of it, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "job_aid.h"

#define ACCESSOR "8609694a-cab0-4b4f-9c4d-0123456789ab"
#define MINUTE	 INT64_C(60000)

#define VAULT \
	"ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org", \
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123"
#define LENDS \
	"SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_DB_MIGRATE_TTL=10m", "SECRET_STRIPE_PATH=kv2 secret stripe", \
	    "SECRET_STRIPE_FOR=production"
#define SETTINGS \
	VAULT, LENDS, "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main", \
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production, secret.stripe:production", \
	    "ROLE_OPS_IDS=12", "ROLE_OPS_MAY=secret.stripe:production"
#define OPS 12

#define MADE   ((struct vault_said){ .is_done = true, .accessor = ACCESSOR })
#define SENT   ((struct vault_said){ .is_done = true, .message = 770077 })
#define DONE   ((struct vault_said){ .is_done = true })
#define SEALED ((struct vault_said){ .retry_after_s = 5, .why = "503: Vault is sealed" })

struct scene {
	struct world w;
	struct job job;
};

#define open_scene(s, ...) \
	do { \
		*(s) = (struct scene){ .job = JOB_OF_SHOP }; \
		world_open(&(s)->w, SETTINGS, __VA_ARGS__, NULL); \
	} while (0)

/* A job's, which is the first work. */
static inline void
is_asked(struct scene *s)
{
	assert_int_equal(
	    job_asks(&s->w, &s->job, API_SECRET, "/v1/secret/db-migrate", "{}").status, 202);
}

static inline void
is_lent(struct scene *s)
{
	world_vault(&s->w, EFFECT_VAULT_LEND, &MADE);
	assert_true(job_asks(&s->w, &s->job, API_LOAN, "/v1/loan/1", NULL).is_lent);
}

static inline void
is_lent_to(struct scene *s, int64_t person)
{
	(void)world_text_in(&s->w, person, person, "/get_secret stripe");
	world_vault(&s->w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s->w, EFFECT_LEND_MESSAGE, &SENT);
}

static inline const char *
says(struct scene *s, int64_t chat, const char *text)
{
	const struct world_message *message = world_says_in(&s->w, chat, text);

	if (message == NULL)
		fail_msg("nothing says \"%s\"", text);
	return world_plain(message);
}
