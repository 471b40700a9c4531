// SPDX-License-Identifier: Apache-2.0
#include "model/process/write_interval.h"

#include <glib.h>

static void end_last(struct write_interval *all, size_t count, const struct watch_event *end)
{
	while (count-- > 0) {
		struct write_interval *interval = &all[count];

		if (interval->goroutine != end->goroutine)
			continue;
		if (!interval->ended) {
			interval->ended = true;
			interval->to_ns = end->at_ns;
		}
		return;
	}
}

static bool in_overlap(const struct watch_log *log, size_t event)
{
	for (size_t i = 0; i < log->overlap_count; i++)
		if (log->overlaps[i].first == event || log->overlaps[i].second == event)
			return true;
	return false;
}

struct write_interval *write_intervals(const struct watch_log *log, size_t *ret_count)
{
	struct write_interval *all = g_new0(struct write_interval, log->event_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < log->event_count; i++) {
		const struct watch_event *event = &log->events[i];

		if (event->kind == WATCH_SET)
			all[count++] = (struct write_interval){.goroutine = event->goroutine,
							       .begin = event,
							       .from_ns = event->at_ns,
							       .to_ns = log->ns,
							       .overlaps = in_overlap(log, i)};
		else if (event->kind == WATCH_CLEAR)
			end_last(all, count, event);
	}
	*ret_count = count;
	return all;
}
