// SPDX-License-Identifier: Apache-2.0
#include "evidence/recorded/flight.h"

#include "evidence/recorded/flight_format.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIVE_UP       2 /* flight_site.moment */
#define FRAME_POINTER 5 /* RBP */

struct flight {
	char *path;
	uint8_t *bytes;
	size_t size;
	struct flight_header header;
	const struct flight_site *sites;
	struct flight_facts facts;
	GArray *failures, *writes, *reads;
};

bool flight_recognise(struct text head)
{
	uint64_t magic = FLIGHT_MAGIC;

	return head.n >= sizeof(magic) && memcmp(head.p, &magic, sizeof(magic)) == 0;
}

static struct error *malformed(const struct flight *f, uint64_t offset, const char *what)
{
	return error_new(ERROR_MALFORMED, (struct place){f->path, offset}, "%s", what);
}

static bool has(const struct flight *f, uint64_t offset, uint64_t size)
{
	return offset % sizeof(uint64_t) == 0 && offset <= f->size && size <= f->size - offset;
}

static bool ends(const char *string, size_t room) { return memchr(string, 0, room) != NULL; }

static struct error *check_tables(const struct flight *f)
{
	const struct flight_header *h = &f->header;

	if (!has(f, h->sites_offset, (uint64_t)h->site_count * sizeof(struct flight_site)) ||
	    h->site_count > UINT16_MAX)
		return malformed(f, h->sites_offset, "the table of hooked places is not all there");
	if (!has(f, h->names_offset, h->names_bytes) || h->names_bytes == 0 ||
	    f->bytes[h->names_offset + h->names_bytes - 1] != 0)
		return malformed(f, h->names_offset, "the names are not all there");
	if (!has(f, h->detections_offset, FLIGHT_DETECTIONS * sizeof(struct flight_detection)))
		return malformed(f, h->detections_offset, "the failed checks are not all there");
	if (h->eras_offset && !has(f, h->eras_offset, sizeof(uint64_t) << FLIGHT_ORDER_BITS))
		return malformed(f, h->eras_offset, "when maps were made is not all there");
	if (!has(f, h->slots_offset, (uint64_t)h->slot_count * sizeof(struct flight_slot)))
		return malformed(f, h->slots_offset, "the records are not all there");
	if (h->reads_offset &&
	    !has(f, h->reads_offset, (uint64_t)h->slot_count * sizeof(struct flight_slot)))
		return malformed(f, h->reads_offset, "the records of reads are not all there");
	if (h->birth_count &&
	    (h->birth_count != 1u << FLIGHT_BIRTH_BITS ||
	     !has(f, h->births_offset, 2 * (uint64_t)h->birth_count * sizeof(struct flight_birth))))
		return malformed(f, h->births_offset, "who made the maps is not all there");
	return NULL;
}

static struct error *read_header(struct flight *f)
{
	struct flight_header *h = &f->header;

	if (f->size < sizeof(*h) ||
	    !flight_recognise((struct text){(const char *)f->bytes, f->size}))
		return malformed(f, 0, "is no file of the flight recorder");
	memcpy(h, f->bytes, sizeof(*h));
	if (h->version != FLIGHT_VERSION || h->header_bytes != sizeof(*h))
		return error_with_hint(
			error_new(ERROR_UNSUPPORTED, (struct place){f->path, 8},
				  "was written by another version of the recorder (%u)",
				  h->version),
			"read it with the mapfault that recorded");
	if (h->total_bytes > f->size)
		return error_new(ERROR_TRUNCATED, (struct place){f->path, f->size},
				 "%llu bytes of it are missing",
				 (unsigned long long)(h->total_bytes - f->size));
	if (!ends(h->build_id, sizeof(h->build_id)) || !ends(h->program, sizeof(h->program)) ||
	    !ends(h->incomplete, sizeof(h->incomplete)))
		return malformed(f, 0, "a text of its header does not end");
	if (h->arch != GO_ARCH_AMD64)
		return malformed(f, 0, "names an architecture that cannot be recorded");
	f->facts = (struct flight_facts){
		.arch = (enum go_arch)h->arch,
		.version = {.minor = h->go_minor, .patch = h->go_patch, .exact = true},
		.pid = h->pid,
		.bias = h->bias,
		.text = h->text,
		.etext = h->etext,
		.started_s = h->started_s,
		.build_id = h->build_id,
		.program = h->program,
		.frozen = h->frozen != 0,
		.complete = h->complete != 0,
		.incomplete = h->incomplete,
		.attached = h->attached != 0,
		.begun_in_operation = h->begun_in_operation != 0,
		.lost = h->lost,
		.eras = h->eras_offset != 0,
	};
	return check_tables(f);
}

