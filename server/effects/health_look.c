/* health_look.c - looks once at health URLs, for somebody who waits.  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/health_look.h"

#include "effects/probe_check.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"

#define MAGIC 0x686c6f6fu

struct one {
	struct look *look;
	struct http_client_call *call;
};

struct look {
	struct look *next;
	struct health_looks *looks;
	struct loop_timer done; /* not under the feet of whoever began it */
	health_look_fn *on_done;
	void *ctx;
	uint64_t user;
	size_t pending;
	size_t n;
	struct probe_finding *findings;
	struct one ones[];
};

struct health_looks {
	unsigned magic;
	struct loop *loop;
	struct http_client *client;
	struct look *first;
	size_t n_probes; /* in progress */
};

struct health_looks *
health_looks_new(struct loop *loop, struct http_client *client)
{
	struct health_looks *looks = mem_new(1, sizeof(*looks));

	*looks = (struct health_looks){ .magic = MAGIC, .loop = loop, .client = client };
	return looks;
}

static void
end(struct look *look)
{
	struct look **back = &look->looks->first;

	while (*back != look)
		back = &(*back)->next;
	*back = look->next;
	look->looks->n_probes -= look->pending;
	loop_timer_stop(&look->done);
	for (size_t i = 0; i < look->n; i++)
		http_client_cancel(look->ones[i].call);
	look->on_done(look->ctx, look->findings);
	free(look->findings);
	free(look);
}

void
health_looks_free(struct health_looks *looks)
{
	if (looks == NULL)
		return;
	OBJ_CHECK(looks, MAGIC);
	while (looks->first != NULL)
		end(looks->first);
	looks->magic = 0;
	free(looks);
}

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct one *one = ctx;
	struct look *look = one->look;
	struct probe_finding *finding = &look->findings[one - look->ones];

	OBJ_CHECK(look->looks, MAGIC);
	one->call = NULL;
	finding->is_unknown = false;
	finding->is_healthy = probe_check_judge(result, "", PROBE_LOOK_TIMEOUT_S, finding);
	look->looks->n_probes--;
	if (--look->pending == 0)
		loop_timer_start(look->looks->loop, &look->done, 0, 0);
}

static void
on_done(UNUSED struct loop_timer *timer, void *ctx)
{
	end(ctx);
}

static size_t
probes_of(const struct health_looks *looks, uint64_t user)
{
	size_t n = 0;

	for (const struct look *look = looks->first; look != NULL; look = look->next)
		n += look->user == user ? look->pending : 0;
	return n;
}

/* Our own congestion says nothing of whom it keeps us from asking. */
static void
begin(struct one *one, const char *url)
{
	struct look *look = one->look;
	struct health_looks *looks = look->looks;
	struct probe_finding *finding = &look->findings[one - look->ones];
	struct err err = { .code = ERR_BUSY,
		.text = "too many look at once: ask again in a moment" };

	if (probes_of(looks, look->user) >= HEALTH_LOOK_PROBES_OF_USER)
		(void)err_set(&err, ERR_BUSY,
		    "your other looks still wait for answers: ask again in a moment");
	else if (looks->n_probes < HEALTH_LOOK_PROBES)
		one->call = probe_check_start(
		    looks->client, url, PROBE_LOOK_TIMEOUT_S, on_answer, one, &err);
	finding->is_unknown = one->call != NULL || err.code == ERR_BUSY;
	text_set(finding->detail, one->call == NULL ? err.text : "no answer yet");
	look->pending += one->call != NULL;
	looks->n_probes += one->call != NULL;
}

void
health_look_start(struct health_looks *looks, uint64_t user, const struct probe_target *targets,
    size_t n, health_look_fn *on_done_fn, void *ctx)
{
	struct look *look = mem_new(1, sizeof(*look) + n * sizeof(look->ones[0]));
	struct probe_finding *findings = mem_new(n > 0 ? n : 1, sizeof(*findings));

	OBJ_CHECK(looks, MAGIC);
	*look = (struct look){ .next = looks->first,
		.looks = looks,
		.on_done = on_done_fn,
		.ctx = ctx,
		.user = user,
		.n = n,
		.findings = findings };
	looks->first = look;
	loop_timer_init(&look->done, on_done, look);
	for (size_t i = 0; i < n; i++) {
		look->ones[i].look = look;
		begin(&look->ones[i], targets[i].url);
	}
	if (look->pending == 0)
		loop_timer_start(looks->loop, &look->done, 0, 0);
}
