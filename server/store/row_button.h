/* row_button.h - buttons: the request that each opaque id stands for, and who may press it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The buttons of a message either belong together (`message`: a keyboard, closed as one), or stand
 * for what may be done with one target wherever that is shown (message 0: one row for each chat).
 */
#pragma once

#include "store/tx.h"
#include "types/request.h"

struct button_row {
	char id[LIMIT_BUTTON_ID]; /* "" none */
	struct request request;
	int64_t chat; /* pressed elsewhere it is not ours */
	int64_t person; /* only this person's; 0: whoever may */
	bool is_once; /* a press that is carried out uses up its keyboard */
	int64_t message; /* the row of the message whose keyboard it is of; 0: of none */
	int64_t timer; /* the effect that ends with it, its deadline's for one; 0: none */
	int64_t expires_at; /* 0: until row_button_close(), or the end of its work */
	bool is_open;
};

/* Adds it under an id of its own; writes the id into button->id. */
void row_button_add(struct tx *tx, struct button_row *button);

/* The same, and shows it in that keyboard; nothing where that is full. */
void row_button_show(struct tx *tx, struct button_row *button, const char *label,
    struct buttons *keyboard);

/* Shows the one that stands for the request in this chat while it is open, else a new one that is
 * whoever's may, until then (0: with what it is about). */
void row_button_show_for(struct tx *tx, const struct request *request, int64_t chat,
    int64_t expires_at, const char *label, struct buttons *keyboard);

/* Its request's message is the keyboard's, as row_button_set_message() has it. */
struct button_row row_button_get(struct tx *tx, const char *id);

/* The open one that stands for the request in this chat, whose message is 0; id "" none. */
struct button_row row_button_find(struct tx *tx, const struct request *request, int64_t chat);

/* The open one that stands for the request below that message; id "" none. */
struct button_row row_button_find_in(struct tx *tx, const struct request *request, int64_t message);

/* The open one that is answered by a reply to its message, which that chat has under this id of the
 * platform's; id "" none. */
struct button_row row_button_replied(struct tx *tx, int64_t chat, int64_t remote_id);

/* The buttons of this keyboard belong together, in that message. */
void row_button_set_message(struct tx *tx, const struct buttons *keyboard, int64_t message);

/* What was begun for that keyboard, and ends with it. */
void row_button_set_effect(struct tx *tx, int64_t message, int64_t effect);

/* Closes that keyboard; closes what stands for this action on the target, arguments aside, in all
 * chats.  Either withdraws its effect. */
void row_button_close_keyboard(struct tx *tx, int64_t message);
void row_button_close(struct tx *tx, const char *action, const char *target);

/* What approves or rejects that work as it was shown, in all chats; a reason may still be given. */
void row_button_close_approval(struct tx *tx, int64_t work);

/* The messages with an open button that stands for this action on the target, newest first; returns
 * how many. */
size_t row_button_list_open(struct tx *tx, const char *action, const char *target, int64_t *ret,
    size_t max);

/* A question's deadline ends, and its buttons are closed in all chats: the yes alone; both. */
void row_button_close_yes(struct tx *tx, int64_t deployment);
void row_button_close_question(struct tx *tx, int64_t deployment);

/* Somebody else asked for the same (0: a push did): from then on whoever has the role may answer,
 * and that person.  message: the row of the one that shows it to them; 0: they see the others. */
void row_button_add_requester(struct tx *tx, int64_t deployment, int64_t person, int64_t message);
/* Another one shows it to them. */
void row_button_move_message(struct tx *tx, int64_t deployment, int64_t from, int64_t to);
/* Those messages; returns how many. */
size_t row_button_list_messages(struct tx *tx, int64_t deployment, int64_t *ret, size_t max);
/* Those people; returns how many. */
size_t row_button_list_requesters(struct tx *tx, int64_t deployment, int64_t *ret, size_t max);
bool row_button_is_requester(struct tx *tx, int64_t deployment, int64_t person);
bool row_button_is_shared(struct tx *tx, int64_t deployment);
void row_button_clear_requesters(struct tx *tx, int64_t deployment);