static const struct flight_site *site_at(const struct flight *f, uint64_t index)
{
	const struct flight_site *site;

	if (index >= f->header.site_count)
		return NULL;
	site = &f->sites[index];
	return site->name < f->header.names_bytes && site->operation <= MAP_GROW ? site : NULL;
}

static const char *name_of(const struct flight *f, const struct flight_site *site)
{
	return (const char *)f->bytes + f->header.names_offset + site->name;
}

/** The text is smaller than 4 GiB: the low half of an address in it says the rest. */
static uint64_t whole_pc(const struct flight *f, uint32_t low)
{
	uint64_t pc = f->header.text + (uint32_t)(low - (uint32_t)f->header.text);

	return low && pc <= f->header.etext ? pc : 0;
}

static void add_callers(const struct flight *f, const uint32_t callers[FLIGHT_CALLERS],
			struct flight_write *write)
{
	for (size_t i = 0; i < FLIGHT_CALLERS && callers[i]; i++)
		write->pcs[write->pc_count++] = whole_pc(f, callers[i]);
}

/** The words of a slot that was changing hands do not agree. */
static bool is_whole(const struct flight_slot *slot)
{
	uint32_t goroutine = (uint32_t)(slot->key >> 32), who = (uint32_t)slot->who;

	return slot->key != 0 && slot->key == slot->claimed && slot->who >> 32 != 0 &&
	       (uint32_t)slot->order == goroutine &&
	       who >> FLIGHT_TAG_SHIFT ==
		       (goroutine >> FLIGHT_TAG_FROM & UINT32_MAX >> FLIGHT_TAG_SHIFT);
}

/** Which of the maps that stood at its address in turn. */
static void read_era(const struct flight *f, struct flight_write *write)
{
	uint64_t index = write->map & ((1u << FLIGHT_ORDER_BITS) - 1), era;

	write->turn = write->place;
	if (!f->header.eras_offset)
		return;
	memcpy(&era, f->bytes + f->header.eras_offset + index * sizeof(era), sizeof(era));
	write->turn = write->place - (uint32_t)era;
	write->sure = era == 0 || (int32_t)write->turn >= 0;
	write->earlier = !write->sure && era >> 32 == write->map;
}

static void read_slot(const struct flight *f, const struct flight_slot *slot, GArray *ret)
{
	const struct flight_site *site = site_at(f, (uint32_t)slot->who >> FLIGHT_SITE_SHIFT &
							    ((1u << FLIGHT_SITE_BITS) - 1));
	struct flight_write write = {
		.goroutine = (uint32_t)(slot->key >> 32),
		.map = (uint32_t)slot->key,
		.place = (uint32_t)(slot->order >> 32),
		.left = slot->left,
		.inside = slot->who & FLIGHT_INSIDE,
		.on_stack = slot->who & FLIGHT_ON_STACK,
	};

	if (!is_whole(slot) || !site)
		return;
	write.operation = (enum map_operation)site->operation;
	write.function = name_of(f, site);
	write.pcs[write.pc_count++] = whole_pc(f, (uint32_t)(slot->who >> 32));
	if (slot->callers_of == write.goroutine && !(slot->who & FLIGHT_UNSETTLED))
		add_callers(f, slot->callers, &write);
	read_era(f, &write);
	g_array_append_val(ret, write);
}

