// SPDX-License-Identifier: Apache-2.0
// Order matters, as this process may be killed at any moment: the memory is mapped and filled before the
// first jump to it is written, each jump is one write to a stopped process and right by itself, and the
// file says that it is complete only when the last jump is there.
#include "record/recorder.h"

#include "evidence/recorded/flight_format.h"
#include "evidence/process/proc_maps.h"
#include "record/trampoline.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE             4096
#define DEFAULT_FOLDER   "/dev/shm"
#define FILE_SUFFIX      ".flight"
#define FILE_NAME        "mapfault-%d" FILE_SUFFIX
#define JUMP             0xe9
#define JUMP_BYTES       5
#define STACK_LOOK_BYTES (32u << 10) /* of a thread's stack: a signal's frame is within */
#define STACK_NEAR_BYTES (8u << 10)  /* what it is doing now */
#define SETTLE_TRIES     200
#define SETTLE_MS        1  /* for the first tries, */
#define SETTLE_LATE_MS   10 /* and for those after them: the machine may be busy with other work */
#define SETTLE_EARLY     50
#define BEFORE_FLIGHT    (TRAMPOLINE_CODE_BYTES + TRAMPOLINE_OWN_BYTES)

struct recorder {
	char *path, *incomplete;
};

/** An installation under way. */
struct installing {
	struct tracee *tracee;
	struct plan *plan;
	struct decoder *decoder;
	struct flight_header header;
	GByteArray *head; /**< header, sites and names */
	struct trampoline_room room;
	struct trampolines pieces;
	const char *inside_path;        /**< the file's, as the process sees it */
	bool inside_hook, in_operation; /**< some thread is */
};

static uint64_t pages(uint64_t size) { return (size + PAGE - 1) & ~(uint64_t)(PAGE - 1); }

static struct error *refuse(const struct installing *in, const char *why)
{
	return error_with_hint(
		error_new(ERROR_UNSUPPORTED, place_whole(tracee_name(in->tracee)),
			  "cannot be recorded: %s", why),
		"nothing of it was changed; without --record it can still be watched");
}

/* The file */

static uint32_t add_name(GByteArray *names, const char *name)
{
	uint32_t offset = names->len;

	g_byte_array_append(names, (const guint8 *)name, (guint)strlen(name) + 1);
	return offset;
}

static void add_sites(struct installing *in, GByteArray *names)
{
	const struct plan *plan = in->plan;

	for (size_t i = 0; i < plan->hook_count; i++) {
		const struct plan_hook *hook = &plan->hooks[i];
		const struct go_map_function *function = plan->functions[hook->function].function;
		struct flight_site site = {
			.address = hook->at.address,
			.name = add_name(names, function->name),
			.moment = hook->at.moment,
			.operation = (uint8_t)function->operation,
			.map_register = hook->at.map_register,
			.size = hook->at.size,
			.return_offset = hook->return_offset,
		};

		memcpy(site.original, hook->bytes, hook->at.size);
		g_byte_array_append(in->head, (const guint8 *)&site, sizeof(site));
	}
}

/** Lays the file out; what follows the names is zero. */
static void lay_out(struct installing *in, const struct image *image,
		    const struct recorder_options *options)
{
	struct flight_header *h = &in->header;
	struct text id = image_go_build_id(image);
	GByteArray *names = g_byte_array_new();
	char *absolute;

	*h = (struct flight_header){
		.magic = FLIGHT_MAGIC,
		.version = FLIGHT_VERSION,
		.header_bytes = sizeof(*h),
		.arch = GO_ARCH_AMD64,
		.go_minor = in->plan->version.minor,
		.go_patch = in->plan->version.patch,
		.pid = tracee_pid(in->tracee),
		.bias = in->plan->bias,
		.text = in->plan->text,
		.etext = in->plan->etext,
		.started_s = time(NULL),
		.site_count = (uint32_t)in->plan->hook_count,
		.sites_offset = sizeof(*h),
		.attached = options->attached,
	};
	snprintf(h->build_id, sizeof(h->build_id), "%.*s", (int)MIN(id.n, sizeof(h->build_id) - 1),
		 id.p ? id.p : "");
	absolute = realpath(image_path(image), NULL);
	snprintf(h->program, sizeof(h->program), "%s", absolute ? absolute : image_path(image));
	free(absolute);
	g_byte_array_append(in->head, (const guint8 *)h, sizeof(*h));
	add_sites(in, names);
	h->names_offset = in->head->len;
	g_byte_array_append(in->head, names->data, names->len);
	h->names_bytes = names->len;
	g_byte_array_unref(names);
	h->detections_offset = (uint32_t)pages(in->head->len);
	h->order_offset =
		h->detections_offset + FLIGHT_DETECTIONS * sizeof(struct flight_detection);
	h->slots_offset = h->order_offset + (sizeof(uint64_t) << FLIGHT_ORDER_BITS);
	if (in->plan->eras) {
		h->eras_offset = h->slots_offset;
		h->slots_offset += sizeof(uint64_t) << FLIGHT_ORDER_BITS;
	}
	h->slot_count = 1u << FLIGHT_SLOT_BITS;
	h->births_offset = h->slots_offset + h->slot_count * (uint32_t)sizeof(struct flight_slot);
	h->birth_count = options->births ? 1u << FLIGHT_BIRTH_BITS : 0;
	h->total_bytes = h->births_offset + 2 * h->birth_count * sizeof(struct flight_birth);
	if (options->reads) {
		h->reads_offset = (uint32_t)h->total_bytes;
		h->total_bytes += h->slot_count * sizeof(struct flight_slot);
	}
	memcpy(in->head->data, h, sizeof(*h));
}

