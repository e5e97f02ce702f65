# SPDX-License-Identifier: MIT
# dispatchd. `make help` lists the targets; everything made goes into $(BUILD).

VERSION := $(file <VERSION)

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD  ?= build
CFLAGS ?= -O2 -g
PYTHON ?= /usr/bin/python3

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
MANDIR     ?= $(PREFIX)/share/man
DESTDIR    ?=

# What `make deps` installs, by its name in Debian 12. Checks need more, and install that themselves.
DEPS := gcc make pkg-config libevent-dev libesmtp-dev libhiredis-dev libsqlite3-dev libjansson-dev \
	libglib2.0-dev libicu-dev libssl-dev libsodium-dev libmagic-dev liblz4-dev libsystemd-dev \
	libpsl-dev libmicrohttpd-dev libarchive-dev libcmocka-dev libgmime-3.0-dev redis-server redis-tools sqlite3 tzdata openssl \
	python3 python3-pytest python3-pytest-xdist python3-aiosmtpd python3-redis python3-cryptography python3-yaml \
	python3-jsonschema faketime
DEPS_CHECK := clang clang-tidy clang-format cppcheck mandoc systemd bash-completion
DEPS_COVERAGE := gcovr
# For the Debian packages, and for trying them in a tree of its own under a systemd of its own.
DEPS_DEB := debhelper dpkg-dev fakeroot lintian po-debconf
DEPS_DEB_TEST := debootstrap systemd-container
DEPS_CLUSTER := gdb iproute2
DEPS_CLIENTS := node-redis php-cli php-redis golang-go golang-github-gomodule-redigo-dev default-jdk-headless
# For the tests of the customer center in a browser and behind a proxy, which are skipped where these can't be had. So
# are those with Postfix, OpenSMTPD, Exim and Dovecot, which .ci/deps-mail only unpacks.
DEPS_TESTS := chromium chromium-driver python3-selenium nginx-light libjs-leaflet

# Headers of others are system headers: their inline code is not ours to warn about.
pkg_cflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1) 2>/dev/null))
pkg_libs   = $(shell pkg-config --libs $(1) 2>/dev/null)
LIB_PKGS    := sqlite3 jansson glib-2.0 icu-i18n icu-uc libsodium libmagic liblz4 libpsl
CENTER_PKGS := libmicrohttpd libarchive
BOUNCE_PKGS := gmime-3.0
CTL_PKGS    := libarchive
DAEMON_PKGS := libevent libevent_pthreads hiredis libesmtp-1.0 openssl libsystemd
TEST_PKGS   := cmocka

# `make V=1` shows whole commands.
V ?= 0
Q := $(if $(filter 0,$(V)),@)
progress = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $@)

# Warnings are errors in `make check` alone (WERROR=-Werror): another compiler's new ones stop nobody's build.
WERROR ?=
WARN := -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-overlength-strings $(WERROR)
INCLUDES := -D_GNU_SOURCE -Ilib -Idaemon -I$(BUILD)/gen $(call pkg_cflags,$(LIB_PKGS) $(DAEMON_PKGS) $(CENTER_PKGS) $(BOUNCE_PKGS) $(CTL_PKGS))
TEST_INCLUDES := -Itests/unit $(call pkg_cflags,$(TEST_PKGS))
LIBS := $(call pkg_libs,$(DAEMON_PKGS) $(LIB_PKGS)) -lm -lpthread