static void read_slots(const struct flight *f, uint32_t offset, GArray *ret)
{
	const uint8_t *slots = f->bytes + offset;

	for (size_t i = 0; i < f->header.slot_count; i++) {
		struct flight_slot slot;

		memcpy(&slot, slots + i * sizeof(slot), sizeof(slot));
		read_slot(f, &slot, ret);
	}
}

static bool stack_word(const struct flight_detection *d, uint64_t address, uint64_t *ret)
{
	uint64_t offset = address - d->sp;
	uint64_t room = MIN(d->stack_bytes, sizeof(d->stack));

	if (room < sizeof(*ret) || offset > room - sizeof(*ret))
		return false;
	memcpy(ret, d->stack + offset, sizeof(*ret));
	return true;
}

/** Up the frame pointers that the kept part of the stack has. */
static void read_stack(const struct flight *f, const struct flight_detection *d,
		       const struct flight_site *site, struct flight_failure *failure)
{
	uint64_t frame = d->registers[FRAME_POINTER], word;

	if (!stack_word(d, d->sp + (uint64_t)site->return_offset, &word))
		return;
	failure->pcs[failure->pc_count++] = whole_pc(f, (uint32_t)word);
	while (failure->pc_count < FLIGHT_PCS_MAX && stack_word(d, frame, &word) && word > frame) {
		frame = word;
		if (!stack_word(d, frame + sizeof(word), &word))
			return;
		failure->pcs[failure->pc_count++] = whole_pc(f, (uint32_t)word);
	}
}

static void read_detection(struct flight *f, const struct flight_detection *d, bool first)
{
	const struct flight_site *site = site_at(f, d->site);
	struct flight_failure failure = {
		.goroutine = d->goroutine,
		.map = d->map,
		.place = (uint32_t)(d->order >> 32),
		.last = (uint32_t)d->order,
		.first = first,
	};

	if (!d->complete || !site || site->moment != GIVE_UP)
		return;
	failure.operation = (enum map_operation)site->operation;
	failure.function = name_of(f, site);
	failure.pc = site->address;
	read_stack(f, d, site, &failure);
	g_array_append_val(f->failures, failure);
}

static void read_detections(struct flight *f)
{
	const uint8_t *at = f->bytes + f->header.detections_offset;

	for (size_t i = 0; i < FLIGHT_DETECTIONS; i++) {
		struct flight_detection detection;

		memcpy(&detection, at + i * sizeof(detection), sizeof(detection));
		read_detection(f, &detection, i == 0);
	}
}

static struct error *read_all(struct flight *f)
{
	TRY(read_header(f));
	f->sites = (const struct flight_site *)(f->bytes + f->header.sites_offset);
	read_slots(f, f->header.slots_offset, f->writes);
	if (f->header.reads_offset)
		read_slots(f, f->header.reads_offset, f->reads);
	read_detections(f);
	return NULL;
}

/** Takes @a bytes, of g_malloc(). */
static struct error *take(uint8_t *bytes, size_t size, const char *path, struct flight **ret)
{
	struct flight *f = g_new0(struct flight, 1);
	struct error *error;

	f->path = g_strdup(path);
	f->bytes = bytes;
	f->size = size;
	f->failures = g_array_new(FALSE, FALSE, sizeof(struct flight_failure));
	f->writes = g_array_new(FALSE, FALSE, sizeof(struct flight_write));
	f->reads = g_array_new(FALSE, FALSE, sizeof(struct flight_write));
	error = read_all(f);
	if (error)
		flight_close(f);
	else
		*ret = f;
	return error;
}

struct error *flight_read(const void *bytes, size_t size, struct place origin, struct flight **ret)
{
	if (size > FLIGHT_BYTES_MAX)
		return error_new(ERROR_LIMIT, origin, "is larger than any flight recorder's file");
	return take(g_memdup2(bytes, size), size, origin.source, ret);
}

static struct error *read_file(int fd, const char *path, uint8_t **ret, size_t *ret_size)
{
	struct stat stat;
	size_t done = 0;