static struct error *write_file(const struct installing *in, int fd, const char *path)
{
	if (ftruncate(fd, (off_t)in->header.total_bytes) != 0)
		return error_system(errno, place_whole(path), "cannot be made as large as it must");
	if (pwrite(fd, in->head->data, in->head->len, 0) != (ssize_t)in->head->len)
		return error_system(errno, place_whole(path), "cannot be written");
	return NULL;
}

/** The process opens it by itself, with its own rights. */
static void give_to_process(int fd, pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d", (int)pid);
	struct stat owner;

	if (stat(path, &owner) == 0 && owner.st_uid != geteuid() &&
	    fchown(fd, owner.st_uid, owner.st_gid) != 0)
		return; // then the process cannot open it, and that is told
}

static struct error *create_file(const struct installing *in, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct error *error;

	if (fd < 0)
		return error_with_hint(error_system(errno, place_whole(path),
						    "the recorder's file cannot be made"),
				       "if it is there already, that process was recorded before: "
				       "read it or delete it");
	give_to_process(fd, tracee_pid(in->tracee));
	error = write_file(in, fd, path);
	close(fd);
	if (error)
		unlink(path);
	return error;
}

/* In the process */

/** Maps the file there; the process opens it by the path that was put into the code's memory. */
static struct error *map_file(const struct installing *in)
{
	uint64_t fd, ignored, magic;
	struct error *error;

	TRY(tracee_write(in->tracee, in->room.code, in->inside_path, strlen(in->inside_path) + 1));
	TRY(tracee_call(in->tracee, "open the recorder's file", SYS_openat,
			(uint64_t[6]){(uint64_t)AT_FDCWD, in->room.code, O_RDWR | O_CLOEXEC}, &fd));
	error = tracee_map(in->tracee, in->room.flight, pages(in->header.total_bytes),
			   PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	error_free(tracee_call(in->tracee, "close a file", SYS_close, (uint64_t[6]){fd}, &ignored));
	if (error)
		return error;
	return tracee_read(in->tracee, in->room.flight, &magic, sizeof(magic)) &&
			       magic == FLIGHT_MAGIC
		       ? NULL
		       : refuse(in, "it sees another file at the recorder's path");
}

/** Kernels before 4.14 do not know how to wipe it: there, a child that forks without exec goes on recording. */
static struct error *map_own(struct installing *in)
{
	struct trampoline_own own = {.recording = 1, .is_owner = 1};
	uint64_t ignored;

	TRY(tracee_map(in->tracee, in->room.own, TRAMPOLINE_OWN_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX));
	error_free(tracee_call(in->tracee, "keep memory from its children", SYS_madvise,
			       (uint64_t[6]){in->room.own, TRAMPOLINE_OWN_BYTES, MADV_WIPEONFORK},
			       &ignored));
	return tracee_write(in->tracee, in->room.own, &own, sizeof(own));
}

static struct error *map_all(struct installing *in)
{
	uint64_t size = pages(in->header.total_bytes);

	TRY(tracee_map(in->tracee, in->room.code, TRAMPOLINE_CODE_BYTES, PROT_READ | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX));
	TRY(map_own(in));
	TRY(map_file(in));
	return tracee_map(in->tracee, in->room.copy, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX);
}

static void unmap_all(struct installing *in)
{
	uint64_t size = pages(in->header.total_bytes);

	error_free(tracee_unmap(in->tracee, in->room.code, BEFORE_FLIGHT + 2 * size));
}

static struct error *find_room(struct installing *in)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	uint64_t size = pages(in->header.total_bytes);

