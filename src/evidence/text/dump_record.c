// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/dump_record.h"

#include "base/scan.h"
#include "evidence/text/dump_line.h"

static void blanks_skip(struct text *text)
{
	while (text->n && (text->p[0] == ' ' || text->p[0] == '\t'))
		scan_skip(text, 1);
}

bool record_total_parse(struct text line, uint64_t *ret)
{
	return (scan_prefix(&line, "goroutine profile: total ") ||
		scan_prefix(&line, "goroutineleak profile: total ")) &&
	       scan_decimal(&line, ret) && line.n == 0;
}

bool record_parse(struct text line, uint64_t *ret_count, struct text *ret_pcs)
{
	uint64_t pc;

	if (!scan_decimal(&line, ret_count) || !scan_prefix(&line, " @"))
		return false;
	scan_prefix(&line, " ");
	*ret_pcs = line;
	while (line.n) {
		if (!scan_address(&line, &pc))
			return false;
		scan_prefix(&line, " ");
	}
	return *ret_count > 0;
}

bool record_labels_parse(struct text line, struct text *ret)
{
	if (!scan_prefix(&line, "# labels: {") || !scan_suffix(&line, "}"))
		return false;
	*ret = line;
	return true;
}

/* Names hold "+0x" nowhere else than before their offset. */
static bool name_parse(struct text *line, struct dump_frame *ret)
{
	uint64_t offset;

	if (!scan_until(line, "+0x", &ret->function) || ret->function.n == 0 ||
	    !scan_hex(line, &offset) || offset > UINT32_MAX)
		return false;
	ret->pc_offset = (uint32_t)offset;
	return true;
}

bool record_frame_parse(struct text line, struct dump_frame *ret, struct text *ret_place)
{
	struct dump_frame frame = {.flags = DUMP_FRAME_OFFSET};
	struct line_place place;

	if (!scan_prefix(&line, "#"))
		return false;
	blanks_skip(&line);
	*ret_place = line;
	if (!scan_address(&line, &frame.pc) || line.n == 0)
		return false;
	blanks_skip(&line);
	if (!name_parse(&line, &frame))
		return false;
	blanks_skip(&line);
	if (!line_place_parse(line, &place) || place.foreign || place.has_offset)
		return false;
	frame.file = place.file;
	frame.line = place.line;
	*ret = frame;
	return true;
}
