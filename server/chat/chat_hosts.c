/* chat_hosts.c - hosts of an environment, a line each.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_hosts.h"

#include "lib/text.h"

const char *
chat_host_name(const struct host *host, char ret[LIMIT_HOST])
{
	(void)text_copy(ret, LIMIT_HOST, host->name); /* fits */
	if (text_ends(ret, ":22"))
		ret[strlen(ret) - 3] = '\0';
	return ret;
}

void
chat_host(struct chat_text *text, const char *before, const struct host *host)
{
	static const char *const words[] = {
		[HOST_IS_CURRENT] = "runs ",
		[HOST_IS_TOUCHED] = "touched, ran ",
		[HOST_IS_FAILED] = "failed, runs ",
		[HOST_IS_UNKNOWN] = "unknown, should run ",
	};
	char name[LIMIT_HOST];

	chat_text_outside(text, before, chat_host_name(host, name));
	chat_text_add(text, ": %s%.7s", words[host->state],
	    host->release[0] != '\0' ? host->release : "nothing");
	chat_text_add(text, "%s", host->state == HOST_IS_TOUCHED ? " before" : "");
	chat_text_add(text, "%s",
	    host->left_at != 0 && host->detail[0] == '\0' ? "; it has left the settings" : "");
	chat_text_some(text, "; ", host->detail);
}

const char *
chat_host_mixed(const struct host_mixed *is)
{
	return is->is_touched	   ? "touched" :
	    is->is_unknown	   ? "unknown" :
	    is->release[0] != '\0' ? "release" :
				     "nothing";
}

struct host_share
chat_host_share(const struct host_mix *mix, const char *release)
{
	struct host_share ret = { 0 };

	for (size_t i = 0; i < mix->n; i++) {
		const struct host_mixed *is = &mix->of[i];

		ret.all += is->n;
		ret.unknown += is->is_unknown || is->is_touched ? is->n : 0;
		ret.n += !is->is_unknown && !is->is_touched && strcmp(is->release, release) == 0 ?
		    is->n :
		    0;
	}
	return ret;
}

void
chat_host_mix(struct chat_text *text, const char *before, const struct host_mix *mix)
{
	for (size_t i = 0; i < mix->n && mix->n > 1; i++) {
		const struct host_mixed *is = &mix->of[i];

		chat_text_add(text, "%s%.7s on %lld", i == 0 ? before : ", ",
		    is->release[0] != '\0' ? is->release : chat_host_mixed(is), (long long)is->n);
		if (i == 0)
			chat_text_add(text, " of %lld", (long long)chat_host_share(mix, "").all);
	}
}
