// SPDX-License-Identifier: Apache-2.0
#include "../evidence/elf_build.h"

#include "build_program.h"

#include "model/process/backlog.h"
#include "model/process/goroutine.h"

#define TEXT_BYTES    (MADE_FUNCTIONS * MADE_FUNCTION_BYTES)
#define DATA_BYTES    4096u
#define BACKLOG_BYTES 512u
#define TREE          7168u /* in the table's bytes */
#define FLAG_AT       41    /* of a _func, 1.20+ */

void made_init(struct made *made, int minor, enum go_arch arch)
{
	static const uint8_t nop_arm64[4] = {0x1f, 0x20, 0x03, 0xd5};
	struct space *s = &made->space;

	memset(made, 0, sizeof(*made));
	space_init(s, minor, arch);
	s->next = (s->next + 0xfff) & ~0xfffull;
	made->text = space_take(s, TEXT_BYTES);
	for (uint64_t i = 0; i < TEXT_BYTES; i += 4)
		space_write(s, made->text + i,
			    arch == GO_ARCH_ARM64 ? nop_arm64
						  : (uint8_t[4]){0x90, 0x90, 0x90, 0x90},
			    4);
	made->data = made->data_next = space_take(s, DATA_BYTES);
	made->allgs = made_variable(made, 0);
	made_variable(made, 0);
	made->allm = made_variable(made, 0);
	made->backlog_index = made_variable(made, 0);
	made->backlog = space_take(s, BACKLOG_BYTES);
	s->program.backlog = "";
	made->module = (struct moduledata){.types = SPACE_START,
					   .etypes = SPACE_START + SPACE_BYTES,
					   .data = made->data,
					   .edata = made->data + DATA_BYTES};
	s->program.types = types_new(s->program.memory, s->program.layout, s->program.arena);
	types_add_module(s->program.types, &made->module);
	made->goexit = made_function(made, "runtime.goexit", 0);
}

void made_done(struct made *made)
{
	sites_free(made->space.program.sites);
	types_free(made->space.program.types);
	pclntab_close(made->tables[0]);
	image_close(made->image);
	space_done(&made->space);
}

uint64_t made_function(struct made *made, const char *name, int32_t frame_bytes)
{
	size_t i = made->function_count++;

	assert(i < MADE_FUNCTIONS);
	made->names[i] = name;
	made->frames[i] = frame_bytes;
	return made->text + i * MADE_FUNCTION_BYTES;
}

void made_inline(struct made *made, uint64_t into, const char *name)
{
	made->inlined = name;
	made->inlined_into = (into - made->text) / MADE_FUNCTION_BYTES;
}

uint64_t made_variable(struct made *made, uint64_t value)
{
	uint64_t at = made->data_next;

	made->data_next += 8;
	assert(made->data_next <= made->data + DATA_BYTES);
	space_u64(&made->space, at, value);
	return at;
}

uint64_t made_map_type(struct made *made, const char *name)
{
	struct space *s = &made->space;
	uint64_t word = type_put(s, GO_KIND_INT, 8, "int", NULL);
	uint64_t elem = type_put(s, GO_KIND_INT64, 8, strchr(name, ']') + 1, NULL);
	uint64_t map = type_put(s, GO_KIND_MAP, 8, name, NULL);

	map_shape_put(s, map);
	space_field(s, map, GO_MAPTYPE_FLAGS, 0, 4);
	space_field(s, map, GO_MAPTYPE_KEY, word, 8);
	space_field(s, map, GO_MAPTYPE_ELEM, elem, 8);
	return map;
}

uint64_t made_map(struct made *made)
{
	struct space *s = &made->space;
	bool swiss = program_offset(&s->program, GO_SWISS_USED) != GO_ABSENT;
	uint64_t map = space_take(s, 64), slots = space_take(s, 144);

	if (swiss) {
		space_field(s, map, GO_SWISS_DIRPTR, slots, 8);
		space_u64(s, slots, 0x8080808080808080); // all empty
	} else {
		space_field(s, map, GO_HMAP_BUCKETS, slots, 8);
	}
	return map;
}

static void put_distance(struct made *made, uint64_t at, uint64_t target)
{
	int32_t distance = (int32_t)(target - (at + 4));

	space_write(&made->space, at, &distance, sizeof(distance));
}

static uint64_t put_instruction(struct made *made, uint64_t pc, const char *opcode, size_t size,
				uint64_t target)
{
	space_write(&made->space, pc, opcode, size);
	put_distance(made, pc + size, target);
	return pc + size + 4;
}

uint64_t made_call(struct made *made, uint64_t pc, uint64_t target)
{
	return put_instruction(made, pc, "\xe8", 1, target);
}

void made_address(struct made *made, uint64_t pc, uint64_t target)
{
	put_instruction(made, pc, "\x48\x8d\x05", 3, target);
}

void made_jump(struct made *made, uint64_t pc, uint64_t target)
{
	put_instruction(made, pc, "\xe9", 1, target);
}

