# A first Makefile: enough to build the library and the unit tests while the rooms are being built.
CC ?= gcc
BUILD ?= build
PKGS := sqlite3 jansson glib-2.0 icu-i18n icu-uc libsodium
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Ilib -Idaemon -I$(BUILD)/gen $(shell pkg-config --cflags $(PKGS))
WARN := -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
LDLIBS += $(shell pkg-config --libs $(PKGS)) -lm -lpthread
LIB_SRC := $(wildcard lib/*/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

all: $(BUILD)/libdispatch.a
unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; ./$$t || exit 1; done
$(BUILD)/libdispatch.a: $(LIB_OBJ)
	@rm -f $@; ar rcs $@ $^
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libdispatch.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -o $@ $< $(BUILD)/libdispatch.a $(LDLIBS) -lcmocka
clean:
	rm -rf $(BUILD)
.PHONY: all unit clean
-include $(LIB_OBJ:.o=.d)