	TRY(proc_maps_read(tracee_pid(in->tracee), &maps));
	in->room.code = proc_maps_room_near(maps.list, in->plan->text, in->plan->etext,
					    BEFORE_FLIGHT + 2 * size);
	if (!in->room.code)
		return refuse(in, "there is no free memory within reach of its code");
	in->room.own = in->room.code + TRAMPOLINE_CODE_BYTES;
	in->room.flight = in->room.code + BEFORE_FLIGHT;
	in->room.copy =
		in->room.flight + size; // after a file's, so that it stays a mapping of its own
	return NULL;
}

/* Threads */

static bool is_inside(const struct plan *plan, uint64_t address)
{
	for (size_t i = 0; i < plan->hook_count; i++) {
		const struct map_hook *at = &plan->hooks[i].at;

		if (address > at->address && address < at->address + at->size)
			return true;
	}
	return false;
}

/** Is @a address in a function that sets a map's writing flag? */
static bool is_in_write(const struct plan *plan, uint64_t address)
{
	for (size_t i = 0; i < plan->hook_count; i++) {
		const struct plan_hook *hook = &plan->hooks[i];
		const struct plan_function *f = &plan->functions[hook->function];

		if (hook->at.moment == MOMENT_SET && address > f->entry && address < f->end)
			return true;
	}
	return false;
}

/** @param near  it is the thread's own, or among the newest words of its stack */
typedef void code_looker(void *context, uint64_t address, bool near);

/**
 * Where a thread is, and where it may come back to: a signal's frame is on its stack, and any word of that which could
 * be an address is looked at.
 */
static struct error *look_at_thread(struct tracee *tracee, pid_t tid, code_looker *look,
				    void *context)
{
	uint64_t words[STACK_LOOK_BYTES / sizeof(uint64_t)];
	struct user_regs_struct registers;
	size_t size = sizeof(words);

	TRY(tracee_registers(tracee, tid, &registers));
	look(context, registers.rip, true);
	while (size && !tracee_read(tracee, registers.rsp, words, size))
		size /= 2;
	for (size_t i = 0; i < size / sizeof(*words); i++)
		look(context, words[i], i * sizeof(*words) < STACK_NEAR_BYTES);
	return NULL;
}

static struct error *look_at_threads(struct tracee *tracee, code_looker *look, void *context)
{
	size_t count;
	const pid_t *threads = tracee_threads(tracee, &count);

	for (size_t i = 0; i < count; i++)
		TRY(look_at_thread(tracee, threads[i], look, context));
	return NULL;
}

/** A thread must not stand in the middle of what will be replaced, nor come back there. */
static void look_for_hooks(void *context, uint64_t address, bool near)
{
	struct installing *in = context;

	if (address < in->plan->text || address > in->plan->etext)
		return;
	in->inside_hook |= is_inside(in->plan, address);
	in->in_operation |= near && is_in_write(in->plan, address);
}

static struct error *let_run(struct tracee *tracee, int tries)
{
	return tracee_run_for(tracee, tries < SETTLE_EARLY ? SETTLE_MS : SETTLE_LATE_MS);
}

/** Lets the process run for moments until no thread is where a jump will be, and best inside no write at all. */
static struct error *settle(struct installing *in)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		in->inside_hook = in->in_operation = false;
		TRY(look_at_threads(in->tracee, look_for_hooks, in));
		if (!in->inside_hook && (!in->in_operation || i > SETTLE_TRIES / 4))
			return NULL;
		TRY(let_run(in->tracee, i));
	}
	return refuse(in, "some thread was always inside the code to be hooked");
}

static struct error *check_code(const struct installing *in)
{
	for (size_t i = 0; i < in->plan->hook_count; i++) {
		const struct plan_hook *hook = &in->plan->hooks[i];
		uint8_t bytes[MAP_HOOK_ROOM];

		if (!tracee_read(in->tracee, hook->at.address, bytes, hook->at.size))
			return refuse(in, "its code cannot be read");
		if (memcmp(bytes, hook->bytes, hook->at.size) != 0)
			return refuse(in, "its code is not that of the binary: another tool has "
					  "changed it");
	}
	return NULL;
}

