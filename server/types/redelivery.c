/* redelivery.c - what a forge could not deliver, and which of it is asked for again.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/redelivery.h"

#include <stdio.h>

#include "lib/json.h"
#include "lib/text.h"
#include "types/forge.h"

#define MINUTE_MS (60 * INT64_C(1000))

void
redelivery_ref(const char *repository, const char *branch, char ret[LIMIT_REF])
{
	if (repository == NULL)
		(void)text_copy(ret, LIMIT_REF, branch); /* it fits */
	else
		(void)snprintf(ret, LIMIT_REF, "%.120s %.130s", repository, branch); /* cut */
}

static bool
take(const struct json *item, const char *guid, const char *at, struct redelivery *ret)
{
	return guid[0] != '\0' && text_copy(ret->guid, sizeof(ret->guid), guid) &&
	    json_get_i64(item, "id", &ret->id) && ret->id > 0 &&
	    forge_time_read(json_get_str(item, at), &ret->at);
}

bool
redelivery_read(const struct json *item, struct redelivery *ret)
{
	*ret = (struct redelivery){ .is_ok = json_get_i64_or(item, "status_code", 0) / 100 == 2 };
	ret->asks_branch = json_has(item, "event", "push");
	return take(item, json_text(item, "guid"), "delivered_at", ret);
}

bool
redelivery_read_gitlab(const struct json *item, struct redelivery *ret)
{
	static const char heads[] = "refs/heads/";
	const struct json *body = json_get(item, "request_data");
	const char *ref = json_text(body, "ref");
	const char *key = json_text(json_get(item, "request_headers"), "Idempotency-Key");
	bool is_push = json_has(body, "object_kind", "push");

	*ret = (struct redelivery){ .id = 0 };
	if (is_push && text_starts(ref, heads) && text_is_plain(ref))
		text_set(ret->branch, ref + strlen(heads));
	return (is_push || json_has(body, "object_kind", "pipeline")) &&
	    take(item, key, "created_at", ret);
}

int64_t
redelivery_due(int64_t tries, int64_t at)
{
	return at + (tries == 0 ? 1 : tries == 1 ? 10 : 60) * MINUTE_MS;
}

bool
redelivery_is_newest(const struct redelivery *list, size_t n, const struct redelivery *push)
{
	for (size_t i = 0; i < n; i++)
		if (push->branch[0] != '\0' && strcmp(list[i].branch, push->branch) == 0 &&
		    (list[i].at > push->at || (list[i].at == push->at && list[i].id > push->id)))
			return false;
	return true;
}

struct redelivery *
redelivery_next(struct redelivery *list, size_t n, int64_t now)
{
	struct redelivery *next = NULL;

	for (struct redelivery *one = list; one < list + n; one++)
		if (!one->is_ok && one->tries < REDELIVERY_TRIES && one->due <= now &&
		    (next == NULL || one->at < next->at) && redelivery_is_newest(list, n, one))
			next = one;
	return next;
}
