/* redact_slow.c - lib/redact.c under other names, without its filter.  Side: any. */
/* SPDX-License-Identifier: ISC */
#define redact		   slow_redact
#define redact_new	   slow_redact_new
#define redact_free	   slow_redact_free
#define redact_room	   slow_redact_room
#define redact_add	   slow_redact_add
#define redact_learn_until slow_redact_learn_until
#define redact_is_full	   slow_redact_is_full
#define redact_forget	   slow_redact_forget
#define redact_text	   slow_redact_text
#define redact_stream	   slow_redact_stream
#define redact_head	   slow_redact_head
#define redact_stream_new  slow_redact_stream_new
#define redact_stream_free slow_redact_stream_free
#define redact_stream_add  slow_redact_stream_add
#define redact_stream_pass slow_redact_stream_pass
#define redact_stream_end  slow_redact_stream_end

#define NEXT(filter, places, t, n, from) ((void)(filter), (void)(places), (from))

#include "lib/redact.c"
