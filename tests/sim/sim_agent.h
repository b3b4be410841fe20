/* sim_agent.h - agents and a remote runner elsewhere, and what of link and loop speaks with them.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What the server has of it is the product's own: runs.c, run_follow.c and its table, agents.c and
 * what is below them; so are an agent's records and how it checks an order.  The simulation has the
 * loop's timers and clocks (sim_loop.c), link and the network (sim_link.c), the agent's process and
 * its units (sim_agent.c), a remote runner (sim_remote.c), who orders runs and learns of them
 * (sim_agents.c), what goes wrong there (sim_agents_trouble.c), and what holds of all that
 * (sim_agents_check.c, sim_remote.c).
 */
#pragma once

#include "tests/sim/sim_inside.h"

struct protocol_message;
struct run_ended;
struct state_file;

#define SIM_AGENTS  2
#define SIM_BUILDER SIM_AGENTS /* the remote runner, behind them */
#define SIM_PEERS   (SIM_AGENTS + 1)

extern const char *const sim_agent_names[SIM_PEERS];

/* --- sim_loop.c --- */

void sim_loop_begin(struct sim *sim); /* a history; NULL: none */
void sim_loop_cut(void);	      /* no timer or task of the server is left */
void sim_loop_clock_back(int64_t back_ms);
int64_t sim_loop_set_back(void); /* ms in all */
int64_t sim_loop_now(void);	 /* never set back */

/* --- sim_link.c --- */

void sim_link_begin(struct sim *sim);
/* The server's connection is lost, and with it each channel. */
void sim_link_cut(struct sim *sim);
/* A packet from that host; of channel 0 a word of its link's. */
void sim_link_say(
    struct sim *sim, int agent, uint32_t channel, const char *packet, size_t size);
/* The same of a message; its end of that channel is closed (0: there is none). */
void sim_link_say_message(
    struct sim *sim, int agent, uint32_t channel, const struct protocol_message *message);
void sim_link_close(struct sim *sim, int agent, uint32_t channel);
void sim_link_local_says(const struct protocol_message *message); /* the local runner does */
bool sim_link_is_greeted(int agent);
void sim_link_repeats(struct sim *sim, int agent); /* what that has answered last of a run */
void sim_link_loses_host(struct sim *sim, int agent, int64_t for_ms);
void sim_link_restarts(struct sim *sim);
void sim_link_rests(struct sim *sim); /* all are there, and all arrives */
/* That agent's key is the next one. */
void sim_link_changes_key(struct sim *sim, int agent);
void sim_link_key(int agent, int n, char ret[LIMIT_DIGEST]); /* its n-th, from 1 on */
bool sim_link_is_away(int agent);			     /* or nobody carries what it says */

/* --- sim_agent.c --- */

void sim_agent_begin(const char *folder); /* makes its folder there */
void sim_agent_new(struct sim *sim, int agent);
void sim_agent_done(int agent);
/* A packet came; nobody is at the other end of any channel any more. */
void sim_agent_take(
    struct sim *sim, int agent, uint32_t channel, const char *packet, size_t size);
void sim_agent_lost(struct sim *sim, int agent);
void sim_agent_is_killed(struct sim *sim, int agent);
void sim_agent_forgets(struct sim *sim, int agent); /* its host is made anew */
void sim_agent_changes(struct sim *sim, int agent); /* root changes its units */
/* Says hello, asked or not; does it speak with the server? */
void sim_agent_greets(struct sim *sim, int agent);
bool sim_agent_is_greeted(int agent);
const char *sim_agent_list(int agent, char ret[LIMIT_MANIFEST]);
/* Its record of that run; NULL: it has none. */
const struct protocol_record *sim_agent_record(int agent, int64_t run);

/* --- sim_agents.c --- */