uint64_t made_map_call(struct made *made, uint64_t pc, uint64_t function, uint64_t type,
		       uint64_t global)
{
	pc = put_instruction(made, pc, "\x48\x8d\x05", 3, type); // LEA type, RAX
	if (global)
		pc = put_instruction(made, pc, "\x48\x8b\x1d", 3, global); // MOV global, RBX
	return made_call(made, pc, function);
}

uint64_t made_field_call(struct made *made, uint64_t pc, uint64_t function, uint64_t type,
			 uint8_t offset)
{
	const uint8_t load[] = {0x48, 0x8b, 0x59, offset}; // MOV offset(RCX), RBX

	pc = put_instruction(made, pc, "\x48\x8d\x05", 3, type);
	space_write(&made->space, pc, load, sizeof(load));
	return made_call(made, pc + sizeof(load), function);
}

/** Value tables of one function: frame size, file, line, inline tree. */
static void put_values(struct made *made, size_t i, size_t pctab, size_t ret[4])
{
	struct table *t = &made->table;
	const int32_t all = MADE_FUNCTION_BYTES, line = 10 * (int32_t)(i + 1);
	bool inlines = made->inlined && made->inlined_into == i;

	ret[0] = table_values(t, (const int32_t[][2]){{0, 4}, {made->frames[i], all - 4}, {0, 0}});
	ret[1] = table_values(t, (const int32_t[][2]){{0, all}, {0, 0}});
	ret[2] = table_values(t, (const int32_t[][2]){{line, 0x40},
						      {inlines ? 99 : line, 0x20},
						      {line, 0x20},
						      {line + 1, all - 0x80},
						      {0, 0}});
	ret[3] = table_values(
		t, (const int32_t[][2]){
			   {-1, 0x40}, {inlines ? 0 : -1, 0x20}, {-1, all - 0x60}, {0, 0}});
	for (size_t k = 0; k < 4; k++)
		ret[k] -= pctab;
}

/** The form of Go 1.20 and later: header, names, one file, value tables, functions. */
static void write_table(struct made *made)
{
	struct table *t = &made->table;
	size_t count = made->function_count, names, cutab, files, pctab, functions;
	size_t name[MADE_FUNCTIONS], values[MADE_FUNCTIONS][4];

	t->text = made->text;
	t->minor = space_minor(&made->space);
	t->quantum = made->space.program.arch == GO_ARCH_ARM64 ? 4 : 1;
	table_put(t, 0, 0xfffffff1, 4);
	t->bytes[6] = t->quantum;
	t->bytes[7] = 8;
	table_put(t, 8, count, 8);
	table_put(t, 24, made->text, 8);
	t->next = names = 72;
	for (size_t i = 0; i < count; i++)
		name[i] = table_string(t, made->names[i]) - names;
	if (made->inlined) { // the tree's one node
		table_put(t, TREE + 4, table_string(t, made->inlined) - names, 4);
		table_put(t, TREE + 8, 0x20, 4);
	}
	cutab = t->next = (t->next + 3) / 4 * 4;
	t->next += 4; // one unit, whose one file is the first
	files = table_string(t, "main.go");
	pctab = t->next++;
	for (size_t i = 0; i < count; i++)
		put_values(made, i, pctab, values[i]);
	functions = t->next = (t->next + 7) / 8 * 8;
	t->next += 8 * (count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t record =
			table_record(t, made->text + i * MADE_FUNCTION_BYTES, name[i], values[i]);

		t->bytes[record + FLAG_AT] = made->flags[i];
		table_put(t, functions + 8 * i, i * MADE_FUNCTION_BYTES, 4);
		table_put(t, functions + 8 * i + 4, record - functions, 4);
	}
	table_put(t, functions + 8 * count, count * MADE_FUNCTION_BYTES, 4);
	assert(t->next <= TREE);
	for (size_t i = 0; i < 5; i++)
		table_put(t, 32 + 8 * i, (const size_t[]){names, cutab, files, pctab, functions}[i],
			  8);
}

/** An ELF file whose symbol table names the runtime's variables. */
static struct image *write_image(const struct made *made)
{
	static const char strings[] = "\0.strings\0.symtab\0runtime.allgs\0runtime.allm\0"
				      "runtime.printBacklog\0runtime.printBacklogIndex";
	static struct elf_build b;
	const Elf64_Sym symbols[] = {
		{0},
		{.st_name = 18, .st_shndx = 1, .st_value = made->allgs},
		{.st_name = 32, .st_shndx = 1, .st_value = made->allm},
		{.st_name = 45, .st_shndx = 1, .st_value = made->backlog},
		{.st_name = 66, .st_shndx = 1, .st_value = made->backlog_index},
	};
	Elf64_Shdr table[3] = {{0}};
	struct test_file file;
	struct image *image = NULL;