static struct error *write_jumps(struct installing *in, enum map_moment moment)
{
	for (size_t i = 0; i < in->plan->hook_count; i++) {
		const struct map_hook *at = &in->plan->hooks[i].at;
		int32_t distance = (int32_t)(in->pieces.targets[i] - (at->address + JUMP_BYTES));
		uint8_t jump[JUMP_BYTES] = {JUMP};

		if (at->moment != moment)
			continue;
		memcpy(jump + 1, &distance, sizeof(distance));
		TRY(tracee_write(in->tracee, at->address, jump, sizeof(jump)));
	}
	return NULL;
}

static struct error *write_originals(struct tracee *tracee, const struct flight_site *sites,
				     size_t count)
{
	for (size_t i = 0; i < count; i++)
		TRY(tracee_write(tracee, sites[i].address, sites[i].original,
				 MIN(sites[i].size, sizeof(sites[i].original))));
	return NULL;
}

static const struct flight_site *sites_of(const struct installing *in)
{
	return (const struct flight_site *)(in->head->data + in->header.sites_offset);
}

static struct error *set_header(const struct installing *in, size_t offset, uint32_t value)
{
	return tracee_write(in->tracee, in->room.flight + offset, &value, sizeof(value));
}

static struct error *write_all_jumps(struct installing *in)
{
	TRY(write_jumps(in, MOMENT_CLEAR));
	TRY(write_jumps(in, MOMENT_SET));
	TRY(write_jumps(in, MOMENT_GIVE_UP));
	TRY(write_jumps(in, MOMENT_MADE));
	TRY(write_jumps(in, MOMENT_GROWN));
	TRY(write_jumps(in, MOMENT_READ));
	TRY(set_header(in, offsetof(struct flight_header, begun_in_operation), in->in_operation));
	if (!in->plan->complete)
		return tracee_write(
			in->tracee, in->room.flight + offsetof(struct flight_header, incomplete),
			in->plan->incomplete_because, strlen(in->plan->incomplete_because) + 1);
	return set_header(in, offsetof(struct flight_header, complete), 1);
}

static struct error *hook(struct installing *in)
{
	struct error *error;

	if (!trampolines_make(in->plan, &in->header, in->decoder, &in->room, &in->pieces))
		return refuse(in, "its code is out of reach from the free memory");
	TRY(tracee_write(in->tracee, in->room.code, in->pieces.code, in->pieces.code_size));
	TRY(settle(in));
	error = write_all_jumps(in);
	if (error && tracee_is_held(in->tracee))
		error_free(write_originals(in->tracee, sites_of(in), in->header.site_count));
	return error;
}

static struct error *install(struct installing *in, const char *path)
{
	struct error *error;

	TRY(check_code(in));
	TRY(find_room(in));
	TRY(create_file(in, path));
	error = map_all(in);
	if (!error)
		error = hook(in);
	if (!error)
		return NULL;
	if (tracee_is_held(in->tracee))
		unmap_all(in);
	unlink(path);
	return error;
}

/** From where the kernel entered the program. */
static struct error *find_bias(const struct tracee *tracee, const struct image *image,
			       uint64_t *ret)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/auxv", (int)tracee_pid(tracee));
	g_autofree char *bytes = NULL;
	gsize size;

	if (!g_file_get_contents(path, &bytes, &size, NULL))
		return error_system(errno, place_whole(tracee_name(tracee)),
				    "its auxiliary vector cannot be read");
	for (gsize at = 0; at + sizeof(Elf64_auxv_t) <= size; at += sizeof(Elf64_auxv_t)) {
		Elf64_auxv_t entry;

		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.a_type != AT_ENTRY)
			continue;
		*ret = entry.a_un.a_val - image_entry(image);
		return NULL;
	}
	return error_new(ERROR_UNSUPPORTED, place_whole(tracee_name(tracee)),
			 "does not say where it was loaded");
}

static bool is_flight_file(const struct proc_mapping *mapping)
{
	return mapping->shared && strstr(mapping->path, "/mapfault-") &&
	       strstr(mapping->path, FILE_SUFFIX);
}

bool recorder_is_in(pid_t pid)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	scoped(error) struct error *error = proc_maps_read(pid, &maps);
	bool found = false;

	for (guint i = 0; !error && i < maps.list->len; i++)
		found |= is_flight_file(proc_maps_at(maps.list, i));
	return found;
}

