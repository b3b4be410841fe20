/* handlers.c - the table; each handler stands in a file of its own.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"

store_handler *const handlers[EVENT_KIND_COUNT] = {
#define EVENT(upper, lower) [EVENT_##upper] = handle_##lower,
#include "types/event.def"
#undef EVENT
};