	elf_build_init(&b, ET_EXEC,
		       made->space.program.arch == GO_ARCH_ARM64 ? EM_AARCH64 : EM_X86_64);
	elf_build_segment(&b, PT_LOAD, 0x400000, "", 1);
	table[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_size = sizeof(strings)};
	table[1].sh_offset = elf_build_put(&b, strings, sizeof(strings));
	table[2] = (Elf64_Shdr){
		.sh_name = 10, .sh_type = SHT_SYMTAB, .sh_size = sizeof(symbols), .sh_link = 1};
	table[2].sh_offset = elf_build_put(&b, symbols, sizeof(symbols));
	b.header.e_shoff = elf_build_put(&b, table, sizeof(table));
	b.header.e_shnum = 3;
	b.header.e_shstrndx = 1;
	file = test_file_open(b.body, elf_build_make(&b));
	assert_null(image_open(file.path, &image));
	test_file_close(&file);
	return image;
}

void made_open(struct made *made)
{
	struct program *program = &made->space.program;
	struct pclntab_module module = {
		.header = TABLE_START,
		.text = made->text,
		.etext = made->text + made->function_count * MADE_FUNCTION_BYTES,
		.gofunc = TABLE_START + TREE,
		.minpc = made->text,
		.maxpc = made->text + made->function_count * MADE_FUNCTION_BYTES,
	};

	write_table(made);
	memory_add(program->memory, TABLE_START, made->table.bytes, TABLE_BYTES,
		   place_whole("table"));
	assert_null(
		pclntab_open(program->memory, &module, program->layout->version, &made->tables[0]));
	made->module.pclntab = module;
	program->tables = made->tables;
	program->modules = &made->module;
	program->module_count = 1;
	program->image = made->image = write_image(made);
	program->sites =
		sites_new(program->memory, program->tables, 1, program->layout, program->types);
}

static void save_position(struct made *made, const struct made_stack *stack)
{
	space_field(&made->space, stack->g, GO_G_SCHED_PC, stack->pc, 8);
	space_field(&made->space, stack->g, GO_G_SCHED_SP, stack->sp, 8);
}

size_t made_goroutine(struct made *made, uint64_t id, uint32_t status, uint64_t start)
{
	struct space *s = &made->space;
	struct made_stack *stack = &made->stacks[made->stack_count];

	assert(made->stack_count < MADE_GOROUTINES);
	stack->g = space_take(s, 1024);
	stack->lo = space_take(s, MADE_STACK_BYTES);
	stack->hi = stack->lo + MADE_STACK_BYTES;
	stack->sp = stack->hi - 64;
	stack->pc = made->goexit + 1;
	space_field(s, stack->g, GO_G_STACK_LO, stack->lo, 8);
	space_field(s, stack->g, GO_G_STACK_HI, stack->hi, 8);
	space_field(s, stack->g, GO_G_ATOMICSTATUS, status, 4);
	space_field(s, stack->g, GO_G_GOID, id, 8);
	space_field(s, stack->g, GO_G_STARTPC, start, 8);
	save_position(made, stack);
	return made->stack_count++;
}

void made_push(struct made *made, size_t goroutine, uint64_t pc)
{
	struct made_stack *stack = &made->stacks[goroutine];
	int32_t frame = made->frames[(pc - made->text) / MADE_FUNCTION_BYTES];

	stack->arguments = stack->sp;
	space_u64(&made->space, stack->sp - 8, stack->pc);
	stack->sp -= 8 + (uint64_t)frame;
	assert(stack->sp > stack->lo);
	stack->pc = pc;
	save_position(made, stack);
}

void made_argument(struct made *made, size_t goroutine, unsigned index, uint64_t value)
{
	space_u64(&made->space, made->stacks[goroutine].arguments + 8 * index, value);
}

void made_local(struct made *made, size_t goroutine, unsigned index, uint64_t value)
{
	space_u64(&made->space, made->stacks[goroutine].sp + 8 * index, value);
}

void made_ghost(struct made *made, size_t goroutine, unsigned depth, uint64_t return_pc,
		uint64_t map)
{
	uint64_t slot = made->stacks[goroutine].sp - depth;

	space_u64(&made->space, slot, return_pc);
	space_u64(&made->space, slot + 16, map);
}

void made_say(struct made *made, const char *text)
{
	assert(strlen(text) < BACKLOG_BYTES);
	space_write(&made->space, made->backlog, text, strlen(text));
	space_u64(&made->space, made->backlog_index, strlen(text));
}

void made_read(struct made *made)
{
	struct space *s = &made->space;
	uint64_t list = space_take(s, 8 * made->stack_count);

	for (size_t i = 0; i < made->stack_count; i++)
		space_u64(s, list + 8 * i, made->stacks[i].g);
	space_u64(s, made->allgs, list);
	space_u64(s, made->allgs + 8, made->stack_count);
	goroutines_read(&s->program);
	s->program.backlog = backlog_read(&s->program);
}

struct goroutine *made_goroutine_of(struct made *made, uint64_t id)
{
	struct program *program = &made->space.program;

	for (size_t i = 0; i < program->goroutine_count; i++)
		if (program->goroutines[i].id == id)
			return &program->goroutines[i];
	return NULL;
}
