// SPDX-License-Identifier: Apache-2.0
#include "report/growth.h"

#include "report/json_parts.h"

#include <glib.h>

static void put_time(struct json_writer *json, const char *key, int64_t time_ns)
{
	g_autoptr(GDateTime) time = NULL;
	g_autofree char *seconds = NULL, *text = NULL;

	if (time_ns > 0)
		time = g_date_time_new_from_unix_utc(time_ns / 1000000000);
	if (!time) {
		json_put_null(json, key);
		return;
	}
	seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
	text = g_strdup_printf("%s.%09dZ", seconds, (int)(time_ns % 1000000000));
	json_put_string(json, key, text);
}

/* Whole bytes a second or a profile: JSON needs no more. */
static void put_rate(struct json_writer *json, const char *key, double rate)
{
	json_put_integer(json, key, (int64_t)CLAMP(rate, 0, 9e18));
}

static void put_thousandths(struct json_writer *json, const char *key, double value)
{
	json_put_integer(json, key,
			 (int64_t)CLAMP(value * 1000 + (value < 0 ? -0.5 : 0.5), -9e18, 9e18));
}

static void put_allocation(struct json_writer *json, const char *key,
			   const struct allocation *value)
{
	json_put_line(json, key);
	json_put_integer(json, "inuse_objects", value->inuse_objects);
	json_put_integer(json, "inuse_bytes", value->inuse_bytes);
	json_put_integer(json, "alloc_objects", value->alloc_objects);
	json_put_integer(json, "alloc_bytes", value->alloc_bytes);
	json_end_object(json);
}

static void put_point(struct json_writer *json, const struct series_point *point)
{
	json_put_object(json, NULL);
	json_put_string(json, "path", point->path);
	put_time(json, "time", point->time_ns);
	json_put_boolean(json, "time_in_profile", point->profile_time);
	json_put_integer(json, "period", point->period);
	put_allocation(json, "total", &point->total);
	json_end_object(json);
}

static void put_change(struct json_writer *json, const struct growth *growth,
		       const struct growth_change *change)
{
	struct growth_pressure pressure = growth_pressure_at(growth, change);

	json_put_object(json, NULL);
	json_put_unsigned(json, "profile", change->point);
	put_time(json, "time", growth->series->points[change->point].time_ns);
	put_rate(json, "bytes_before", change->before);
	put_rate(json, "bytes_after", change->after);
	if (pressure.known) {
		json_put_line(json, "collector");
		put_rate(json, "cycles_per_hour_before", 3600 * pressure.cycles_per_s_before);
		put_rate(json, "cycles_per_hour_after", 3600 * pressure.cycles_per_s_after);
		put_rate(json, "live_mb_before", pressure.live_mb_before);
		put_rate(json, "live_mb_after", pressure.live_mb_after);
		json_end_object(json);
	} else {
		json_put_null(json, "collector");
	}
	json_end_object(json);
}

static const char *const role_names[] = {
	[SITE_NO_MAP] = NULL,
	[SITE_MAP_UNKNOWN] = NULL,
	[SITE_MAP_MAKE] = "make",
	[SITE_MAP_GROW] = "grow",
};

static void put_values(struct json_writer *json, const struct growth *growth,
		       const struct growth_site *site)
{
	json_put_array(json, "values");
	for (size_t i = 0; i < growth->series->point_count; i++)
		put_allocation(json, NULL, &site->values[i]);
	json_end_array(json);
}

static void put_stack(struct json_writer *json, const struct allocation_site *site)
{
	json_put_array(json, "stack");
	for (size_t i = 0; i < site->stack_count; i++)
		json_put_site(json, NULL, &site->stack[i]);
	json_end_array(json);
}

static void put_site(struct json_writer *json, const struct growth *growth,
		     const struct growth_site *site)
{
	const struct allocation_site *where = site->site;

	json_put_object(json, NULL);
	json_put_string(json, "verdict", growth_verdict_name(site->verdict));
	json_put_string(json, "because", site->because);
	json_put_string(json, "operation", role_names[where->role]);
	json_put_known(json, "map_type", where->map_type);
	json_put_known(json, "map_function", where->map_function);
	json_put_site(json, "site", &where->site);
	json_put_site(json, "via", &where->via);
	json_put_integer(json, "allocated_bytes", site->allocated);
	put_thousandths(json, "inuse_permille", site->inuse_share);
	put_thousandths(json, "alloc_permille", site->alloc_share);
	json_put_array(json, "changes");
	for (size_t i = 0; i < site->change_count; i++)
		put_change(json, growth, &site->changes[i]);
	json_end_array(json);
	put_values(json, growth, site);
	put_stack(json, where);
	json_end_object(json);
}

static void put_collector(struct json_writer *json, const struct growth *growth)
{
	const struct gc_log *gc = growth->gc;

	if (!gc) {
		json_put_null(json, "collector");
		return;
	}
	json_put_object(json, "collector");
	json_put_string(json, "path", gc->path);
	json_put_known(json, "clock", gc->clock);
	put_thousandths(json, "live_kb_per_minute", growth->live_mb_per_min);
	json_put_array(json, "cycles");
	for (size_t i = 0; i < gc->cycle_count; i++) {
		json_put_line(json, NULL);
		json_put_unsigned(json, "number", gc->cycles[i].number);
		put_time(json, "time", gc->cycles[i].time_ns);
		put_thousandths(json, "at_ms", gc->cycles[i].at_s);
		put_rate(json, "before_mb", gc->cycles[i].before_mb);
		put_rate(json, "after_mb", gc->cycles[i].after_mb);
		put_rate(json, "live_mb", gc->cycles[i].live_mb);
		put_rate(json, "goal_mb", gc->cycles[i].goal_mb);
		json_put_boolean(json, "forced", gc->cycles[i].forced);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void put_gaps(struct json_writer *json, const struct growth *growth)
{
	const struct gap_list *lists[] = {&growth->series->gaps, &growth->gaps,
					  growth->gc ? &growth->gc->gaps : NULL};

	json_put_array(json, "gaps");
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		if (lists[i])
			json_put_gap_members(json, lists[i]->items, lists[i]->count);
	json_end_array(json);
}

void report_growth_json(const struct growth *growth, FILE *out)
{
	const struct profile_series *series = growth->series;
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", GROWTH_SCHEMA);
	json_put_string(&json, "rate_unit", series->timed ? "second" : "profile");
	json_put_known(&json, "checked", series->checked);
	put_allocation(&json, "maps", &growth->maps);
	json_put_array(&json, "profiles");
	for (size_t i = 0; i < series->point_count; i++)
		put_point(&json, &series->points[i]);
	json_end_array(&json);
	json_put_array(&json, "sites");
	for (size_t i = 0; i < growth->site_count; i++)
		put_site(&json, growth, &growth->sites[i]);
	json_end_array(&json);
	put_collector(&json, growth);
	put_gaps(&json, growth);
	json_end_object(&json);
	json_writer_done(&json);
}
