/* handlers.h - the table of handlers: one for each kind of event, one file each.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/store.h"

#define EVENT(upper, lower) store_handler handle_##lower;
#include "types/event.def"

/* By enum event_kind. */
extern store_handler *const handlers[EVENT_KIND_COUNT];
