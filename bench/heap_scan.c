// SPDX-License-Identifier: Apache-2.0
// How fast heap_references() goes through memory in which nothing matches, against a loop that only
// adds the same words up. Usage: heap_scan [MIB] [ROUNDS]
#include "base/arena.h"
#include "model/data/heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define START  0xc000000000ull
#define TARGET 0xd000000000ull

/** Of this thread alone: what else runs on the machine costs bandwidth, but not time slices. */
static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** What a heap looks like to a scan: mostly small numbers, zeros and pointers to elsewhere. */
static void memory_fill(uint64_t *words, size_t count)
{
	uint64_t random = 88172645463325252ull;

	for (size_t i = 0; i < count; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		words[i] = random % 4 == 0 ? START + random % (1ull << 32) : random % 4096;
	}
}

typedef uint64_t lanes __attribute__((vector_size(32), may_alias));

#ifdef __x86_64__
__attribute__((target("avx2")))
#endif
static uint64_t
memory_sum(const uint64_t *words, size_t count)
{
	const lanes *at = (const lanes *)words;
	lanes sums[4] = {{0}};

	for (size_t i = 0; i + 16 <= count; i += 16, at += 4)
		for (size_t j = 0; j < 4; j++)
			sums[j] += at[j];
	sums[0] += sums[1] + sums[2] + sums[3];
	return sums[0][0] + sums[0][1] + sums[0][2] + sums[0][3];
}

static void word_count(uint64_t word, uint64_t value, void *context) { ++*(uint64_t *)context; }

static void round_run(struct program *program, const uint64_t *words, size_t count)
{
	double bytes = (double)count * 8, start, middle, end;
	uint64_t found = 0, sum;

	start = seconds_now();
	sum = memory_sum(words, count);
	middle = seconds_now();
	heap_references(program, TARGET, TARGET + 48, word_count, &found);
	end = seconds_now();
	printf("sum %6.2f GB/s   heap_references %6.2f GB/s   (%" PRIu64 " found, sum %" PRIx64
	       ")\n",
	       bytes / (middle - start) / 1e9, bytes / (end - middle) / 1e9, found, sum);
}

int main(int argument_count, char **arguments)
{
	size_t mib = argument_count > 1 ? strtoul(arguments[1], NULL, 10) : 1024;
	size_t rounds = argument_count > 2 ? strtoul(arguments[2], NULL, 10) : 5;
	struct program program = {.arena = arena_new(), .memory = memory_new()};
	size_t size = mib << 20;
	uint64_t *words =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool exact;

	if (words == MAP_FAILED)
		return 1;
	memory_fill(words, size / 8);
	words[size / 16] = TARGET + 8;
	program.layout = go_layout_find((struct go_version){22, 0, true}, GO_ARCH_AMD64, &exact);
	program.heap = heap_new_at(&program, 16); // no spans: all memory is looked at
	memory_add(program.memory, START, words, size, place_whole("bench"));
	for (size_t i = 0; i < rounds; i++)
		round_run(&program, words, size / 8);
	heap_free(program.heap);
	memory_free(program.memory);
	arena_free(program.arena);
	free(program.gaps.items);
	munmap(words, size);
	return 0;
}
