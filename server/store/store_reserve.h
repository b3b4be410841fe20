/* store_reserve.h - room on the disk for what is to be decided yet when there is none.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A file beside the database that holds nothing.  When a commit finds no space it is given up:
 * what is in progress can be recorded to its end, as long as nothing new is taken in meanwhile.
 */
#pragma once

#include "lib/base.h"

struct store;

/* Some tens of decisions; the log's own room is used again between them. */
#define STORE_RESERVE_BYTES	(2 * 1024 * 1024)

/* False: there is no such room, nor half of it beside; nothing is kept then. */
bool store_reserve_take(struct store *store) MUST_USE;

void store_reserve_give(struct store *store);