void sim_agents_begin(const char *template_path, const char *folder);
void sim_agents_end(void);
/* The i-th line of the settings that they need; NULL: there are no more. */
const char *sim_agents_line(size_t i);
const char *sim_agents_order_key(void); /* of these */
void sim_agents_new(struct sim *sim);
void sim_agents_free(struct sim *sim);
void sim_agents_server_starts(struct sim *sim);
void sim_agents_cut(struct sim *sim); /* the server is killed */
void sim_agents_take_peers(struct known_peers *peers);
void sim_agents_take_state(struct state_file *state);
bool sim_agents_lack_states(void); /* those of all environments, since the start */
/* False: no agent has that run. */
bool sim_agents_order(struct sim *sim, struct sim_open *open);
bool sim_agents_stop(struct sim *sim, struct sim_open *open);
/* "agent:solo" or "build-1", as a row of runs names it.  Returns ret. */
const char *sim_agents_runner(int agent, char ret[LIMIT_RUNNER]);
/* The one number that a statement about both answers. */
int64_t sim_agents_number(
    struct sim *sim, const char *sql, struct db_value a, struct db_value b);

/* --- sim_agents_trouble.c --- */

void sim_agents_trouble_new(void);
/* Root has an agent enrolled, moved or revoked; key: its new one, or "". */
void sim_agents_ask(struct sim *sim, const char *word, const char *name, const char *key);
void sim_agents_somebody_does(struct sim *sim);
void sim_agents_something_happens(struct sim *sim);
void sim_agents_trouble_soon(struct sim *sim, int agent, uint32_t within_ms);
void sim_agents_rest(struct sim *sim);

/* --- sim_agents_check.c --- */

void sim_agents_check_new(void);
void sim_agents_remember(const struct sim *sim, const struct effect_run *order, int agent);
bool sim_agents_know(int64_t run);  /* it was ordered of an agent */
void sim_agents_leave(int64_t run); /* nobody is asked about it any more */
void sim_agents_records_are_lost(int agent);
/* The server has sent an order to run; systemd is about to be asked for a unit; it has ended; the
 * server reports the end of that run. */
void sim_agents_check_order(struct sim *sim, int agent, const struct protocol_message *order);
void sim_agents_check_start(
    struct sim *sim, int agent, int64_t run, const char *capability, const char *list);
void sim_agents_unit_ended(int64_t run);
void
sim_agents_check_end(struct sim *sim, int agent, int64_t run, const struct run_ended *ended);
void sim_agents_check(struct sim *sim);		/* after every commit */
void sim_agents_note_abandoned(struct sim *sim); /* some more are */
/* Units that were started for it; those that go on there, and are waited for. */
int sim_agents_starts(int64_t deployment);
int sim_agents_going(int environment);
void sim_agents_check_rest(struct sim *sim);

/* --- sim_remote.c --- */

void sim_remote_begin(void);
void sim_remote_new(void);
void sim_remote_remember(const struct effect_run *order); /* it is about to be sent that */
void sim_remote_take(struct sim *sim, uint32_t channel, const char *packet, size_t size);
void sim_remote_lost(struct sim *sim); /* nobody is at the other end of any channel any more */
void sim_remote_is_killed(struct sim *sim);
void sim_remote_forgets(struct sim *sim); /* its host is made anew */
void sim_remote_greets(struct sim *sim);
bool sim_remote_is_greeted(void);
bool sim_remote_is_missed(struct sim *sim); /* rows say that it is disconnected */
/* Something of that run has happened there. */
void sim_remote_tells(struct sim *sim, struct sim_process *process);
void sim_remote_leave(struct sim *sim, int64_t run); /* as sim_agents_leave() */
void sim_remote_check(struct sim *sim);		     /* after every commit */
void sim_remote_check_end(struct sim *sim, int64_t run, const struct run_ended *ended);

/* --- of sim_run.c, for it --- */

struct sim_process *sim_run_begin(struct sim *sim, const struct effect_run *order);
void sim_run_open_gate(struct sim *sim, struct sim_process *process);
void sim_run_give_up_gate(struct sim *sim, struct sim_process *process);
void sim_run_end_soon(struct sim *sim, struct sim_process *process);
