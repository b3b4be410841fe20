/* update.h - what somebody did in a chat, decoded.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/message.h"
#include "types/principal.h"
#include "types/token.h"

/* Why a message is not looked at, whoever seems to have sent it; the words are the audit's. */
#define UPDATE_REFUSALS(R) \
	R(NONE, "") \
	R(UNREADABLE, "unreadable") \
	R(FORWARDED, "forwarded") \
	R(SENDER_CHAT, "sent in the name of a chat") \
	R(BOT, "sent by a bot") \
	R(VIA_BOT, "sent through a bot") \
	R(EDITED, "an edited message") \
	R(CHANNEL, "a channel post") \
	R(CAPTION, "written under a picture or file")

enum update_refusal {
#define R(name, words) UPDATE_REFUSED_##name,
	UPDATE_REFUSALS(R)
#undef R
	    UPDATE_REFUSAL_COUNT
};

/* An archive that somebody sent. */
struct update_file {
	char id[LIMIT_FILE_ID]; /* by which the platform gives it; of what is here its SHA-256 */
	char name[LIMIT_FILE_NAME]; /* cleaned, cut; decides nothing */
	int64_t size;		    /* bytes, as whoever sent it says; 0: not said */
};

enum update_kind {
	UPDATE_OTHER,	 /* nothing for us, but that we are there */
	UPDATE_TEXT,	 /* somebody wrote */
	UPDATE_PRESS,	 /* somebody pressed a button */
	UPDATE_MIGRATED, /* the chat has a new id: new_chat */
};

struct update {
	int64_t id; /* update_id; 0 where it could not be read */
	enum update_kind kind;
	enum update_refusal refusal;
	struct chat_address address; /* where it happened; thread only for a real topic */
	int64_t message;  /* UPDATE_TEXT: the platform's id of what was written; 0: unknown */
	int64_t reply_to; /* UPDATE_TEXT: that of what it is a reply to; 0: of nothing */
	bool is_private;
	int64_t person;		  /* sender's or presser's id; 0: unknown */
	char name[LIMIT_PERSON];  /* cleaned display name, "@user" where there is one */
	char local[LIMIT_PERSON]; /* user of this machine, "root as admin"; "": not from it */
	struct role_id
	    as;		  /* the role that root says, whose number the store finds; name "": none */
	int64_t new_chat; /* UPDATE_MIGRATED */
	char callback[LIMIT_CALLBACK]; /* UPDATE_PRESS: to be answered with a toast */
	char button[LIMIT_BUTTON_ID];  /* UPDATE_PRESS: our opaque id; "" where it cannot be one */
	size_t raw_size;	       /* UPDATE_TEXT: bytes of the text as it came */
	char raw[LIMIT_LINE_IN];       /* the first of those bytes, also what `text` leaves out */
	char text[LIMIT_TEXT_IN];      /* UPDATE_TEXT: cleaned of control characters, cut */
	bool is_caption;	       /* UPDATE_TEXT: it stands under something that was sent */
	bool has_file;		       /* is_caption: under a file, in private; text may be "" */
	struct update_file file;       /* UPDATE_TEXT: id "": it stands under no archive */
	bool is_page; /* over /v1: in a session of the console, of `person` themselves */
	char token[TOKEN_SESSION_TEXT]; /* what was taken out of it, or came as Bearer; "": none */
};

/* Its text is that, cleaned already, and came so. */
void update_set_text(struct update *update, const char *text);

/*
 * Takes out of its text what is shaped like a token, cut or whole, and all behind /login: the first
 * goes to `token`, and in the text stands TOKEN_BLANK.  Before anything else sees the text: rows,
 * buttons and messages are made of it.
 */
void update_take_token(struct update *update);

/* Is its text "/deploy", with whatever stands behind that? */
bool update_is_deploy(const struct update *update);

const char *update_refusal_words(enum update_refusal refusal);