# What else is compiled in: a sanitizer, counters for coverage, or hardening. Where CFLAGS don't optimize, or a packager
# sets _FORTIFY_SOURCE, we don't set it.
ifdef SANITIZE
HARDEN   := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_L := -fsanitize=$(SANITIZE)
else ifdef COVERAGE
HARDEN   := --coverage -fprofile-update=atomic -fprofile-abs-path
HARDEN_L := --coverage
else
optimized := $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))
FORTIFY  := $(if $(optimized),$(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN   := -fPIE -fstack-protector-strong -fstack-clash-protection $(FORTIFY)
HARDEN_L := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
# The flags of whoever builds come last, so that they win.
COMPILE = $(CC) $(INCLUDES) $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(HARDEN) $(CFLAGS) $(HARDEN_L) $(LDFLAGS)

# The mailers replace connect() and poll() for the whole program, so dispatchctl is linked with no object of dispatchd's.
LIB_SRC    := $(wildcard lib/*/*.c)
ROOM_SRC   := $(wildcard daemon/dispatchd/*/*.c)
CTL_SRC    := $(wildcard daemon/dispatchctl/*.c daemon/dispatchctl/*/*.c)
MAIN_SRC   := $(wildcard daemon/dispatchd/*.c)
CENTER_SRC := $(wildcard daemon/center/*.c daemon/center/*/*.c)
BOUNCE_SRC := $(wildcard daemon/bounce/*.c daemon/bounce/*/*.c)
SHARED_SRC := $(wildcard daemon/common/*.c)
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
UNIT_HELP  := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
PROBE_SRC  := $(wildcard tests/system/*.c)
BENCH_SRC  := $(wildcard tests/bench/*.c)
NEXT_SRC   := $(wildcard tests/next/*.c)
TOOL_SRC   := $(wildcard conf/generate.c)
SQL        := $(wildcard lib/*/*.sql daemon/center/*/*.sql)
ASSETS     := $(wildcard daemon/center/assets/*)
WORDS      := $(sort $(wildcard daemon/center/words/*.ini))
PROOF      := lib/overview/proof_summary.html
BUILT_IN   := $(wildcard conf/templates/*.txt) conf/templates/en.ini

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB    := $(BUILD)/libdispatch.a
ROOMS  := $(BUILD)/librooms.a
SHARED := $(BUILD)/libshared.a
HELP   := $(BUILD)/libunit.a
UNIT   := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
PROBES := $(PROBE_SRC:tests/system/%.c=$(BUILD)/tests/%)
BENCH  := $(BENCH_SRC:tests/bench/%.c=$(BUILD)/tests/%)
NEXT   := $(BUILD)/next/dispatchd $(BUILD)/next/dispatchctl $(BUILD)/next/dispatch-center
PROGRAMS := $(BUILD)/dispatchd $(BUILD)/dispatchctl $(BUILD)/dispatch-center $(BUILD)/dispatch-bounce
GEN  := $(BUILD)/gen/version.h $(BUILD)/gen/builtin_templates.h $(BUILD)/gen/center_assets.h \
	$(BUILD)/gen/center_words.h $(BUILD)/gen/proof_page.h $(patsubst %,$(BUILD)/gen/%.h,$(notdir $(SQL)))
TSAN_SRC := $(if $(filter thread,$(SANITIZE)),$(wildcard tests/tsan/*.c))
SOURCES := $(LIB_SRC) $(ROOM_SRC) $(CTL_SRC) $(MAIN_SRC) $(CENTER_SRC) $(BOUNCE_SRC) $(SHARED_SRC) $(UNIT_SRC) $(UNIT_HELP) \
	$(PROBE_SRC) $(BENCH_SRC) $(NEXT_SRC) $(TOOL_SRC) $(TSAN_SRC)
OBJ  := $(call obj,$(SOURCES))

.DEFAULT_GOAL := all
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all clients-test cluster-test deb deb-test deps deps-check deps-deb deps-clients deps-coverage deps-tests demo test test-long unit tests objects check asan tsan coverage fuzz \
	deps-bench bench bench-growth bench-standby bench-steps bench-parts bench-table corpora install dist written generated clean help FORCE
FORCE:

all: $(LIB) $(PROGRAMS) ## build the programs (the default)

deps: ## install what building, the demo and the tests need (Debian and its kin)
	@.ci/deps $(DEPS)

deps-check:
	@.ci/deps $(DEPS) $(DEPS_CHECK)
	@BUILD=$(BUILD) .ci/deps-promtool

deps-coverage:
	@.ci/deps $(DEPS) $(DEPS_COVERAGE)

deps-tests:
	@.ci/deps $(DEPS_TESTS) || echo 'deps: no browser and proxy can be installed: their tests are skipped'
	@BUILD=$(BUILD) .ci/deps-mail || echo 'deps: no mail servers can be unpacked: their tests are skipped'

deps-clients: deps ## install what the example clients need: Node.js, PHP, Go, Java and their clients of Redis
	@.ci/deps $(DEPS_CLIENTS)

clients-test: deps-clients ## the example clients of docs/clients against the real daemon
	@$(MAKE) --no-print-directory all
	@BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/clients

deps-bench: deps ## install what `make bench` compares with: Postfix's smtp-sink and smtp-source, BullMQ, Celery
	@BUILD=$(BUILD) .ci/deps-bench

# pkg-config is asked when make starts, so whatever needs packages that were just installed starts another make.
demo: deps ## a working day in half a minute: private Redis, six customers, twenty events, mails in a Maildir
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) tests/demo/demo.sh

# Tests mostly wait for clocks, so more of them than there are processors run at a time.
TEST_JOBS ?= $(shell echo $$((3 * $$(nproc) + 2)))
CLUSTER_JOBS ?= $(shell echo $$((2 * $$(nproc))))
pytest = $(if $(wildcard tests/system/test_*.py),BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -n $(TEST_JOBS) \
	--dist loadgroup -m $(1) $(PYTEST_ARGS) tests/system)

test: deps $(if $(SANITIZE),,deps-tests) ## units, then the real programs with a real Redis and SMTP peers
	@$(MAKE) --no-print-directory all tests
	@$(MAKE) --no-print-directory unit
	@$(call pytest,"not long")

test-long: deps ## the tests that take long: gigabytes, minutes on the clock, every time zone
	@$(MAKE) --no-print-directory all tests
	@$(call pytest,long)

unit: $(UNIT) ## the unit tests alone; prints all of those that fail
	@printf '%s\n' $(UNIT) | xargs -P $(shell nproc) -I{} sh -c \
		'output=$$({} 2>&1) && echo "== {}" || { echo "$$output"; echo "== {} failed"; exit 1; }'

tests: $(UNIT) $(PROBES) $(BENCH) $(NEXT) ## build the test programs without running them

objects: $(OBJ) ## compile everything and link nothing

check: deps-check deps-tests ## compilers, linters, layering, and that code, manuals and samples agree
	@$(MAKE) --no-print-directory all written $(BUILD)/tests/mail_probe
	@MAKE="$(MAKE)" BUILD=$(BUILD) tests/check/run

asan: deps ## units and system tests again under the address and undefined-behavior sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="-O1 -g" SANITIZE=address,undefined test

# A second signal ends the daemon at once: threads that nobody joined are not a fault.
tsan: deps ## units and system tests again under ThreadSanitizer
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan/suppressions:history_size=4:report_thread_leaks=0:$$TSAN_OPTIONS" \
		$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan CFLAGS="-O1 -g" SANITIZE=thread test

# The least coverage, in percent of lines. What runs as another user can't write its counters.
COVERED_LIB    := 90
COVERED_DAEMON := 80
coverage: deps-coverage ## how much of the code the tests cover (gcovr); fails below 90 % of lib, 80 % of daemon
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS="-O0 -g" COVERAGE=1 all tests
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@GCOV_ERROR_FILE=/dev/null $(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS="-O0 -g" COVERAGE=1 test
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage coverage-report
coverage-report: # from the counters that exist
	@gcovr --root . --object-directory $(BUILD) --filter lib/ --filter daemon/ --json $(BUILD)/coverage.json $(BUILD)
	@failed=0; for floor in lib:$(COVERED_LIB) daemon:$(COVERED_DAEMON); do \
		echo "== coverage of $${floor%:*}, at least $${floor#*:} % of lines"; \
		gcovr --root . --add-tracefile $(BUILD)/coverage.json --filter "$${floor%:*}/" \
			--txt $(BUILD)/coverage-$${floor%:*}.txt --print-summary --fail-under-line $${floor#*:} || failed=1; \
	done; exit $$failed

fuzz: deps-check ## a minute of libFuzzer on each target of tests/fuzz (FUZZ_SECONDS=60)
	@BUILD=$(BUILD)/fuzz MAKE="$(MAKE)" tests/fuzz/run

# Not within `make test`: even a quick run takes minutes, mostly of waiting for a lease to run out.
cluster-test: deps ## faults of a cluster: killed, frozen, split, its Redis failed over, under load (ROUNDS=full for a night)
	@.ci/deps $(DEPS_CLUSTER)
	@$(MAKE) --no-print-directory all
	@BUILD=$(abspath $(BUILD)) DISPATCHD_CLUSTER_ROUNDS=$(ROUNDS) $(PYTHON) -m pytest -q -p no:cacheprovider \
		-n $(CLUSTER_JOBS) $(PYTEST_ARGS) tests/cluster

# Figures are worth something on an idle machine only. docs/PERFORMANCE.md says more.
bench: ## from an event to an accepted mail, beside smtp-source, BullMQ and Celery (BENCH_ARGS="--events 2000")
	@$(MAKE) --no-print-directory deps-bench || echo 'bench: not all peers can be installed: those are left out'
	@$(MAKE) --no-print-directory all
	@BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/compare.py $(BENCH_ARGS)

bench-growth: all $(BENCH) ## latency, intake while the relay is away, a million customers and waiting mails
	@BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/latency.py $(BENCH_ARGS)

bench-standby: all ## what a standby costs: mails a second, and the time from an event to its mail
	@$(MAKE) --no-print-directory deps-bench || echo 'bench: not all peers can be installed'
	@BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/standby.py $(BENCH_ARGS)

bench-parts: all $(BENCH) $(PROBES) ## the parts by themselves: engine, spool, gate, mailers, explain, customers, pages
	@for b in $(wildcard tests/bench/parts/*); do echo "== $$b"; BUILD=$(BUILD) $$b || exit 1; done

bench-steps: all ## a mail's instructions by thread, function and library (valgrind)
	@BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/steps.py $(BENCH_ARGS)

bench-table: ## put what bench, bench-growth and bench-steps measured into docs/PERFORMANCE.md
	@$(PYTHON) tests/bench/table.py $(wildcard $(patsubst %,$(BUILD)/bench/%.json,compare growth steps))

corpora: all ## compare dispatch-bounce with what another parser says of real reports (CORPUS=FOLDER)
	@[ -n "$(CORPUS)" ] || { echo 'corpora: which folder? make corpora CORPUS=FOLDER'; exit 1; }
	@BUILD=$(BUILD) $(PYTHON) tests/corpora/agreement.py $(CORPORA_ARGS) "$(CORPUS)"

dist: $(BUILD)/dispatchd-$(VERSION).tar.gz ## the tracked files as a tarball, the same bytes each time
$(BUILD)/dispatchd-$(VERSION).tar.gz: FORCE
	@mkdir -p $(@D)
	@.ci/dist dispatchd-$(VERSION) $@

deps-deb: deps ## install what `make deb` needs: debhelper, lintian
	@.ci/deps $(DEPS_DEB)

deb: deps-deb dist ## Debian source and binary packages, in $(BUILD)/deb
	@.ci/deb $(BUILD)/dispatchd-$(VERSION).tar.gz $(BUILD)/deb
	@cd $(BUILD)/deb && sha256sum *.deb

# As root: it installs and boots. Only the tree of a fresh Debian, which is kept, needs the network.
deb-test: ## install, upgrade and purge the packages on a fresh Debian under a systemd of its own
	@[ "$$(id -u)" = 0 ] || { echo 'deb-test: needs root, to boot a tree of files'; exit 1; }
	@$(MAKE) --no-print-directory deb
	@.ci/deps $(DEPS_DEB_TEST)
	@BUILD=$(BUILD) tests/deb/former
	@BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider $(PYTEST_ARGS) tests/deb

compile_command = s!.*!{"directory": "$(CURDIR)", "file": "&", "command": "$(COMPILE) $(TEST_INCLUDES) -c &"},!
compile_commands.json: FORCE ## for clangd and other tools that need to know how a file is compiled
	@printf '%s\n' $(SOURCES) | sed '$(compile_command); 1s/^/[/; $$s/,$$/]/' > $@

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## /{printf "  %-21s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo; echo "  variables: BUILD CC CFLAGS PREFIX SYSCONFDIR DESTDIR TEST_JOBS PYTEST_ARGS BENCH_ARGS"

install: all ## install everything (DESTDIR=, PREFIX=/usr/local, SYSCONFDIR=/etc)
	@PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" MANDIR="$(MANDIR)" DESTDIR="$(DESTDIR)" BUILD=$(BUILD) \
		systemd/install.sh

# ---- how things are made

$(BUILD)/dispatchd: $(call obj,$(MAIN_SRC) $(SHARED_SRC) $(ROOM_SRC)) $(LIB)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

$(BUILD)/dispatchctl: $(call obj,$(CTL_SRC)) $(SHARED) $(LIB)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(CTL_PKGS))

# libmicrohttpd brings GnuTLS: no other program loads it.
$(BUILD)/dispatch-center: $(call obj,$(CENTER_SRC)) $(SHARED) $(LIB)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(CENTER_PKGS))

# GMime parses what anybody may send: no other program loads it.
$(BUILD)/dispatch-bounce: $(call obj,$(BOUNCE_SRC)) $(SHARED) $(LIB)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(BOUNCE_PKGS))

# The programs of a next version, with a further migration of both databases: a cluster is upgraded to it in a test.
$(BUILD)/next/dispatchd: $(call obj,$(NEXT_SRC) $(MAIN_SRC) $(SHARED_SRC) $(ROOM_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ $(LIBS)
$(BUILD)/next/dispatchctl: $(call obj,$(NEXT_SRC) $(CTL_SRC)) $(SHARED) $(LIB)
	@mkdir -p $(@D)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(CTL_PKGS))
$(BUILD)/next/dispatch-center: $(call obj,$(NEXT_SRC) $(CENTER_SRC)) $(SHARED) $(LIB)
	@mkdir -p $(@D)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(CENTER_PKGS))
$(BUILD)/unit/test_upgrade: $(call obj,$(NEXT_SRC))

$(PROGRAMS) $(NEXT) $(UNIT) $(PROBES) $(BENCH): $(call obj,$(TSAN_SRC))

$(LIB): $(call obj,$(LIB_SRC))
$(ROOMS): $(call obj,$(ROOM_SRC) $(SHARED_SRC) $(wildcard daemon/center/*/*.c daemon/bounce/*/*.c))
$(HELP): $(call obj,$(UNIT_HELP))
$(SHARED): $(call obj,$(SHARED_SRC))
$(LIB) $(ROOMS) $(SHARED) $(HELP): $(BUILD)/sources
	@rm -f $@
	$(call progress,AR)
	$(Q)ar rcs $@ $(filter %.o,$^)

# A test program is linked with whatever it uses; with GMime only where it includes it or what uses it.
$(UNIT): $(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(HELP) $(ROOMS) $(LIB)
$(PROBES): $(BUILD)/tests/%: $(BUILD)/tests/system/%.o $(HELP) $(ROOMS) $(LIB)
$(BENCH): $(BUILD)/tests/%: $(BUILD)/tests/bench/%.o $(HELP) $(ROOMS) $(LIB)
$(UNIT) $(PROBES) $(BENCH):
	@mkdir -p $(@D)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		-Wl,--as-needed $(LIBS) $(call pkg_libs,$(TEST_PKGS) $(if $(shell grep -lE "gmime|bounce/" \
		$(patsubst $(BUILD)/%.o,%.c,$(filter %/$(@F).o,$^))),gmime-3.0))

$(BUILD)/tests/%.o: INCLUDES += $(TEST_INCLUDES)
$(OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags | $(GEN)
	@mkdir -p $(@D)
	$(call progress,CC)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# The sample configuration and the manual's list of keys, written by the table of keys itself.
$(BUILD)/generate: $(call obj,$(TOOL_SRC)) $(LIB)
	$(call progress,LINK)
	$(Q)$(LINK) -o $@ $^ -Wl,--as-needed $(LIBS) $(call pkg_libs,$(CTL_PKGS))

# Puts $(2), which a program wrote, between the marks "$(1): begin" and "$(1): end" of a manual page.
insert = awk '/^\.\\" $(1): end/ { off = 0 } !off { print } \
	/^\.\\" $(1): begin/ { off = 1; while ((getline line < "$(2)") > 0) print line }'
$(BUILD)/dispatchd.conf: $(BUILD)/generate
	@$< sample > $@
$(BUILD)/dispatchd.conf.5: $(BUILD)/generate conf/man/dispatchd.conf.5
	@$< manual > $(BUILD)/keys && $(call insert,keys,$(BUILD)/keys) conf/man/dispatchd.conf.5 > $@
$(BUILD)/dispatchctl.1: $(BUILD)/dispatchctl conf/man/dispatchctl.1
	@$< --manual | sed '/^\./!s/\([A-Za-z0-9)"]\)\. \([A-Z]\)/\1.\n\2/g' > $(BUILD)/commands && $(call insert,commands,$(BUILD)/commands) conf/man/dispatchctl.1 > $@
GENERATED := $(BUILD)/dispatchd.conf $(BUILD)/dispatchd.conf.5 \
	$(if $(filter %/dispatchctl,$(PROGRAMS)),$(BUILD)/dispatchctl.1)
written: $(GENERATED)
generated: $(GENERATED) ## write the sample configuration and lists in the manuals, from their tables
	@sed -i 's/^\.Os.*/.Os dispatchd $(VERSION)/' conf/man/*.[1-8] $(filter %.1 %.5,$(GENERATED))
	@cp $(BUILD)/dispatchd.conf conf/dispatchd.conf
	@cp $(filter %.1 %.5,$(GENERATED)) conf/man/
	@$(PYTHON) tests/check/lines.py --write

# NAME.sql becomes the C string literal NAME.sql.h: `static const char schema[] =`, the #include, `;`.
vpath %.sql $(sort $(dir $(SQL)))
$(BUILD)/gen/%.sql.h: %.sql Makefile
	@mkdir -p $(@D)
	@sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< > $@

# The shipped templates and their English words, for a daemon whose own are missing, and the center's files and
# words, and the page of a proof: a row per file. A last line without a line feed stays without one.
$(BUILD)/gen/builtin_templates.h: $(BUILT_IN)
$(BUILD)/gen/center_assets.h: $(ASSETS)
$(BUILD)/gen/center_words.h: $(WORDS)
$(BUILD)/gen/proof_page.h: $(PROOF)
$(BUILD)/gen/builtin_templates.h $(BUILD)/gen/center_assets.h $(BUILD)/gen/center_words.h $(BUILD)/gen/proof_page.h: Makefile
	@mkdir -p $(@D)
	@for f in $(filter-out Makefile,$^); do \
		[ -z "$$(tail -c 1 $$f)" ] && end='\\n' || end=; \
		echo "{.name = \"$$(basename $$f)\", .text ="; \
		sed 's/\\/\\\\/g; s/"/\\"/g; $$!s/.*/"&\\n"/; $$s/.*/"&'"$$end"'"/' $$f; echo '},'; \
	done > $@

# Files that record what the last build was made with, written only when that changes, so that several makes at a time
# in a finished build only read them. `flags` is expanded here, where a target's own variables aren't seen: a test may
# be the first to need it.
record = @mkdir -p $(@D) && echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@
flags := $(COMPILE) $(LDFLAGS)
$(BUILD)/gen/version.h: FORCE
	$(call record,#define DISPATCHD_VERSION "$(VERSION)")
$(BUILD)/flags: FORCE
	$(call record,$(flags))
$(BUILD)/sources: FORCE
	$(call record,$(LIB_SRC) $(ROOM_SRC) $(SHARED_SRC) $(CTL_SRC) $(CENTER_SRC) $(BOUNCE_SRC) $(UNIT_HELP))

-include $(OBJ:.o=.d)
