/* sim_two.h - a second server beside the first: who leads, take-overs, and what comes late of before.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Some histories have two servers, each with a machine of its own: a name, a STATE_DIRECTORY, and a
 * runner that nobody else reaches.  Where the one that leads is cut, the other may take over.  On
 * PostgreSQL there are the real row of the leader and its fence: who led before may be alive, and
 * tries to decide.  SQLite has none of these: there who led before is dead, and the other starts on
 * the same file.
 */
#pragma once

#include "tests/sim/sim_inside.h"

/* Whose a machine is. */
#define SIM_ALONE    0 /* the only server's */
#define SIM_SERVER_A 1
#define SIM_SERVER_B 2
#define SIM_PLACES   3

/* --- sim_files.c --- */

void sim_server_begin(const char *folder); /* the template */
void sim_files_place(const char *folder);  /* makes the folders */
void sim_files_new(const struct sim *sim);
void sim_files_free(void);
const char *sim_files_folder(int whose);
const char *sim_files_audit_of(int whose);

/* --- sim_two.c: who leads --- */

void sim_two_new(struct sim *sim);   /* has this history two? */
void sim_two_begin(struct sim *sim); /* its database is there */
void sim_two_free(void);
bool sim_two_is(void);
int sim_two_leads(void);
uint64_t sim_two_epoch(void); /* 0: there is one server */
/* The i-th line of that server's settings beside others; NULL: there are no more. */
const char *sim_two_line(int whose, bool is_of_one, size_t i);
const char *sim_two_runner(void); /* as rows call the runner of who leads */
bool sim_two_is_others(void *ctx, const char *runner);

/* Who leads is cut, and then: how long until who starts. */
void sim_two_cut(struct sim *sim, bool is_host);
void sim_two_close(struct sim *sim);
int64_t sim_two_start_ms(struct sim *sim);
int sim_two_next(void);
/* Takes the lease, opens the store and recovers what was open; ends the program where it cannot. */
void sim_two_start(
    struct sim *sim, int whose, const struct store_config *base, struct queue_list *ret_outcomes);
void sim_two_rest(struct sim *sim); /* each run's own server leads again */
void sim_two_trouble_soon(struct sim *sim);	       /* while a run goes on */
void sim_two_check(struct sim *sim);		       /* after every commit */
void sim_two_check_gone(struct sim *sim, int64_t run); /* that it has no folder is said */
struct protocol_message;
struct run_ended;
/* Of whoever leads: an order of one that does not is refused by it. */
void sim_two_check_epoch(struct sim *sim, const struct protocol_message *order);
void sim_two_check_end(struct sim *sim, int64_t run, const struct run_ended *ended);
/* Does that process do something, or may it yet? */
bool sim_two_counts(const struct sim_process *process);
void sim_two_check_rest(struct sim *sim);

/* --- sim_two_late.c: what comes late, and what is lost --- */

/* Before that one is handed over, a run's `go`, the other takes over; SIZE_MAX: it does not. */
size_t sim_two_cut_at(struct sim *sim, const struct queue_list *outcomes);
/* What was to be handed over of a server that is cut. */
void sim_two_keep(struct queue_list *outcomes);
/* The answer to its COMMIT may be lost from now on; is_turn: then another may take over, too. */
void sim_two_decides(struct sim *sim, bool is_turn);
/* Is what was decided on durable?  ok: the store has said so. */
bool sim_two_is_there(struct sim *sim, bool ok, const struct err *err);
bool sim_two_is_deposed(void); /* by that commit */
bool sim_two_has_lost(void);   /* its answer, or all of it */
/* Until the supervisors of a server that is cut know that: ms. */
int64_t sim_two_gate_ms(struct sim *sim);

/* --- of sim_run.c and sim_chat_say.c, for it --- */

void sim_run_recorded(void *ctx, const struct answer *answer);
void sim_run_loses_machine(struct sim *sim, int whose);
void sim_chat_say_late(struct sim *sim, const struct message *message);
