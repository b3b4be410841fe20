/* store_thread.h - a thread around store.h.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/store.h"

struct store_thread;

/* Starts the thread: events of the crossing are decided in batches of at most LIMIT_BATCH, the
 * outcomes put back.  Takes the store.  A batch that could not be committed is tried again after
 * 100 ms … 5 s for as long as it holds results; until then whatever comes from outside is 503, and
 * on a full disk until there is room again (store_reserve.h). */
struct store_thread *store_thread_start(struct store *store, struct crossing *crossing,
    struct err *err) MUST_USE;

/* After crossing_close(): waits until all is decided, says that the program ends in order with
 * these messages unanswered (store_end(); NULL: it does not), closes the store, frees. */
void store_thread_join(struct store_thread *thread, const int64_t *unanswered, size_t n);
