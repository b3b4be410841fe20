/* row_resource.c - what work on an environment touches whose hosts stand in a file.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_resource.h"

#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define PAGE 256

struct named {
	char name[LIMIT_RESOURCE];
};
TX_READER(read_named, struct named, TX_TEXT(name))

bool
row_resource_next(struct tx *tx, char environment[LIMIT_ENVIRONMENT])
{
	return tx_read_sql(tx, tx_read_environment, environment, LIMIT_ENVIRONMENT, 1,
		   DB_SQL("SELECT environment FROM resource WHERE environment > $1"
			  " ORDER BY environment LIMIT 1",
		       DB_TEXT(environment))) > 0;
}

void
row_resource_set(struct tx *tx, const char *environment, const struct settings_items *want)
{
	CLEANUP(freep) struct named *page = mem_new(PAGE, sizeof(*page));
	CLEANUP(freep) bool *has = mem_new(want->count + 1, sizeof(*has));
	char last[LIMIT_RESOURCE] = "";
	size_t n;

	do {
		n = tx_read(tx, read_named, page, PAGE,
		    "SELECT name FROM resource WHERE environment = $1 AND name > $2"
		    " ORDER BY name LIMIT $3",
		    DB_TEXT(environment), DB_TEXT(last), DB_I64(PAGE));
		for (size_t i = 0; i < n; i++) {
			size_t at = settings_items_find(want, page[i].name);

			has[at] = true;
			text_set(last, page[i].name);
			if (at == want->count)
				(void)tx_run(tx,
				    "DELETE FROM resource WHERE environment = $1 AND name = $2",
				    DB_TEXT(environment), DB_TEXT(last)); /* sticky */
		}
	} while (n == PAGE && !tx->failed);
	for (size_t i = 0; i < want->count; i++) {
		bool is_same = i > 0 && strcmp(want->at[i].text, want->at[i - 1].text) == 0;

		if (!has[i] && !is_same)
			(void)tx_run(tx, "INSERT INTO resource (environment, name) VALUES ($1, $2)",
			    DB_TEXT(environment), DB_TEXT(want->at[i].text)); /* sticky */
	}
}

bool
row_resource_is_held(
    struct tx *tx, const char *environment, int64_t place, char ret[LIMIT_RESOURCE])
{
	(void)tx_first_text(tx, ret, LIMIT_RESOURCE,
	    "SELECT r.name FROM resource r JOIN claim c ON c.resource = r.name"
	    " WHERE r.environment = $1 LIMIT 1",
	    DB_TEXT(environment));
	if (ret[0] == '\0')
		(void)tx_first_text(tx, ret, LIMIT_RESOURCE,
		    "SELECT r.name FROM work w INDEXED BY work_waits JOIN resource r"
		    " ON r.name = w.waits_for WHERE w.state = 'QUEUED' AND w.waits_for <> ''"
		    " AND w.place < $2 AND r.environment = $1 LIMIT 1",
		    DB_TEXT(environment), DB_I64(place));
	return ret[0] != '\0';
}

void
row_resource_take(struct tx *tx, int64_t work, const char *environment)
{
	(void)tx_run(tx,
	    "INSERT INTO claim (resource, work) SELECT name, $2 FROM resource"
	    " WHERE environment = $1",
	    DB_TEXT(environment), DB_I64(work)); /* sticky */
}

int64_t
row_resource_take_free(struct tx *tx, int64_t work, const char *environment)
{
	return tx_changes(tx,
	    "INSERT INTO claim (resource, work) SELECT name, $2 FROM resource"
	    " WHERE environment = $1 ON CONFLICT DO NOTHING",
	    DB_TEXT(environment), DB_I64(work));
}
