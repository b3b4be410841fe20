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

bool
redelivery_read(const struct json *item, struct redelivery *ret)
{
	const char *guid = json_text(item, "guid");

	*ret = (struct redelivery){ .is_ok = json_get_i64_or(item, "status_code", 0) / 100 == 2 };
	ret->asks_branch = json_has(item, "event", "push");
	return guid[0] != '\0' && text_copy(ret->guid, sizeof(ret->guid), guid) &&
	    json_get_i64(item, "id", &ret->id) && ret->id > 0 &&
	    forge_time_read(json_get_str(item, "delivered_at"), &ret->at);
}

int64_t
redelivery_due(int64_t tries, int64_t at)
{
	return at + (tries == 0 ? 1 : tries == 1 ? 10 : 60) * MINUTE_MS;
}

/* One that came counts too. */
static bool
is_newest(const struct redelivery *list, size_t n, const struct redelivery *push)
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
		    (next == NULL || one->at < next->at) && is_newest(list, n, one))
			next = one;
	return next;
}
