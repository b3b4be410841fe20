/* lane_aid.h - messages that are sent through a chat's lane, in a store.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store_aid.h"
#include "unit.h"

/* Before each test: a store that takes what was sent; store_aid_teardown() ends it. */
int lane_aid_setup(void **state);
#define LANE_TEST(name) TEST_OF(name, struct store_aid *aid, lane_aid_setup, store_aid_teardown)

struct text {
	int64_t id;
	int64_t chat;
	const char *head;
};

/* A message of that chat, which is to be sent; its row. */
int64_t lane_aid_add(struct store_aid *aid, int64_t chat, const char *head);

/* Behind what may have been sent, when nobody knows whether it was. */
#define TWICE_TEXT \
	"Sent again after a restart of deploybot: if it stands here twice, only this one is kept" \
	" up to date."
#define TWICE "\n" MARK_ITALIC TWICE_TEXT MARK_ITALIC

/* Takes the SEND_MESSAGE that must be out, checks its text, reports it as sent. */
void lane_aid_said(struct store_aid *aid, const char *head);
