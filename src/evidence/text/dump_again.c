// SPDX-License-Identifier: Apache-2.0
// Goroutines that were printed twice. Where several threads die at once, the first prints the others'
// goroutines as running, without a stack, and each of those prints its own later (runtime/panic.go,
// dopanic_m).
#include "evidence/text/dump_store.h"

#include <glib.h>

static bool has_frames(const struct dump *dump, const struct dump_goroutine *goroutine)
{
	return dump_group(dump, goroutine->group)->frame_count > 0;
}

static guint id_hash(gconstpointer key)
{
	const struct dump_goroutine *one = key;

	return (guint)(one->id ^ one->id >> 32) ^ (guint)one->section << 20;
}

static gboolean id_equal(gconstpointer a, gconstpointer b)
{
	const struct dump_goroutine *x = a, *y = b;

	return x->id == y->id && x->section == y->section;
}

void dump_mark_again(struct dump *dump)
{
	g_autoptr(GHashTable) bare = g_hash_table_new(id_hash, id_equal); // without frames: few

	if (dump->gaps[DUMP_GAP_UNAVAILABLE].count == 0)
		return;
	for (size_t i = 0; i < dump->goroutines.count; i++) {
		struct dump_goroutine *one = blocks_at(&dump->goroutines, i);

		if (one->id && !has_frames(dump, one) && !g_hash_table_add(bare, one))
			one->flags |= DUMP_GOROUTINE_AGAIN;
	}
	for (size_t i = 0; i < dump->goroutines.count; i++) {
		const struct dump_goroutine *one = blocks_at(&dump->goroutines, i);
		struct dump_goroutine *other = NULL;

		if (one->id && has_frames(dump, one))
			other = g_hash_table_lookup(bare, one);
		if (other)
			other->flags |= DUMP_GOROUTINE_AGAIN;
	}
}
