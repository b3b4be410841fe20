/* perform_witness.c - WITNESS: entries of the audit as one object of a bucket, one try.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/aws_credentials.h"
#include "clients/s3.h"
#include "effects/perform_inside.h"
#include "lib/text.h"
#include "types/settings.h"

struct witness_job {
	struct perform_job job;
	struct aws_credentials_call *keys;
	struct s3_call *call;
};

static void
conclude(struct effect *effect, const struct witness_answer *answer)
{
	effect->result->u.witnessed = *answer;
	if (effect->is_recovered)
		witness_answer_repeated(&effect->result->u.witnessed);
	perform_report(effect);
}

/* It was not sent now. */
static void
refuse(struct effect *effect, const char *why)
{
	struct witness_answer answer = { .verdict = WITNESS_REFUSED };

	text_set(answer.detail, why);
	conclude(effect, &answer);
}

static void
on_put(void *ctx, const struct witness_answer *answer, bool is_refused)
{
	struct witness_job *job = ctx;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	if (is_refused)
		aws_credentials_forget(job->job.perform->aws);
	conclude(perform_job_free(&job->job), answer);
}

static bool
put(struct witness_job *job, const struct sigv4_credentials *credentials, struct err *err)
{
	const struct effect_witness *what = &job->job.effect->u.witness;
	const struct settings *settings = job->job.effect->settings;
	const char *name = settings_text(settings, SETTING_INSTALLATION_NAME);
	char key[WITNESS_KEY];

	witness_key(name != NULL ? name : settings->host, what->first, what->last, what->head, key);
	job->call = s3_put_start(job->job.perform->s3,
	    &(struct s3_put){
		.place = { .endpoint = settings->audit_s3_endpoint,
		    .bucket = settings->audit_s3_bucket,
		    .region = settings->audit_s3_region },
		.credentials = credentials,
		.key = key,
		.body = what->lines,
		.body_size = what->size,
		.is_repeated = what->is_repeated || job->job.effect->is_recovered,
		.on_done = on_put,
		.ctx = job,
	    },
	    err);
	return job->call != NULL;
}

static void
on_keys(void *ctx, const struct sigv4_credentials *credentials, const char *why)
{
	struct witness_job *job = ctx;
	struct err err;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	job->keys = NULL;
	if (credentials == NULL)
		refuse(perform_job_free(&job->job), why);
	else if (!put(job, credentials, &err))
		refuse(perform_job_free(&job->job), err.text);
}

static bool
start(struct witness_job *job, struct err *err)
{
	const struct settings *settings = job->job.effect->settings;
	const struct sigv4_credentials own = {
		.access_key = settings->audit_s3_access_key_id,
		.secret_key = settings_text(settings, SETTING_AUDIT_S3_SECRET_ACCESS_KEY),
	};

	if (own.access_key != NULL)
		return put(job, &own, err);
	job->keys = aws_credentials_start(job->job.perform->aws, on_keys, job, err);
	return job->keys != NULL;
}

static void
end(struct perform_job *job)
{
	aws_credentials_cancel(((struct witness_job *)job)->keys);
	s3_cancel(((struct witness_job *)job)->call);
	perform_job_drop(job);
}

/* AGAIN: what it may have put already is refused then, and confirmed by it. */
void
perform_witness(struct perform *perform, struct effect *effect)
{
	const struct effect_witness *what = &effect->u.witness;
	struct witness_job *job;
	char place[WITNESS_PLACE];
	struct err err;

	witness_place(effect->settings, place);
	if (strcmp(place, what->place) != 0) {
		refuse(effect, "the settings name another witness now");
		return;
	}
	if (what->size == 0) {
		refuse(effect, "the database has no such entries any more");
		return;
	}
	job = perform_job_new(sizeof(*job), perform, effect, NULL, end);
	if (!start(job, &err))
		refuse(perform_job_free(&job->job), err.text);
}
