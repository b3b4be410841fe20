# deploybot - builds, tests and shows everything.  `make help` lists the targets.
SHELL		:= /bin/bash
.DEFAULT_GOAL	:= all
.DELETE_ON_ERROR:
.SECONDARY:

BUILD		?= build
SANITIZE	?=
ifneq ($(origin VERSION),command line)
VERSION		:= $(shell sh lib/version.sh)
endif
PYTHON		:= /usr/bin/python3

# Both are bugs whatever the compiler: an error in every build.
WARN	:= -Werror=implicit-function-declaration -Werror=switch \
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
# -Werror is for us (make test, make lint): a newer compiler that warns of more ends nobody's build.
WERROR	?=
OPT	?= -O2 -g
HARDEN	:= -fstack-protector-strong -fPIE
# Not -ftrivial-auto-var-init=zero: clang 14 has none, and frames that hold a packet or a path would be cleared each time.
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDEN	+= -fstack-clash-protection -fcf-protection
endif
ifeq ($(SANITIZE),)
HARDEN	+= -D_FORTIFY_SOURCE=3
else
# -g1: lines for a report, no variables.  -fPIC: the same objects make the programs and libproduct.so.
OPT	:= -O1 -g1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
HARDEN	:= $(HARDEN:-fPIE=-fPIC -fno-semantic-interposition)
# A unit test's own code is run once: to optimize it takes longer.
$(BUILD)/obj/tests/unit/test_%.o: DEFINE += -O0
endif
# A build that can be made to die at the places of lib/crash_point.def.
CRASH_POINTS ?=
CFLAGS	?=
ALL_CFLAGS := -std=gnu17 $(WARN) $(WERROR) $(OPT) $(HARDEN) -D_GNU_SOURCE -I. -Iserver -MMD -MP \
	$(if $(CRASH_POINTS),-DDEPLOYBOT_CRASH_POINTS) $(CFLAGS)
LDFLAGS	?=
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
SERVER_LIBS := -lseccomp -lev -lmicrohttpd -lcurl -ljansson -lsqlite3 -lpq -lcrypto -lsystemd -loath -lqrencode -lexpat -lz -lm -lpthread
JUDGE_LIBS  := -lyaml
LINK_LIBS   := -lssl -lcrypto
UNPACK_LIBS := -larchive -lseccomp
ALL_LIBS    := $(SERVER_LIBS) $(JUDGE_LIBS) $(LINK_LIBS) $(UNPACK_LIBS)