	if (fstat(fd, &stat) != 0)
		return error_system(errno, place_whole(path), "cannot be examined");
	if (!S_ISREG(stat.st_mode) || stat.st_size > FLIGHT_BYTES_MAX)
		return error_new(ERROR_UNRECOGNISED, place_whole(path),
				 "is no file of the flight recorder");
	*ret = g_malloc((size_t)stat.st_size + 1);
	while (done < (size_t)stat.st_size) {
		ssize_t n = pread(fd, *ret + done, (size_t)stat.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_system(errno, place_whole(path), "cannot be read");
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*ret_size = done;
	return NULL;
}

struct error *flight_open(const char *path, struct flight **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autofree uint8_t *bytes = NULL;
	struct error *error;
	size_t size = 0;

	if (fd < 0)
		return error_system(errno, place_whole(path), "cannot be opened");
	error = read_file(fd, path, &bytes, &size);
	close(fd);
	return error ? error : take(g_steal_pointer(&bytes), size, path, ret);
}

/** The copy is a mapping of its own: only where a range begins need anything be looked at. */
struct error *flight_find(const struct memory *memory, struct flight **ret)
{
	size_t count;
	const struct memory_range *ranges = memory_ranges(memory, &count);

	*ret = NULL;
	for (size_t i = 0; i < count; i++) {
		struct text head = {(const char *)ranges[i].bytes, ranges[i].size};
		struct flight_header header;
		scoped(error) struct error *error = NULL;

		if (head.n < sizeof(header) || !flight_recognise(head))
			continue;
		memcpy(&header, head.p, sizeof(header));
		if (header.total_bytes > ranges[i].size || header.total_bytes > FLIGHT_BYTES_MAX)
			continue;
		error = flight_read(head.p, header.total_bytes, ranges[i].origin, ret);
		if (!error)
			return NULL;
	}
	return NULL;
}

void flight_close(struct flight *flight)
{
	if (!flight)
		return;
	g_array_free(flight->failures, TRUE);
	g_array_free(flight->writes, TRUE);
	g_array_free(flight->reads, TRUE);
	g_free(flight->bytes);
	g_free(flight->path);
	g_free(flight);
}

const char *flight_path(const struct flight *flight) { return flight->path; }

const struct flight_facts *flight_facts(const struct flight *flight) { return &flight->facts; }

const struct flight_failure *flight_failures(const struct flight *flight, size_t *ret_count)
{
	*ret_count = flight->failures->len;
	return (const struct flight_failure *)flight->failures->data;
}

const struct flight_write *flight_writes(const struct flight *flight, size_t *ret_count)
{
	*ret_count = flight->writes->len;
	return (const struct flight_write *)flight->writes->data;
}

const struct flight_write *flight_reads(const struct flight *flight, size_t *ret_count)
{
	*ret_count = flight->reads->len;
	return (const struct flight_write *)flight->reads->data;
}

static bool find_birth(const struct flight *f, size_t table, uint64_t map, struct flight_write *ret)
{
	uint64_t count = f->header.birth_count;
	uint64_t index = map >> FLIGHT_BIRTH_SHIFT & (count - 1);
	const struct flight_site *site;
	struct flight_birth birth;

	if (count == 0 || map == 0)
		return false;
	memcpy(&birth, f->bytes + f->header.births_offset + (table * count + index) * sizeof(birth),
	       sizeof(birth));
	site = site_at(f, birth.site);
	if (birth.map != (uint32_t)(map >> FLIGHT_MAP_SHIFT) || !site)
		return false;
	*ret = (struct flight_write){
		.goroutine = birth.goroutine,
		.map = birth.map,
		.operation = (enum map_operation)site->operation,
		.function = name_of(f, site),
	};
	ret->pcs[ret->pc_count++] = whole_pc(f, birth.caller);
	add_callers(f, birth.callers, ret);
	return true;
}

bool flight_made(const struct flight *flight, uint64_t map, struct flight_write *ret)
{
	return find_birth(flight, 0, map, ret);
}

bool flight_grown(const struct flight *flight, uint64_t map, struct flight_write *ret)
{
	return find_birth(flight, 1, map, ret);
}

bool flight_write_is_of(const struct flight_write *write, uint64_t map)
{
	return write->map == (uint32_t)(map >> FLIGHT_MAP_SHIFT);
}
