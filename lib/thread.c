/* thread.c - one call for what pthread needs four for.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/thread.h"

int
thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *), void *ctx)
{
	pthread_attr_t attr;
	int failed = pthread_attr_init(&attr);

	if (failed != 0)
		return failed;
	failed = pthread_attr_setstacksize(&attr, stack_bytes);
	if (failed == 0)
		failed = pthread_create(ret, &attr, run, ctx);
	(void)pthread_attr_destroy(&attr); /* always 0 */
	return failed;
}
