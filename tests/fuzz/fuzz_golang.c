// SPDX-License-Identifier: Apache-2.0
// What evidence gives to room golang: a Go version, a crash text, a function's name, the words of a lock.
#include "golang/layout.h"
#include "golang/lock.h"
#include "golang/map_function.h"
#include "golang/runtime.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_lock(const uint8_t *data, size_t size)
{
	for (enum go_lock_kind kind = GO_LOCK_MUTEX; kind <= GO_LOCK_RWMUTEX; kind++) {
		struct go_lock_state state;

		if (size >= go_lock_bytes(kind) && go_lock_read(kind, data, &state))
			g_assert_nonnull(go_lock_hold_name(state.hold));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {(const char *)data, size};
	struct go_version version = {0};
	g_autofree char *name = g_strndup((const char *)data, size);
	bool exact;

	go_version_parse(text, &version);
	g_assert_nonnull(go_map_fatal_kind(go_map_fatal_find(text)));
	g_assert_nonnull(go_layout_find(version, GO_ARCH_AMD64, &exact));
	go_wait_reason(version, size ? data[0] : 0);
	go_map_check_at(version, name, 102);
	go_map_function_find(name);
	go_role_of(name);
	go_is_runtime_function(name);
	go_is_system_goroutine(name);
	read_lock(data, size);
	return 0;
}