struct error *recorder_install(struct tracee *tracee, struct image *image,
			       const struct recorder_options *options, struct recorder **ret)
{
	const char *folder = options->folder ? options->folder : DEFAULT_FOLDER;
	int pid = (int)tracee_pid(tracee);
	g_autofree char *inside = g_strdup_printf("%s/" FILE_NAME, folder, pid);
	g_autofree char *path = g_strdup_printf("/proc/%d/root%s", pid, inside);
	struct installing in = {.tracee = tracee, .inside_path = inside};
	struct error *error;
	struct plan_options planned = {
		.births = options->births, .reads = options->reads, .eras = options->eras};

	if (recorder_is_in(tracee_pid(tracee)))
		return error_with_hint(error_new(ERROR_REFUSED, place_whole(tracee_name(tracee)),
						 "is being recorded already"),
				       "`mapfault detach -p %d` takes that recorder out", pid);
	TRY(find_bias(tracee, image, &planned.bias));
	TRY(plan_make(image, &planned, &in.plan));
	in.decoder = decoder_new();
	in.head = g_byte_array_new();
	lay_out(&in, image, options);
	error = in.decoder ? install(&in, path) : refuse(&in, "the disassembler cannot be had");
	if (!error) {
		*ret = g_new0(struct recorder, 1);
		(*ret)->path = g_strdup(access(inside, F_OK) == 0 ? inside : path);
		(*ret)->incomplete = g_strdup(in.plan->complete ? "" : in.plan->incomplete_because);
	}
	trampolines_done(&in.pieces);
	decoder_free(in.decoder);
	g_byte_array_unref(in.head);
	plan_free(in.plan);
	return error;
}

/* Taking it out */

/** The recorder's own memory in the process. */
struct pieces {
	uint64_t start, end, code_end;
	bool in_use;
};

static void look_for_pieces(void *context, uint64_t address, bool near)
{
	struct pieces *pieces = context;

	(void)near;
	pieces->in_use |= address >= pieces->start && address < pieces->code_end;
}

/** Unmaps it once no thread is in one of the pieces, nor comes back to one. */
static struct error *take_down(struct tracee *tracee, struct pieces *pieces)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		pieces->in_use = false;
		TRY(look_at_threads(tracee, look_for_pieces, pieces));
		if (!pieces->in_use)
			return tracee_unmap(tracee, pieces->start, pieces->end - pieces->start);
		TRY(let_run(tracee, i));
	}
	return NULL; // it stays, and is of no harm
}

static struct error *remove_at(struct tracee *tracee, uint64_t flight)
{
	struct flight_header header;
	g_autofree struct flight_site *sites = NULL;
	struct pieces pieces = {.start = flight - BEFORE_FLIGHT};
	uint32_t zero = 0;

	if (!tracee_read(tracee, flight, &header, sizeof(header)) || header.magic != FLIGHT_MAGIC ||
	    header.version != FLIGHT_VERSION || header.site_count > PLAN_HOOKS_MAX ||
	    header.total_bytes > FLIGHT_BYTES_MAX)
		return error_new(ERROR_MALFORMED, place_whole(tracee_name(tracee)),
				 "the recorder's memory is not as it was left");
	sites = g_new0(struct flight_site, header.site_count + 1);
	if (!tracee_read(tracee, flight + header.sites_offset, sites,
			 header.site_count * sizeof(*sites)))
		return error_new(ERROR_MALFORMED, place_whole(tracee_name(tracee)),
				 "the recorder's memory is not all there");
	TRY(write_originals(tracee, sites, header.site_count));
	TRY(tracee_write(tracee, flight + offsetof(struct flight_header, complete), &zero,
			 sizeof(zero)));
	pieces.code_end = pieces.start + TRAMPOLINE_CODE_BYTES;
	pieces.end = flight + 2 * pages(header.total_bytes);
	return take_down(tracee, &pieces);
}

struct error *recorder_remove(struct tracee *tracee)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	bool found = false;

	TRY(proc_maps_read(tracee_pid(tracee), &maps));
	for (guint i = 0; i < maps.list->len; i++) {
		if (!is_flight_file(proc_maps_at(maps.list, i)))
			continue;
		TRY(remove_at(tracee, proc_maps_at(maps.list, i)->start));
		found = true;
	}
	return found ? NULL
		     : error_new(ERROR_NOT_FOUND, place_whole(tracee_name(tracee)),
				 "is not being recorded");
}

const char *recorder_path(const struct recorder *recorder) { return recorder->path; }

const char *recorder_incomplete(const struct recorder *recorder) { return recorder->incomplete; }

void recorder_discard(struct recorder *recorder) { unlink(recorder->path); }

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	g_free(recorder->path);
	g_free(recorder->incomplete);
	g_free(recorder);
}
