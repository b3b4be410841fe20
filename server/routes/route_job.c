/* route_job.c - a token is read, its key awaited, and its claims compared with the settings.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_job.h"

#include <stdlib.h>

#include "clients/jwks.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/jwt.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/settings.h"
#include "types/workflow.h"

const struct route_job_row route_job_rows[] = {
#define R(name, status, word, why) \
	[ROUTE_JOB_##name] = { status, word, "a job's token is refused: " why, \
		"a signature is refused: " why },
	ROUTE_JOB_RESULTS(R)
#undef R
};

/* One that waits for its key. */
struct check {
	const struct route_job_config *config;
	route_job_fn *on_checked;
	void *ctx;
	char *token; /* what the next reads */
	struct jwt jwt;
	enum delivery_forge forge;
};

static void
end(struct check *check, enum route_job_result result, const char *why, const struct job *job)
{
	check->on_checked(check->ctx, result, why, job);
	jwt_done(&check->jwt);
	free(check->token);
	free(check);
}

bool
route_job_is_meant(const char *token)
{
	return jwt_is_meant(token);
}

/* The claims are the issuer's word: which workflow of ours is it? */
static void
find_workflow(struct check *check, const struct settings *settings)
{
	static const char of_several[] =
	    "this job is of several workflows here: let environment= say which";
	struct workflow workflow;
	struct job job;
	struct err err;
	size_t n = workflow_find(settings, check->forge, check->jwt.claims, &workflow);
	char is[LIMIT_LINE], of_none[2 * LIMIT_LINE];

	text_setf(of_none,
	    "this job is of no workflow here: no WORKFLOW_<NAME>_IS lets in %s (its environment and events count too)",
	    workflow_of(check->forge, check->jwt.claims, is));
	if (n != 1) {
		end(check, ROUTE_JOB_WORKFLOW, n == 0 ? of_none : of_several, NULL);
		return;
	}
	if (!job_read(check->forge, check->jwt.claims, &job, &err)) {
		end(check, ROUTE_JOB_CLAIMS, err.text, NULL);
		return;
	}
	text_set(job.workflow, workflow.id); /* of the same size */
	end(check, ROUTE_JOB_LET_IN, "", &job);
}

static void
check_claims(struct check *check)
{
	const struct settings *settings = check->config->settings(check->config->ctx);
	const struct jwt_wanted wanted = {
		.issuer = workflow_issuer(settings, check->forge),
		.audience = settings_text(settings, SETTING_PUBLIC_URL),
		.life_ms = job_forges[check->forge].life_ms,
	};
	static const enum route_job_result results[] = { [JWT_ISSUER] = ROUTE_JOB_ISSUER,
		[JWT_AUDIENCE] = ROUTE_JOB_AUDIENCE,
		[JWT_TIMES] = ROUTE_JOB_TIMES };
	enum jwt_fault fault;
	struct err err;

	if (wanted.audience == NULL) {
		end(check, ROUTE_JOB_OFF, "no token of a job is let in: PUBLIC_URL is not set",
		    NULL);
		return;
	}
	fault = jwt_check_claims(check->jwt.claims, &wanted, clock_wall_ms(), &err);
	if (fault == JWT_FIT)
		find_workflow(check, settings);
	else
		end(check, results[fault], err.text, NULL);
}

static void
on_key(void *ctx, enum jwks_found found, const struct crypto_rsa *key)
{
	struct check *check = ctx;
	enum crypto_proof proof =
	    found == JWKS_FOUND ? jwt_verify(&check->jwt, key) : CRYPTO_REFUSED;

	if (found == JWKS_UNREACHABLE)
		end(check, ROUTE_JOB_UNCHECKED,
		    "the keys of the issuer of tokens are not known: try again", NULL);
	else if (found == JWKS_NO_SUCH_KEY)
		end(check, ROUTE_JOB_KEY, "JWT: kid names no key of the issuer", NULL);
	else if (proof == CRYPTO_UNKNOWN)
		end(check, ROUTE_JOB_UNCHECKED, "no memory to check the token: try again", NULL);
	else if (proof == CRYPTO_REFUSED)
		end(check, ROUTE_JOB_SIGNATURE, "JWT: the signature is of another key", NULL);
	else
		check_claims(check);
}

/* Nothing of it is believed yet: it says whose keys have to prove it.  What is of no issuer here is
 * compared with GitHub's. */
static enum delivery_forge
forge_of(const struct settings *settings, const struct json *claims)
{
	return json_has(claims, "iss", workflow_issuer(settings, DELIVERY_GITLAB)) ?
	    DELIVERY_GITLAB :
	    DELIVERY_GITHUB;
}

void
route_job_check(
    const struct route_job_config *config, const char *token, route_job_fn *on_checked, void *ctx)
{
	struct jwks *keys;
	struct check *check = mem_new(1, sizeof(*check));
	struct err err;

	*check = (struct check){
		.config = config, .on_checked = on_checked, .ctx = ctx, .token = mem_text(token)
	};
	if (!jwt_read(check->token, strlen(check->token), &check->jwt, &err)) {
		end(check, ROUTE_JOB_FORM, err.text, NULL);
		return;
	}
	check->forge = forge_of(config->settings(config->ctx), check->jwt.claims);
	keys = config->keys(config->ctx, check->forge);
	if (keys == NULL)
		end(check, ROUTE_JOB_OFF,
		    "no token of a job is let in: no WORKFLOW_<NAME>_IS is of the forge that its iss names (GITHUB_TOKEN_ISSUER, GITLAB_URL)",
		    NULL);
	else
		jwks_get(keys, check->jwt.kid, on_key, check);
}