LIB_C	 := $(filter-out $(if $(CRASH_POINTS),,lib/crash_point.c),$(wildcard lib/*.c))
SERVER_C := $(filter-out server/main.c,$(wildcard server/*.c server/*/*.c server/*/*/*.c))
RUNNER_C := $(filter-out $(addprefix runner/,main.c main_remote.c main_unpack.c),$(wildcard runner/*.c))
JUDGE_C	 := $(filter-out judge/main.c,$(wildcard judge/*.c))
AGENT_C	 := $(filter-out agent/main.c,$(wildcard agent/*.c))
LINK_C	 := $(filter-out link/main.c,$(wildcard link/*.c))
TEST_C	 := $(wildcard tests/unit/test_*.c)
TEST_AID_C := $(filter-out $(TEST_C),$(wildcard tests/unit/*.c)) $(wildcard tests/sim/*.c) \
	tests/faults/look.c tests/faults/invariants.c

# SMALL=http_guard, with a BUILD of its own: of what is built with other flags, one program and only what that needs.
SMALL	?=
ifneq ($(SMALL),)
LIB_C	 := $(SMALL:%=lib/%.c) $(addprefix lib/,buf.c clean.c err.c mem.c text.c)
SERVER_C :=
RUNNER_C :=
JUDGE_C	 :=
AGENT_C	 :=
LINK_C	 :=
TEST_AID_C := tests/unit/unit.c tests/unit/unit_main.c
endif
WHOLE	 := $(if $(SMALL),small,all tests)

objects	 = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_A	 := $(BUILD)/liblib.a
SERVER_A := $(BUILD)/libserver.a
RUNNER_A := $(BUILD)/librunner.a
JUDGE_A	 := $(BUILD)/libjudge.a
AGENT_A	 := $(BUILD)/libagent.a
LINK_A	 := $(BUILD)/liblink.a
TEST_AID_A := $(BUILD)/libtestaid.a
# All objects of the product as they are, for what runs in $(BUILD) alone: 250 programs are linked to it in a tenth of
# the time that a copy of it in each takes.
PRODUCT_SO := $(BUILD)/libproduct.so
FUZZ_C	 := $(wildcard tests/fuzz/fuzz_*.c)
TESTS	 := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(TEST_C)) \
	$(patsubst tests/fuzz/%.c,$(BUILD)/tests/test_%,$(FUZZ_C))

.PHONY: all
all: $(BUILD)/deploybot $(BUILD)/deploybot-runner $(BUILD)/deploybot-remote-runner $(BUILD)/deploybot-judge $(BUILD)/deploybot-agent $(BUILD)/deploybot-link $(BUILD)/deploybot-unpack

# With what everything here was compiled: with other flags it is compiled again.
FLAGS	 := $(BUILD)/flags
FLAGS_NOW := $(CC) $(ALL_CFLAGS)
# make 4.3 leaves the newline of some files that it reads: of 412 bytes, say.
ifneq ($(strip $(file <$(FLAGS))),$(strip $(FLAGS_NOW)))
.PHONY: $(FLAGS)
endif
$(FLAGS):
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@

$(BUILD)/obj/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(DEFINE) -c -o $@ $<

# The version stands in one object, which is made again when that changes.
SAID_VERSION := $(BUILD)/version
ifneq ($(strip $(file <$(SAID_VERSION))),$(VERSION))
.PHONY: $(SAID_VERSION)
endif
$(SAID_VERSION):
	@mkdir -p $(@D)
	@echo '$(VERSION)' >$@
$(call objects,lib/version.c): $(SAID_VERSION)
$(call objects,lib/version.c): DEFINE = -DDEPLOYBOT_VERSION='"$(VERSION)"'

# What .incbin names the compiler does not list.
$(call objects,server/cli/audit/cli_audit_export_text.c): $(wildcard server/cli/audit/folder/*)
$(call objects,server/store/store_schema.c): server/store/store_schema.sql
$(call objects,server/cli/local/cli_database.c): server/cli/local/database_prepare.sql
$(call objects,server/cli/cli_completion_text.c): $(wildcard server/cli/completion/*)

# The page is in the program as it is sent.
CONSOLE	 := $(BUILD)/console
$(CONSOLE)/%.gz: server/console/%
	@mkdir -p $(@D)
	@gzip -n9 <$< >$@
CONSOLE_GZ := $(patsubst server/console/%,$(CONSOLE)/%.gz,$(wildcard server/console/*))
$(call objects,server/routes/route_console.c): $(CONSOLE_GZ)
$(call objects,server/routes/route_console.c): DEFINE = -DCONSOLE_FOLDER='"$(CONSOLE)"'

$(LIB_A): $(call objects,$(LIB_C))
$(SERVER_A): $(call objects,$(SERVER_C))
$(RUNNER_A): $(call objects,$(RUNNER_C))
$(JUDGE_A): $(call objects,$(JUDGE_C))
$(AGENT_A): $(call objects,$(AGENT_C))
$(LINK_A): $(call objects,$(LINK_C))
$(TEST_AID_A): $(call objects,$(TEST_AID_C))
%.a:
	@mkdir -p $(@D)
	@rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/deploybot: $(BUILD)/obj/server/main.o $(SERVER_A) $(RUNNER_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(SERVER_LIBS)

# libc only: of the archive it takes what it names, and no library is offered.
$(BUILD)/deploybot-runner: $(BUILD)/obj/runner/main.o $(RUNNER_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^

# The same, and Ed25519.
$(BUILD)/deploybot-remote-runner: $(BUILD)/obj/runner/main_remote.o $(RUNNER_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcrypto

# Started by deploy/'s scripts with what a stranger wrote: libyaml, and nothing that reaches a network.
$(BUILD)/deploybot-judge: $(BUILD)/obj/judge/main.o $(JUDGE_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(JUDGE_LIBS)

# Started by the runner with a stranger's archive: libarchive, and what takes network, programs and files from it.  Never
# with a sanitizer or what measures, which need more memory and more calls than it leaves itself.
UNPACK_PLAIN := $(SANITIZE)$(findstring --wrap,$(LDFLAGS))
UNPACK_C := runner/main_unpack.c $(wildcard runner/unpack*.c) $(addprefix lib/,clean.c err.c landlock.c sha256.c text.c version.c)
UNPACK_O  = $(UNPACK_C:%.c=$(BUILD)/obj/$(if $(UNPACK_PLAIN),plain/)%.o)
$(BUILD)/deploybot-unpack: $(UNPACK_O)
	@echo "  LD    $@"
	@$(CC) $(if $(UNPACK_PLAIN),-pie,$(ALL_LDFLAGS)) -o $@ $^ $(UNPACK_LIBS)
$(BUILD)/obj/plain/lib/version.o: $(SAID_VERSION)
$(BUILD)/obj/plain/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(filter-out --coverage -fprofile%,$(ALL_CFLAGS)) -fno-sanitize=all -DDEPLOYBOT_VERSION='"$(VERSION)"' -c -o $@ $<

# On a host that is managed: systemd and Ed25519, no network.
$(BUILD)/deploybot-agent: $(BUILD)/obj/agent/main.o $(AGENT_A) $(RUNNER_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ -lsystemd -lcrypto

# Faces the network with OpenSSL, and executes nothing.
$(BUILD)/deploybot-link: $(BUILD)/obj/link/main.o $(LINK_A) $(LIB_A)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LINK_LIBS)

# In these the n-th call of a kind fails (tests/unit/fail_nth.h): the linker leads those calls there.
FAIL_NTH_TESTS := test_audit_chain test_audit_verify test_crypto test_decide_faults test_forge_webhook test_mem \
	test_route_api
FAIL_NTH_WRAP  := $(addprefix -Xlinker --wrap=,malloc calloc realloc reallocarray strdup strndup sqlite3_step sqlite3_exec \
	sqlite3_prepare_v3 sqlite3_bind_int64 sqlite3_bind_text64 EVP_Digest EVP_DigestInit_ex EVP_DigestUpdate \
	EVP_DigestFinal_ex EVP_MAC_CTX_dup EVP_MAC_update EVP_MAC_final)
$(FAIL_NTH_TESTS:%=$(BUILD)/tests/%): TEST_WRAP = $(FAIL_NTH_WRAP)
$(BUILD)/tests/test_setting: TEST_WRAP = -Xlinker --wrap=regcomp -Xlinker --wrap=regexec
$(BUILD)/tests/test_settings_production: TEST_WRAP = -Xlinker --wrap=access
$(BUILD)/tests/test_route_job: TEST_WRAP = -Xlinker --wrap=clock_monotonic_ms
$(BUILD)/tests/test_agent_serve $(BUILD)/tests/test_agent_gate: TEST_WRAP = $(addprefix -Xlinker --wrap=systemd_,open free look start stop end fd process) \
	-Xlinker --wrap=unit_digest_add -Xlinker --wrap=journal_copy
$(BUILD)/tests/test_agent_record: TEST_WRAP = -Xlinker --wrap=pread
$(BUILD)/tests/test_unpack_confine: TEST_WRAP = -Xlinker --wrap=setrlimit
$(BUILD)/tests/test_mem_wiped: TEST_WRAP = -Xlinker --wrap=crypto_wipe
$(BUILD)/tests/test_loan_shelf $(BUILD)/tests/test_decide_pad: TEST_WRAP = -Xlinker --wrap=crypto_wipe
$(BUILD)/tests/test_redact_value: TEST_WRAP = $(addprefix -Xlinker --wrap=,explicit_bzero __explicit_bzero_chk)
$(BUILD)/tests/test_perform_lend_message: TEST_WRAP = $(addprefix -Xlinker --wrap=,free reallocarray)
$(BUILD)/tests/test_decide_faults: TEST_WRAP += -Xlinker --wrap=store_batch
$(BUILD)/tests/test_telegram_order $(BUILD)/tests/test_telegram_minute: TEST_WRAP = \
	$(addprefix -Xlinker --wrap=,clock_wall_ms loop_now_ms loop_defer loop_timer_start telegram_api_post telegram_api_cancel)
$(BUILD)/tests/test_perform_notify: TEST_WRAP = \
	$(addprefix -Xlinker --wrap=,clock_wall_ms loop_timer_start loop_timer_stop notify_start notify_cancel)
# The simulation has time, link and the network in the place of these, as sim_clock_wall_ms and so on: tests/sim/sim_loop.c
# and sim_link.c.  An aid of other programs has a __wrap_ of some of them.
SIM_WRAP := $(foreach call,clock_wall_ms clock_monotonic_ms loop_now_ms loop_defer loop_task_cancel loop_timer_init \
	loop_timer_start loop_timer_stop loop_timer_is_started link_client_new link_client_take_peers link_client_peers link_client_is_connected \
	link_client_send link_client_free runner_link_start runner_link_is_ready runner_link_free PQexec, \
	-Xlinker --wrap=$(call) -Xlinker --defsym=__wrap_$(call)=sim_$(call))
$(BUILD)/tests/test_sim: TEST_WRAP = $(SIM_WRAP)

# These have the product in themselves, where they put something in the place of a part of it.  So has each program of a
# build whose objects make no library (-fPIE is for programs), that leads calls elsewhere in all of a program (LDFLAGS of
# cover and valgrind), or that is SMALL.
WRAPPED	 := $(FAIL_NTH_TESTS) test_setting test_settings_production test_telegram_order \
	test_telegram_minute test_route_job test_loan_shelf test_mem_wiped test_perform_lend_message test_perform_notify test_redact_value test_decide_pad \
	test_agent_record test_agent_serve test_agent_gate test_unpack_confine test_sim
ARCHIVES := $(SERVER_A) $(JUDGE_A) $(AGENT_A) $(RUNNER_A) $(LINK_A) $(LIB_A)
PRODUCT	 := $(ARCHIVES)
ifneq ($(SANITIZE),)
ifeq ($(SMALL)$(findstring --wrap,$(LDFLAGS)),)
PRODUCT	 := -Wl,-rpath,'$$ORIGIN/..' -Wl,--allow-shlib-undefined $(PRODUCT_SO)
endif
endif
$(WRAPPED:%=$(BUILD)/tests/%): PRODUCT = $(ARCHIVES)
$(WRAPPED:%=$(BUILD)/tests/%): $(ARCHIVES)
# It is looked up when a program starts: another one needs no other program.
FOR_PROGRAMS := $(if $(filter %.so,$(PRODUCT)),| $(PRODUCT_SO),$(ARCHIVES))

$(PRODUCT_SO): $(call objects,$(SERVER_C) $(RUNNER_C) $(JUDGE_C) $(AGENT_C) $(LINK_C) $(LIB_C))
	@echo "  LD    $@"
	@$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -Wl,-z,defs -Wl,-soname,$(@F) -o $@ $^ $(ALL_LIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(TEST_AID_A) $(FOR_PROGRAMS)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) $(TEST_WRAP) -o $@ $< $(TEST_AID_A) $(PRODUCT) $(ALL_LIBS) -lcmocka

# Each fuzz harness over its corpus, without libFuzzer.
$(BUILD)/tests/test_fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(call objects,tests/fuzz/replay.c tests/fuzz/fuzz.c) $(FOR_PROGRAMS)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(PRODUCT) $(ALL_LIBS)

$(BUILD)/tests/test_fuzz_redact $(BUILD)/fuzz/redact: $(call objects,tests/fuzz/redact_slow.c)

# The same under libFuzzer: `make fuzz` calls this with clang and its sanitizers.
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(call objects,tests/fuzz/fuzz.c) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS)

# What the campaigns of tests/faults/ need in C.
$(BUILD)/faults/oracle: $(BUILD)/obj/tests/faults/oracle.o $(TEST_AID_A) $(SERVER_A) $(RUNNER_A) $(LIB_A)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(SERVER_LIBS)

# What `make bench` loads and measures with.  `make test` compiles them too: what they name of the product is there.
BENCH_OBJECTS := $(call objects,$(wildcard tests/bench/*.c))
BENCH	 := $(BENCH_OBJECTS:$(BUILD)/obj/tests/bench/%.o=$(BUILD)/bench/%)
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(SERVER_A) $(RUNNER_A) $(LIB_A)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(SERVER_LIBS)

$(BUILD)/bench/agents: $(LINK_A)
$(BUILD)/bench/agents: SERVER_LIBS := $(LIB_A) $(SERVER_LIBS) -lssl

# Without libc: lines.c says why.
BARE	 := lines asked
$(BARE:%=$(BUILD)/obj/tests/bench/%.o): DEFINE = -ffreestanding -fno-stack-protector -fno-sanitize=all \
	$(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
$(BARE:%=$(BUILD)/bench/%): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) -static -nostdlib -s -o $@ $<

.PHONY: fuzzers small small-fuzzer
small: $(BUILD)/tests/test_$(SMALL)
small-fuzzer: $(BUILD)/fuzz/$(SMALL)
fuzzers: $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(FUZZ_C))

# The simulation, with a window around what the store does: oom_store.c.
OOM_STORE_WRAP := $(addprefix -Xlinker --wrap=,abort store_batch store_project sim_check_before sim_check_after sim_chat_decode)
$(BUILD)/faults/oom_store: $(BUILD)/obj/tests/faults/oom_store.o $(TEST_AID_A) $(SERVER_A) $(AGENT_A) $(RUNNER_A) $(LIB_A)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) $(OOM_STORE_WRAP) $(SIM_WRAP) -o $@ $^ $(SERVER_LIBS) -lcmocka

# Fails calls of whatever it is preloaded into: never with a sanitizer of its own.
FAULT_C	 := tests/faults/fault.c tests/faults/fault_calls.c
$(BUILD)/faults/libfault.so: $(FAULT_C) tests/faults/fault.h
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) -std=gnu17 -Wall -Wextra -Wshadow -Werror -O2 -g -fno-omit-frame-pointer -fPIC -shared \
		-fvisibility=hidden -fno-builtin -D_GNU_SOURCE -U_FORTIFY_SOURCE -I. -o $@ $(FAULT_C)

POWER_C	 := tests/faults/power.c tests/faults/power_calls.c
$(BUILD)/faults/libpower.so: $(POWER_C) tests/faults/power.h
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) -std=gnu17 -Wall -Wextra -Wshadow -Wconversion -Werror -O2 -g -fPIC -shared -D_GNU_SOURCE \
		-U_FORTIFY_SOURCE -I. -o $@ $(POWER_C)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- packages: installed when they are missing, silent when they are there ---
PACKAGES := tests/tools/packages.sh

.PHONY: packages-build packages-demo packages-test packages-lint packages-bench packages-fuzz \
	packages-cover packages-analyze packages-valgrind packages-targets packages-infra packages-picture packages-patroni packages-database packages-browser
packages-build:
	@$(PACKAGES) build
packages-demo:
	@$(PACKAGES) build demo
packages-test:
	@$(PACKAGES) build test
packages-browser:
	@$(PACKAGES) browser
packages-picture:
	@$(PACKAGES) build demo test picture
packages-lint:
	@$(PACKAGES) build lint
packages-bench:
	@$(PACKAGES) build bench
packages-fuzz:
	@$(PACKAGES) build fuzz
packages-analyze:
	@$(PACKAGES) build test analyze
packages-valgrind:
	@$(PACKAGES) build test valgrind
packages-cover:
	@$(PACKAGES) build test cover
packages-targets:
	@$(PACKAGES) build test targets
packages-database:
	@$(PACKAGES) build demo database
packages-patroni:
	@$(PACKAGES) build test patroni
packages-infra:
	@$(PACKAGES) build test deb infra

# --- the two commands of the README ---
JOBS := $(shell nproc)

.PHONY: demo
demo: packages-demo $(if $(filter failover,$(STORY)),packages-database) $(if $(filter console,$(STORY)),packages-browser)
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(PYTHON) tests/demo/demo.py $(if $(STORY),--story $(STORY))

.PHONY: run
run: packages-demo
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(PYTHON) tests/demo/run.py

# docs/chat.png and docs/demo.webp: the demo on two phones, and a minute of it.
.PHONY: picture
picture: packages-picture
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(PYTHON) tests/tools/picture.py
	@$(PYTHON) tests/tools/film.py

TEST_BUILD := $(BUILD)/test
TEST_MAKE  := $(MAKE) --no-print-directory BUILD=$(TEST_BUILD) SANITIZE=address,undefined CRASH_POINTS=1 WERROR=-Werror

TEST_FAULTS := $(addprefix $(TEST_BUILD)/faults/,oracle libpower.so libfault.so oom_store)

# DB=pg: the unit tests and the simulation keep their rows in a PostgreSQL of their own, and no others are run.
DB ?=
# End-to-end tests start the programs of $(BUILD), as they are installed; $(TEST_BUILD) is what can be made to die.
.PHONY: test
test: packages-test
	@$(PYTHON) tests/tools/runs.py check
	@$(MAKE) --no-print-directory layers hardening
	@$(TEST_MAKE) -j$(JOBS) all tests $(TEST_FAULTS)
	@$(PYTHON) tests/tools/circles.py $(TEST_BUILD)
	@$(PYTHON) tests/tools/callers.py $(TEST_BUILD)/obj
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(if $(filter pg,$(DB)),tests/tools/with_postgresql.sh) \
		$(PYTHON) tests/tools/run_tests.py $(TEST_BUILD) $(WHAT)

# The end-to-end tests of `make test` once more, on programs that AddressSanitizer and UBSan watch, which see leaks too.
.PHONY: check-asan
check-asan: packages-test
	@$(TEST_MAKE) -j$(JOBS) all tests $(TEST_FAULTS)
	@DEPLOYBOT_BUILD=$(abspath $(TEST_BUILD)) $(PYTHON) tests/tools/run_tests.py $(TEST_BUILD) --e2e $(WHAT)

.PHONY: tests
tests: $(TESTS) $(BENCH_OBJECTS)

# On another distribution: it builds, its unit tests pass, and what the package needs is there under those names.
.PHONY: check-distribution unit-tests
check-distribution:
	@$(PACKAGES) build deb unit
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-tests
	@$(MAKE) --no-print-directory deb
	@apt-get install --simulate --no-install-recommends ./$(DEB)/deploybot_*.deb
unit-tests: $(TESTS)
	@printf '%s\n' $^ | xargs -P$(JOBS) -I{} sh -c '{} >{}.said 2>&1 || { cat {}.said; echo "{} failed"; exit 1; }'

# Every message that these make the chat say, on one page as wide as a phone.
SPEAKING := $(addprefix $(BUILD)/tests/,$(filter-out test_decide_faults,\
	$(filter test_chat_deployment% test_command_% test_decide_% test_handle_%,$(notdir $(TESTS)))))
.PHONY: chat-texts chat-texts-page
chat-texts: packages-test
	@$(TEST_MAKE) -j$(JOBS) chat-texts-page
chat-texts-page: $(SPEAKING)
	@rm -rf $(BUILD)/chat-texts && mkdir $(BUILD)/chat-texts
	@printf '%s\n' $^ | CHAT_TEXTS=$(abspath $(BUILD)/chat-texts) xargs -P$(JOBS) -I{} sh -c '{} >/dev/null 2>&1 || { echo "{} failed"; exit 1; }'
	@$(PYTHON) tests/tools/chat_texts.py $(BUILD)/chat-texts $(BUILD)/chat-texts.html

# --- checks ---
.PHONY: layers
layers:
	@$(PYTHON) tests/tools/layers.py

.PHONY: circles
circles: all
	@$(PYTHON) tests/tools/circles.py $(BUILD)

# Random histories of the whole program; one that fails says how it is replayed.  Then as many of people, as many
# policies, and one in STRIDE of the calls that have failed before fails again: `make test` plays fewer of each.
SEEDS ?= 10000
HAPPENINGS ?= 5000
STRIDE ?= 100
SIM_TESTS := test_sim test_decide_people_any test_policy_chat test_decide_faults
.PHONY: check-sim
check-sim: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) $(SIM_TESTS:%=$(BUILD)/tests/%)
	@HAPPENINGS=$(HAPPENINGS) SEEDS=$(SEEDS) $(BUILD)/tests/test_sim
	@$(if $(SEED),,HISTORIES=$(SEEDS) $(BUILD)/tests/test_decide_people_any)
	@$(if $(SEED),,POLICIES=$(SEEDS) $(BUILD)/tests/test_policy_chat without_the_grant)
	@$(if $(SEED),,STRIDE=$(STRIDE) $(BUILD)/tests/test_decide_faults)

# SIGKILL at every named place of lib/crash_point.def.  SEED, ONLY=part of a trial's name, ALL=1: every passage; SHORT=1:
# a sample, on what make test has built.
CRASH_BUILD := $(if $(SHORT),$(TEST_BUILD),$(BUILD)/crash)
CRASH_MAKE  := $(if $(SHORT),$(TEST_MAKE),$(MAKE) --no-print-directory BUILD=$(CRASH_BUILD) CRASH_POINTS=1)
.PHONY: check-crash
check-crash: packages-test
	@$(CRASH_MAKE) -j$(JOBS) all $(CRASH_BUILD)/faults/oracle
	@$(PYTHON) tests/faults/campaign.py crash --build $(CRASH_BUILD)

# SIGKILL at the n-th call of every kind that writes.  SEED, ONLY, SWEEP=all.
.PHONY: check-crash-sweep
check-crash-sweep: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/faults/oracle
	@$(PYTHON) tests/faults/campaign.py crash-sweep --build $(BUILD)

# One protection after another is taken out, in a copy of the tree: its test must notice.
.PHONY: check-planted
check-planted: packages-test
	@$(PYTHON) tests/planted/planted.py $(BUILD)/planted $(JOBS) $(WHAT)

# One of each kind of thing is added in a copy of the tree, then left out a piece at a time: it must be refused.
.PHONY: check-half-wired
check-half-wired: packages-test
	@$(PYTHON) tests/tools/half_wired.py $(BUILD)/halfwired $(JOBS) $(WHAT)

# What the tests reach, by gcov, and the floors below which that must not fall.  -O0: branches as they are written.
COVER_BUILD := $(BUILD)/coverage
COVER_EXIT  := $(COVER_BUILD)/obj/tests/tools/cover_exit.o
COVER_MAKE  := $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(COVER_BUILD) OPT="-O0 -g --coverage -fprofile-update=atomic" \
	HARDEN=-fPIE LDFLAGS="--coverage -Wl,--wrap=_exit $(COVER_EXIT)"
.PHONY: cover
cover: packages-cover
	@$(COVER_MAKE) $(COVER_EXIT)
	@$(COVER_MAKE) $(WHOLE)
	@$(PYTHON) tests/tools/cover.py $(COVER_BUILD) $(WHAT)

# Hostile clients, scripts, names and words against the real programs, straight and through nginx.
.PHONY: check-hostile
check-hostile: packages-test
	@$(FAULTS_MAKE)
	@$(PYTHON) tests/faults/campaign.py hostile --build $(BUILD) $(WHAT)

# What `make test` leaves: the end-to-end tests marked `long`, as patient as run_tests.py is.
.PHONY: check-long
check-long: packages-test
	@$(TEST_MAKE) -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(TEST_BUILD) DEPLOYBOT_SLOW=$(or $(DEPLOYBOT_SLOW),5) \
		$(PYTHON) -m pytest -q -rs -p no:cacheprovider -n $(JOBS) \
		--durations=5 $(or $(WHAT),-m long tests/e2e)

# One call after another fails, from wherever it is made: under AddressSanitizer, so that leaks are seen.
.PHONY: faults-build
faults-build: packages-test
	@$(TEST_MAKE) -j$(JOBS) all $(TEST_BUILD)/faults/oracle \
		$(TEST_BUILD)/faults/libfault.so $(TEST_BUILD)/faults/oom_store

.PHONY: check-io check-oom
check-io: faults-build
	@$(PYTHON) tests/faults/campaign.py io --build $(TEST_BUILD)
check-oom: faults-build
	@$(PYTHON) tests/faults/campaign.py oom --build $(TEST_BUILD)

# Real parts: hosts with container engines, compose and nginx, a registry, git over ssh, each a machine of its own
# made of namespaces.  `make bed` is a shell among them.
TARGETS_IN := $(PYTHON) tests/targets/inside.py
.PHONY: check-targets bed bench-bed
check-targets: packages-targets
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@status=0; for bed in $(or $(BED),here trixie); do echo "BED=$$bed"; \
		BED=$$bed DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(TARGETS_IN) $(PYTHON) -m pytest -p no:cacheprovider -v -rs \
		$(or $(WHAT),tests/targets) || status=1; done; exit $$status
bed: packages-targets
	@$(TARGETS_IN) $(PYTHON) tests/targets/bed.py $(if $(value RUN),bash -c '$(subst ','\'',$(value RUN))')

bench-bed: packages-targets
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(TARGETS_IN) $(PYTHON) tests/bench/bench_bed.py $(ROUNDS)

AGENT_TESTS := tests/infra/test_infra_agent.py tests/infra/test_infra_agent_client.py tests/infra/test_infra_agent_release.py

# What an administrator gets: the package in a clean Debian, units on a real systemd, images.
.PHONY: check-infra
check-infra: packages-infra
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -p no:cacheprovider -v -rs --durations=5 \
		$(or $(WHAT),tests/infra $(AGENT_TESTS:%=--ignore=%))

# Clients over agents, with a real systemd, polkit and journal; and so many agents at once, as root.
N ?= 10000
.PHONY: check-agents check-agents-many bench-agent check-ha check-patroni
check-agents: packages-infra
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/crash CRASH_POINTS=1 $(BUILD)/crash/deploybot-agent
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -p no:cacheprovider -v -rs --durations=5 \
		$(or $(WHAT),$(AGENT_TESTS))
check-agents-many: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/bench/agents
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/agents_many.py $(N)
# Take-overs of two servers on one PostgreSQL.
check-ha: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/ha/check_ha.py $(if $(filter command line,$(origin N)),$(N),30)
# Releases in waves to so many hosts that are files, and to so many machines with an sshd.
HOSTS ?= 64
SSHD ?= 20
.PHONY: check-fleet
check-fleet: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(TARGETS_IN) $(PYTHON) tests/fleet/check_fleet.py $(HOSTS) $(SSHD)
check-patroni: packages-patroni
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/ha/check_patroni.py $(WHAT)
bench-agent: packages-infra
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) DEPLOYBOT_CRASH_BUILD=$(abspath $(BUILD)) \
		$(PYTHON) tests/bench/agents_start.py $(ROUNDS)
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) DEPLOYBOT_CRASH_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/runners_log.py

-include deploy/install.mk

# The two container images, as Dockerfile says; needs docker alone.  IMAGE_FLAGS: more for docker build, e.g.
# --build-arg=BASE_IMAGE=debian:12-slim@sha256:... or --build-arg=WITH_KUBECTL=1
IMAGE_FLAGS ?=
.PHONY: images
images:
	@for target in server runner; do \
		docker build --target $$target --tag deploybot-$$target:$(VERSION) --tag deploybot-$$target:latest \
			--build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
			$(IMAGE_FLAGS) . || exit; \
	done

# Three analysers read the C code; what did not change is not read again.
.PHONY: analyze
analyze: packages-analyze $(CONSOLE_GZ)
	@$(PYTHON) tests/tools/analyze.py $(BUILD) $(JOBS) $(WHAT)

# What the compiler and the linker protect the programs by, in the build that is installed.
.PHONY: hardening
hardening: packages-build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(PYTHON) tests/tools/hardening.py $(BUILD)

# Tests of the parts with two threads, and stories of the whole server, under ThreadSanitizer; then memory and
# descriptors under valgrind, runner and supervisors too.
TSAN_TESTS    := store_thread store queue crossing http_client http_client_request redact
TSAN_MAKE     := $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/tsan SANITIZE=thread
VALGRIND_AID  := $(BUILD)/valgrind/obj/tests/tools/valgrind_pidfd.o
VALGRIND_WRAPS := pidfd_open pidfd_send_signal program_add_variable
VALGRIND_MAKE := $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/valgrind OPT="-O1 -g"
.PHONY: check-tsan check-valgrind
check-tsan: packages-test
	@$(TSAN_MAKE) $(if $(SMALL),small,all $(TSAN_TESTS:%=$(BUILD)/tsan/tests/test_%))
	@$(PYTHON) tests/tools/watch.py tsan $(BUILD)/tsan $(WHAT)
check-valgrind: packages-valgrind
	@$(VALGRIND_MAKE) $(VALGRIND_AID)
	@$(VALGRIND_MAKE) LDFLAGS="$(VALGRIND_WRAPS:%=-Wl,--wrap=%) $(VALGRIND_AID)" $(WHOLE)
	@$(PYTHON) tests/tools/watch.py valgrind $(BUILD)/valgrind $(WHAT)

# Whoever dies leaves the rest to be adopted: kills at every moment of a deployment, and upgrades under one.
FAULTS_MAKE := $(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/faults/oracle
.PHONY: check-power check-adopt soak
# The power goes behind a chosen write, flush or word: what was not flushed is lost, torn, reordered.
check-power: packages-test
	@$(FAULTS_MAKE) $(BUILD)/faults/libpower.so
	@$(PYTHON) tests/faults/campaign.py power --build $(BUILD)
check-adopt: packages-test
	@$(FAULTS_MAKE)
	@$(PYTHON) tests/faults/campaign.py adopt --build $(BUILD)

# Loans that end in each way, and all that the server has left, said and shown, with its memory behind the last one: no
# secret is in any of it.  What was collected stays in build/secrets for tests/tools/canaries.py.
.PHONY: check-canaries
check-canaries: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) DEPLOYBOT_CANARIES=$(abspath $(BUILD))/secrets $(PYTHON) -m pytest -q \
		-p no:cacheprovider --tb=short tests/e2e/test_canaries.py
	@$(PYTHON) tests/tools/canaries.py $(BUILD)/secrets

# kill -9 at random moments under load, peers that fail, and the oracle at each rest between.
soak: packages-test
	@$(FAULTS_MAKE)
	@$(PYTHON) tests/faults/campaign.py soak --build $(BUILD)

# One thing at a time is changed in what decides about safety: its unit tests must notice.  WHAT: files; T=0: all.
MUTATE_BUILD := $(BUILD)/mutate
.PHONY: mutate
mutate: packages-test
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(MUTATE_BUILD) OPT=-O1 $$($(PYTHON) tests/tools/mutate.py $(MUTATE_BUILD) --programs $(WHAT))
	@T=$(if $(filter command line environment,$(origin T)),$(T),300) $(PYTHON) tests/tools/mutate.py $(MUTATE_BUILD) $(WHAT)

# Every row of `make help`, one after the other, as tests/tools/runs.txt has it.  WHAT: only these rows.
.PHONY: smoke nightly
smoke nightly:
	@$(PYTHON) tests/tools/runs.py $@ $(WHAT)

.PHONY: lint
lint: packages-lint
	@tests/tools/lint.sh $(WHAT)

.PHONY: size
size:
	@$(PYTHON) tests/tools/size.py

.PHONY: bench bench-programs
bench-programs: $(BENCH)
bench: packages-bench
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs
	@DEPLOYBOT_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench.py $(if $(PAGE),--page '$(PAGE)') $(WHAT)

# T: seconds for each harness, or merge: what was found before goes into the corpus; WHAT: some of them.
T	?= 60
FUZZ_BUILD := $(BUILD)/fuzzing
.PHONY: fuzz
fuzz: packages-fuzz
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(FUZZ_BUILD) CC=clang-14 \
		SANITIZE=address,undefined CFLAGS=-fsanitize=fuzzer-no-link $(if $(SMALL),small-fuzzer,fuzzers)
	@$(PYTHON) tests/fuzz/fuzz.py $(FUZZ_BUILD)/fuzz $(T) $(WHAT)

.PHONY: help
help:
	@echo "make            the three programs, in $(BUILD)/"
	@echo "make demo       everything on this machine, with a chat in the browser (STORY=1: played by itself; STORY=pipelines, STORY=rolled-back-stays-back, STORY=secrets, STORY=failover, STORY=uploads, STORY=told, STORY=console, STORY=waves: others)"
	@echo "make run        the same against the real Telegram: TELEGRAM_BOT_TOKEN and ADMIN_TELEGRAM_IDS in .env"
	@echo "make test       all tests: 8 min; what else to run, and when: docs/TESTING.md (WHAT=test_policy: one unit program alone; tests/e2e/test_x.py: all of them, and only those end-to-end tests; DB=pg: what keeps rows, in a PostgreSQL of its own)"
	@echo "make smoke      the smallest form of each row here (SMOKE=strict: a row that cannot run fails; WHAT='fuzz size': only these)"
	@echo "make nightly    each row here whole, again after a kill where it was cut; a table in $(BUILD)/nightly (NIGHT=all: the longest; WHAT=)"
	@echo "make check-sim  10000 random histories of everything and of people, without time or network: 30 min of a core (SEEDS=n; SEED=n: one again)"
	@echo "make check-io   each read, write, flush, open, socket, fork of three flows fails once: 4 min (IO=all: 2 h)"
	@echo "make check-oom  each place that allocates gets none, once, and it is started again: 5 min (OOM=all: 90 min)"
	@echo "make check-crash    SIGKILL at each named place of each flow: about five minutes (ALL=1: an hour; SEED=n, ONLY=label)"
	@echo "make check-crash-sweep  SIGKILL at the n-th writing call: a sample in five minutes (SWEEP=all: an hour)"
	@echo "make check-adopt  server, runner, supervisor killed in every combination, 50 upgrades under one run: 4 min (ROUNDS=n)"
	@echo "make check-ha   take-overs of two servers on one PostgreSQL, under pushes, chat, deployments: 6 min (N=1000; CAUSE=COMMIT; SEED=n: again)"
	@echo "make check-patroni  two servers on real patroni and etcd, whose primary is killed, stopped, moved: 5 min (WHAT=killed; TTL=30)"
	@echo "make soak       kill -9 at random moments under load, MINUTES=3 (RATE=pushes a second; SEED=n)"
	@echo "make check-power  the power goes in six flows, unflushed writes are lost: 6 minutes (CUTS=n; SEED=n: again; SHORT=1)"
	@echo "make check-canaries  loans of secrets end in each way: none is in a file, a message or the memory (root) of the server: 1 min"
	@echo "make check-planted  one protection after another is taken out: its test must notice: an hour (WHAT=gate: only those)"
	@echo "make check-fleet  a release in waves to so many hosts, 3 % of them bad, over kill -9 in each wave and between two; over ssh to SSHD=20 machines, with a bake that Prometheus watches (root): 20 min (HOSTS=64)"
	@echo "make check-half-wired  one of each kind of thing is added, a piece of it left out: it must be refused: 4 min (WHAT=effect)"
	@echo "make check-hostile  hostile clients, scripts, names, words: 5 minutes (WHAT=slow: one theme; SEED=n: again; SHORT=1)"
	@echo "make check-asan     the end-to-end tests of make test with ASan and UBSan: 6 min (WHAT=tests/e2e/test_x.py: only those)"
	@echo "make check-long     end-to-end tests that make test leaves: deploy/'s scripts killed at every step, their variants: 30 minutes (WHAT=tests/e2e/test_deploy_x.py: all of it)"
	@echo "make check-targets  chat to two hosts with real engines, registry, compose, nginx, systemd, load and kills: 25 min, root (WHAT=tests/targets/test_x.py; BED=here, or trixie: one of them)"
	@echo "make check-distribution  this system has what build, unit tests and package need: 5 min (Debian 12, 13, Ubuntu 24.04)"
	@echo "make check-infra    .deb, units on a real systemd, images, compose, INSTALLATION.md as it is typed: 30 min, root (WHAT=tests/infra/test_x.py)"
	@echo "make check-agents  actions through deploybot-link and -agent on a real systemd, killed at every step: 5 min, root (WHAT=)"
	@echo "make check-agents-many  so many agents at once: memory, and how soon all are back: 3 min, root (N=10000)"
	@echo "make images     the two container images, with docker (IMAGE_FLAGS='--build-arg=...')"
	@echo "make install    programs, scripts, units, manuals (DESTDIR=, PREFIX=/usr/local); make uninstall takes them away"
	@echo "make deb        deploybot_VERSION_ARCH.deb in $(BUILD)/deb/"
	@echo "make release    of build/deb: SBOMs, sums, signature, apt repository, by KEY=fingerprint (OLDER='packages that stay in it')"
	@echo "make chat-texts every message of the chat, as the unit tests make it say them, on a page as wide as a phone: 1 minute"
	@echo "make picture    docs/chat.png and docs/demo.webp anew: two phones, and a minute of the demo: 6 minutes"
	@echo "make bed        a shell among those machines (RUN='command...'; STRATEGY=bluegreen; BED=trixie)"
	@echo "make check-tsan      parts with two threads and stories of the server under ThreadSanitizer: 3 minutes (WHAT=)"
	@echo "make check-valgrind  memory and descriptors at exit, unit tests and stories: 5 minutes (WHAT=queue: only those)"
	@echo "make analyze    gcc -fanalyzer, clang-tidy and cppcheck: 2 minutes, then only what changed (WHAT=http)"
	@echo "make hardening  what the three programs are protected by, as readelf sees it (part of make test)"
	@echo "make cover      what the tests reach, and its floors: 8 min of two cores (WHAT=tests/e2e/test_x.py: only those of e2e)"
	@echo "make mutate     one operator, condition or call is changed at a time: its test must notice; 5 min (WHAT=file; T=0: all)"
	@echo "make layers     who may include whom"
	@echo "make circles    no two files call each other"
	@echo "make lint       style, shell, both compilers (WHAT='text words': only these checks)"
	@echo "make size       counted lines of the product, by room"
	@echo "make bench      speed, beside webhook, Node and nginx: 10 minutes of a quiet machine (WHAT=push: that part; PAGE=docs/PERFORMANCE.md: its figures go there)"
	@echo "make bench-bed  a release to two real hosts beside a line of shell: 3 min, root (BED=trixie; ROUNDS=5)"
	@echo "make bench-agent  from a press to StartUnit on a booted host, 50 remote runs: 3 min, root (ROUNDS=20)"
	@echo "make fuzz       libFuzzer on every parser, T=60 seconds each: 22 min (T=merge: finds become seeds; WHAT=html: only that one)"
	@echo "make clean      removes $(BUILD)/"

.PHONY: clean
clean:
	rm -rf --one-file-system $(BUILD)
